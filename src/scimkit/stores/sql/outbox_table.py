"""The table of the outbox, for the SQL store and for SQLAlchemy metadata of an application. It runs no query."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from scimkit.events.outbox import MAX_ERROR


def outbox_table(metadata: sa.MetaData, name: str = "scim_outbox") -> sa.Table:
    """Add the table of the outbox to the metadata of an application, so that Alembic's autogenerate finds it.

    Args:
        metadata: The metadata, such as `Base.metadata`.
        name: The name of the table.

    Returns:
        The table, for the argument `outbox` of `MappedStore` or `AsyncMappedStore`.
    """
    return sa.Table(
        name, metadata,
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True,
                  autoincrement=True),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("event_type", sa.String(64), nullable=False),
        sa.Column("resource_key", sa.String(64), nullable=False),
        sa.Column("payload", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("finished", sa.BigInteger()),
        sa.Column("error", sa.String(MAX_ERROR), nullable=False),
        sa.Column("claim", sa.String(32)),
        sa.UniqueConstraint("event_id", name=f"{name}_event"),
        sa.Index(f"{name}_due", "status", "due", "sequence"),
        sa.Index(f"{name}_resource", "resource_key", "status", "sequence"),
        sa.Index(f"{name}_finished", "status", "finished"),
        mysql_engine="InnoDB", mariadb_engine="InnoDB", sqlite_autoincrement=True,
    )  # fmt: skip
