"""The tables of the SQL store.

Values that are compared are stored as bytes, so that the result does not depend on collations. The package `migrations`
creates and upgrades the tables. A test compares its result with this module. This module never runs a statement.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.index_entries import HEAD
from scimkit.stores.sql.log_tables import LogTables, provisioning_log_tables
from scimkit.stores.sql.outbox_table import outbox_table
from scimkit.stores.sql.poll_queue_table import poll_queue_table
from scimkit.stores.sql.request_queue_table import request_queue_table
from scimkit.tokens.scopes import DEFAULT_SCOPES, MAX_SCOPES

METADATA: Final = sa.MetaData()

BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Integer type of 64 bits. SQLite numbers rows automatically only in a column of type INTEGER."""

DOCUMENT: Final = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def raw(length: int) -> sa.types.TypeEngine[bytes]:
    """Return a type for bytes up to a length that a database index supports."""
    return sa.LargeBinary().with_variant(mysql.VARBINARY(length), "mysql", "mariadb")


class Exact(sa.types.TypeDecorator[str]):
    """Column type that compares text byte by byte, independent of the database's collation."""

    impl: Any = sa.LargeBinary
    cache_ok: bool | None = True

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """Return the binary type of the dialect."""
        return dialect.type_descriptor(raw(self.length).dialect_impl(dialect))

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        """Encode a text as UTF-8."""
        return None if value is None else value.encode()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Decode a text from UTF-8."""
        return None if value is None else bytes(value).decode()


def _reference(name: str) -> sa.Column[int]:
    """Return a column with a foreign key to the table of resources."""
    return sa.Column(name, BIG, sa.ForeignKey("scim_resource.sequence", ondelete="CASCADE"), nullable=False)


_OPTIONS: Final[dict[str, Any]] = {"mysql_engine": "InnoDB", "mariadb_engine": "InnoDB", "sqlite_autoincrement": True}

RESOURCES: Final = sa.Table(
    "scim_resource", METADATA,
    sa.Column("sequence", BIG, primary_key=True, autoincrement=True),
    sa.Column("tenant", Exact(255), nullable=False),
    sa.Column("type", Exact(64), nullable=False),
    sa.Column("id", Exact(64), nullable=False),
    sa.Column("version", BIG, nullable=False),
    sa.Column("created", Exact(32), nullable=False),
    sa.Column("created_key", raw(64), nullable=False),
    sa.Column("modified", Exact(32), nullable=False),
    sa.Column("modified_key", raw(64), nullable=False),
    sa.Column("display", DOCUMENT),
    sa.Column("display_key", DOCUMENT),
    sa.Column("document", DOCUMENT, nullable=False),
    sa.UniqueConstraint("tenant", "id", name="scim_resource_id"),
    sa.Index("scim_resource_order", "tenant", "type", "sequence"),
    sa.Index("scim_resource_by_id", "id"),
    **_OPTIONS,
)  # fmt: skip
"""The resources. `document` is the JSON text without `meta`, members and groups; `display` is the displayName."""

VALUES: Final = sa.Table(
    "scim_value", METADATA,
    _reference("resource"),
    sa.Column("slot", sa.BigInteger, nullable=False),
    sa.Column("element", sa.Integer, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("head", raw(HEAD), nullable=False),
    sa.Column("whole", DOCUMENT),
    sa.Column("chosen", sa.Boolean, nullable=False),
    sa.PrimaryKeyConstraint("resource", "slot", "element", "place", name="scim_value_key"),
    sa.Index("scim_value_find", "slot", "head", "resource"),
    mysql_engine="InnoDB", mariadb_engine="InnoDB",
)  # fmt: skip
"""The values that filters and sort orders can name. See `index_entries.IndexEntry`."""

CLAIMS: Final = sa.Table(
    "scim_unique", METADATA,
    sa.Column("slot", sa.BigInteger, nullable=False, autoincrement=False),
    sa.Column("digest", raw(32), nullable=False),
    _reference("resource"),
    sa.PrimaryKeyConstraint("slot", "digest", name="scim_unique_key"),
    sa.Index("scim_unique_resource", "resource"),
    mysql_engine="InnoDB", mariadb_engine="InnoDB",
)  # fmt: skip
"""The values of unique attributes. The primary key guarantees uniqueness within a resource type and tenant."""

MEMBERSHIPS: Final = sa.Table(
    "scim_member", METADATA,
    sa.Column("position", BIG, primary_key=True, autoincrement=True),
    _reference("group"),
    _reference("member"),
    sa.Column("display", DOCUMENT),
    sa.Column("display_key", DOCUMENT),
    sa.UniqueConstraint("group", "member", name="scim_member_once"),
    sa.Index("scim_member_of", "member"),
    **_OPTIONS,
)  # fmt: skip
"""The members of groups, with one row for each member of a group."""
"""The members of groups."""


def token_table(metadata: sa.MetaData, name: str = "scim_token") -> sa.Table:
    """Add the table of tokens to the metadata of an application, so that its own migrations create the table.

    Args:
        metadata: The metadata, such as `Base.metadata`.
        name: The name of the table.

    Returns:
        The table, for the argument `table` of `SqlTokenStore` or `AsyncSqlTokenStore`. Times are texts in ISO 8601
            format and in UTC.
    """
    return sa.Table(
        name, metadata,
        sa.Column("id", raw(32), primary_key=True),
        sa.Column("tenant", raw(255), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("hash", raw(32), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("expires", sa.String(32)),
        sa.Column("revoked", sa.String(32)),
        sa.Column("dialect", sa.String(64)),
        sa.Column("created_by", sa.String(255)),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("scopes", sa.String(MAX_SCOPES), nullable=False, server_default=" ".join(DEFAULT_SCOPES)),
        sa.Column("last_used", sa.String(32)),
        sa.Column("hint", sa.String(4), nullable=False, server_default=""),
        sa.Column("rotated_from", raw(32)),
        sa.Index(f"{name}_tenant", "tenant"),
        mysql_engine="InnoDB", mariadb_engine="InnoDB",
    )  # fmt: skip


TOKENS: Final = token_table(METADATA)
"""The tokens. The id and the hash are stored, but not the secret."""

OUTBOX: Final = outbox_table(METADATA)
"""The outbox. Each row is an event that a store with an outbox recorded."""


def breaker_table(metadata: sa.MetaData) -> sa.Table:
    """Add the table of `SqlBreakerStore` to the metadata of an application, so that its own migrations create it."""
    return sa.Table(
        "scim_breaker", metadata,
        sa.Column("tenant", raw(255), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        mysql_engine="InnoDB", mariadb_engine="InnoDB",
    )  # fmt: skip


BREAKERS: Final = breaker_table(METADATA)
"""One row for each tenant whose deactivations a breaker counts; `state` is a `BreakerState` as JSON."""

POLL_QUEUE: Final = poll_queue_table(METADATA)
"""The security event tokens that wait for polling receivers."""

PENDING_REQUESTS: Final = request_queue_table(METADATA)
"""The requests that a service accepted and that no worker has finished."""

LOG: Final[LogTables] = provisioning_log_tables(METADATA)
"""The provisioning log."""


def client_table(metadata: sa.MetaData, name: str = "scim_client") -> sa.Table:
    """Add the table of OAuth clients to the metadata of an application, so that its own migrations create the table.

    Args:
        metadata: The metadata, such as `Base.metadata`.
        name: The name of the table.

    Returns:
        The table, for the argument `table` of `SqlClientStore` or `AsyncSqlClientStore`. `document` is a client with
            the hashes of its secrets and its trusts, as JSON.
    """
    return sa.Table(
        name, metadata,
        sa.Column("id", raw(32), primary_key=True),
        sa.Column("tenant", raw(255), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("document", DOCUMENT, nullable=False),
        sa.Index(f"{name}_tenant", "tenant"),
        mysql_engine="InnoDB", mariadb_engine="InnoDB",
    )  # fmt: skip


CLIENTS: Final = client_table(METADATA)
"""The OAuth clients, with the hashes of their secrets."""
