"""The table of `SqlPollQueue`, for the SQL store and for SQLAlchemy metadata of an application. It runs no query."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql


def poll_queue_table(metadata: sa.MetaData, name: str = "scim_poll_queue") -> sa.Table:
    """Add the table of `SqlPollQueue` to the metadata of an application, so that its own migrations create it.

    Args:
        metadata: The metadata, such as `Base.metadata`.
        name: The name of the table.

    Returns:
        The table, for the argument `table` of `SqlPollQueue`.
    """
    return sa.Table(
        name, metadata,
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True,
                  autoincrement=True),
        sa.Column("stream", sa.String(64), nullable=False),
        sa.Column("jti", sa.String(64), nullable=False),
        sa.Column("token", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("stream", "jti", name=f"{name}_token"),
        sa.Index(f"{name}_order", "stream", "sequence"),
        sa.Index(f"{name}_added", "stream", "added"),
        mysql_engine="InnoDB", mariadb_engine="InnoDB", sqlite_autoincrement=True,
    )  # fmt: skip
