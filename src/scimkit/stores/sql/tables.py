"""The tables of the SQL store. What is compared is bytes, so that no collation has a say.

`migrations` makes and upgrades them; a test holds the one to the other. This module never runs a query.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.index_entries import HEAD
from scimkit.stores.sql.outbox_table import outbox_table

METADATA: Final = sa.MetaData()

BIG: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""An integer of 64 bits, which SQLite numbers rows with only when it is called INTEGER."""

DOCUMENT: Final = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def raw(length: int) -> sa.types.TypeEngine[bytes]:
    """Bytes of at most a length, that an index can hold."""
    return sa.LargeBinary().with_variant(mysql.VARBINARY(length), "mysql", "mariadb")


class Exact(sa.types.TypeDecorator[str]):
    """Text that is equal only to itself: kept as its UTF-8 bytes."""

    impl: Any = sa.LargeBinary
    cache_ok: bool | None = True

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        return dialect.type_descriptor(raw(self.length).dialect_impl(dialect))

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> bytes | None:
        return None if value is None else value.encode()

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else bytes(value).decode()


def _of(name: str) -> sa.Column[int]:
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
"""One row a resource; `document` is its JSON without `meta`, members and groups; `display` its displayName."""

VALUES: Final = sa.Table(
    "scim_value", METADATA,
    _of("resource"),
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
"""One row a value that filters and sorts can name; see `keys.IndexEntry`."""

CLAIMS: Final = sa.Table(
    "scim_unique", METADATA,
    sa.Column("slot", sa.BigInteger, nullable=False, autoincrement=False),
    sa.Column("digest", raw(32), nullable=False),
    _of("resource"),
    sa.PrimaryKeyConstraint("slot", "digest", name="scim_unique_key"),
    sa.Index("scim_unique_resource", "resource"),
    mysql_engine="InnoDB", mariadb_engine="InnoDB",
)  # fmt: skip
"""One row a value that no other resource of its type and tenant may have."""

MEMBERSHIPS: Final = sa.Table(
    "scim_member", METADATA,
    sa.Column("position", BIG, primary_key=True, autoincrement=True),
    _of("group"),
    _of("member"),
    sa.Column("display", DOCUMENT),
    sa.Column("display_key", DOCUMENT),
    sa.UniqueConstraint("group", "member", name="scim_member_once"),
    sa.Index("scim_member_of", "member"),
    **_OPTIONS,
)  # fmt: skip
"""One row a member of a group."""

TOKENS: Final = sa.Table(
    "scim_token", METADATA,
    sa.Column("id", Exact(32), primary_key=True),
    sa.Column("tenant", Exact(255), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("hash", raw(32), nullable=False),
    sa.Column("created", sa.String(32), nullable=False),
    sa.Column("expires", sa.String(32)),
    sa.Column("revoked", sa.String(32)),
    sa.Column("dialect", sa.String(64)),
    sa.Index("scim_token_tenant", "tenant"),
    mysql_engine="InnoDB", mariadb_engine="InnoDB",
)  # fmt: skip
"""One row a token; instants as ISO 8601 texts in UTC."""

OUTBOX: Final = outbox_table(METADATA)
"""The outbox. Each row is an event that a store with an outbox recorded."""
