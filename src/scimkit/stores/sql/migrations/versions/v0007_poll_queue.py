"""The table of security event tokens that wait for polling receivers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.migrations.steps import add_index, add_table

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the table and its indexes."""
    add_table(
        "scim_poll_queue",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("stream", sa.String(64), nullable=False),
        sa.Column("jti", sa.String(64), nullable=False),
        sa.Column("token", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("stream", "jti", name="scim_poll_queue_token"),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
        sqlite_autoincrement=True,
    )
    add_index("scim_poll_queue_order", "scim_poll_queue", "stream", "sequence")
    add_index("scim_poll_queue_added", "scim_poll_queue", "stream", "added")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("scim_poll_queue")
