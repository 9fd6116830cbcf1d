"""The tables of the provisioning log, for the SQL store and for SQLAlchemy metadata of an application.

This module runs no query.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from scimkit.provisioning.serialization import CODE_LENGTH, KEY_LENGTH

INDEXES: Final[dict[str, tuple[str, ...]]] = {
    "id": ("tenant", "id"),
    "resource_id": ("tenant", "resource_id", "id"),
    "external_id": ("tenant", "external_id", "id"),
    "label_key": ("tenant", "label_key", "id"),
    "result": ("tenant", "result", "id"),
    "action": ("tenant", "action", "id"),
    "token_id": ("tenant", "token_id", "id"),
    "cycle_id": ("tenant", "cycle_id", "id", "action", "result", "error_code"),
}
"""The columns of the indexes of entries. The counts of a cycle are read from its index alone."""
_ENGINE: Final[dict[str, Any]] = {"mysql_engine": "InnoDB", "mariadb_engine": "InnoDB"}


@dataclass(frozen=True, slots=True)
class LogTables:
    """The tables of a provisioning log."""

    entries: sa.Table
    """One row for each entry."""
    activity: sa.Table
    """One row for each tenant, token and minute in which the token was used."""


def provisioning_log_tables(metadata: sa.MetaData, name: str = "scim_log") -> LogTables:
    """Add the tables of the provisioning log to the metadata of an application. Alembic's autogenerate finds them.

    Args:
        metadata: The metadata, such as `Base.metadata`.
        name: The name of the table of entries. The other table has the name with `_activity` at the end.

    Returns:
        The tables, for the argument `provisioning_log` of `MappedStore` or `AsyncMappedStore`.
    """
    entries = sa.Table(
        name, metadata,
        sa.Column("id", _bytes(16), primary_key=True),
        sa.Column("tenant", _bytes(KEY_LENGTH), nullable=False),
        sa.Column("token_id", _bytes(KEY_LENGTH), nullable=False),
        sa.Column("cycle_id", _bytes(KEY_LENGTH), nullable=False),
        sa.Column("resource_id", _bytes(KEY_LENGTH), nullable=False),
        sa.Column("external_id", _bytes(KEY_LENGTH)),
        sa.Column("label_key", _bytes(KEY_LENGTH)),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("error_code", sa.String(CODE_LENGTH), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        *(sa.Index(f"{name}_{column}", *columns) for column, columns in INDEXES.items()),
        **_ENGINE,
    )  # fmt: skip
    activity = sa.Table(
        f"{name}_activity", metadata,
        sa.Column("tenant", _bytes(KEY_LENGTH), nullable=False),
        sa.Column("token_id", _bytes(KEY_LENGTH), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("cycle_id", _bytes(KEY_LENGTH), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("reads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "token_id", "minute", name=f"{name}_activity_key"),
        sa.Index(f"{name}_activity_cycle", "tenant", "cycle_id"),
        sa.Index(f"{name}_activity_token", "tenant", "token_id", "cycle_id"),
        sa.Index(f"{name}_activity_minute", "minute"),
        **_ENGINE,
    )  # fmt: skip
    return LogTables(entries, activity)


def _bytes(length: int) -> sa.types.TypeEngine[bytes]:
    """Return a type for bytes up to a length that a database index supports."""
    return sa.LargeBinary().with_variant(mysql.VARBINARY(length), "mysql", "mariadb")
