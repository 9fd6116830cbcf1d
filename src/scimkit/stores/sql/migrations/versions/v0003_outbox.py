"""The table of the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.migrations.steps import add_index, add_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table and its indexes."""
    add_table(
        "scim_outbox",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("event_type", sa.String(64), nullable=False),
        sa.Column("resource_key", sa.String(64), nullable=False),
        sa.Column("payload", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.BigInteger()),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Column("claim", sa.String(32)),
        sa.UniqueConstraint("event_id", name="scim_outbox_event"),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
        sqlite_autoincrement=True,
    )
    add_index("scim_outbox_due", "scim_outbox", "status", "due", "sequence")
    add_index("scim_outbox_resource", "scim_outbox", "resource_key", "status", "sequence")
    add_index("scim_outbox_finished", "scim_outbox", "status", "finished")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("scim_outbox")
