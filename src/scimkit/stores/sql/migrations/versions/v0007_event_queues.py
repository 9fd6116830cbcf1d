"""The tables of security event tokens that wait for receivers, and of accepted requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.migrations.steps import add_index, add_table

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the tables and their indexes."""
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
    blob = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
    add_table(
        "scim_pending_request",
        sa.Column("txn", sa.String(36), primary_key=True),
        sa.Column("tenant_key", sa.String(64), nullable=False),
        sa.Column("tenant", blob, nullable=False),
        sa.Column("payload", blob, nullable=False),
        sa.Column("results", blob),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("claim", sa.String(32), nullable=False),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
    )
    add_index("scim_pending_request_tenant", "scim_pending_request", "tenant_key")
    add_index("scim_pending_request_due", "scim_pending_request", "due", "txn")
    add_index("scim_poll_queue_order", "scim_poll_queue", "stream", "sequence")
    add_index("scim_poll_queue_added", "scim_poll_queue", "stream", "added")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("scim_pending_request")
    op.drop_table("scim_poll_queue")
