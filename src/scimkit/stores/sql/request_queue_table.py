"""The table of `SqlRequestQueue`, for the SQL store and for SQLAlchemy metadata of an application. It runs no query."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql


def request_queue_table(metadata: sa.MetaData, name: str = "scim_pending_request") -> sa.Table:
    """Add the table of `SqlRequestQueue` to the metadata of an application, so that its own migrations create it.

    Args:
        metadata: The metadata, such as `Base.metadata`.
        name: The name of the table.

    Returns:
        The table, for the argument `table` of `SqlRequestQueue`.
    """
    blob = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
    return sa.Table(
        name, metadata,
        sa.Column("txn", sa.String(36), primary_key=True),
        sa.Column("tenant_key", sa.String(64), nullable=False),
        sa.Column("tenant", blob, nullable=False),
        sa.Column("payload", blob, nullable=False),
        sa.Column("results", blob),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("claim", sa.String(32), nullable=False),
        sa.Index(f"{name}_tenant", "tenant_key"),
        sa.Index(f"{name}_due", "due", "txn"),
        mysql_engine="InnoDB", mariadb_engine="InnoDB",
    )  # fmt: skip
