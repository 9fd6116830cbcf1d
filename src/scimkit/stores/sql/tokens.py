"""Storage of token records in a table of a SQL database.

This module never sees a token, only the hash of the token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

import sqlalchemy as sa

from scimkit.stores.sql.database import Database, Work
from scimkit.stores.sql.direct_reads import HotRead
from scimkit.stores.sql.hot_statements import HotStatement, Row
from scimkit.stores.sql.tables import TOKENS
from scimkit.stores.sql.timeouts import soon
from scimkit.stores.sql.token_access import TokenAccess
from scimkit.tokens import TokenRecord
from scimkit.tokens.scopes import DEFAULT_SCOPES

_TOUCH_TIMEOUT: Final = 1.0
"""Seconds that a request waits at most until the time of last use is written."""
_NAMES: Final = tuple(each.name for each in fields(TokenRecord))
_BYTES: Final = ("id", "tenant", "rotated_from")
"""Columns with texts that are compared as bytes."""
_STATE: Final = ("active", "expires", "revoked")
_DEFAULT_SCOPES: Final = " ".join(DEFAULT_SCOPES)


def very_soon() -> float:
    """Return the deadline of a write that a request can do without."""
    return monotonic() + _TOUCH_TIMEOUT


class TokenStatements:
    """The statements of a token store on its table. They are built once, and executed with parameters."""

    def __init__(self, table: sa.Table) -> None:
        columns = table.c
        found = sa.select(*(columns[name] for name in _NAMES))
        self._insert = sa.insert(table)
        self._find = HotStatement(found.where(columns.id == sa.bindparam("key")))
        self._list = found.where(columns.tenant == sa.bindparam("key")).order_by(columns.created, columns.id)
        self._touch = (
            sa.update(table)
            .where(columns.id == sa.bindparam("key"))
            .where(sa.or_(columns.last_used.is_(None), columns.last_used < sa.bindparam("instant")))
            .values(last_used=sa.bindparam("instant"))
        )
        self._table = table

    def add(self, record: TokenRecord) -> Work[object]:
        """Return the work that inserts a record."""
        values = row_of(record)
        return lambda connection: connection.execute(self._insert, values)

    def find(self, id: str) -> Work[TokenRecord | None]:
        """Return the work that finds a record by its id."""
        key = {"key": _encoded(id)}

        def found(rows: Sequence[Row]) -> TokenRecord | None:
            return _record(rows[0]) if rows else None

        return HotRead(self._find, key, found, lambda connection: found(self._find.rows(connection, key)))

    def list(self, tenant: str) -> Work[Sequence[TokenRecord]]:
        """Return the work that lists the records of a tenant."""
        key = {"key": _encoded(tenant)}
        return lambda connection: [_record(row) for row in connection.execute(self._list, key)]

    def update(self, old: TokenRecord, new: TokenRecord) -> Work[bool]:
        """Return the work that replaces a record if its stored state is that of `old`."""
        before, after = row_of(old), row_of(new)
        columns = self._table.c
        same = [columns[name].is_(None) if before[name] is None else columns[name] == before[name] for name in _STATE]
        values = {name: value for name, value in after.items() if name not in ("id", "last_used")}
        statement = sa.update(self._table).where(columns.id == before["id"], *same).values(values)
        return lambda connection: connection.execute(statement).rowcount == 1

    def touch(self, id: str, instant: datetime) -> Work[object]:
        """Return the work that sets `last_used` if the stored time is earlier."""
        values = {"key": _encoded(id), "instant": _text(instant)}
        return lambda connection: connection.execute(self._touch, values)

    def remove_expired(self, tenant: str, created_by: str, before: datetime) -> Work[object]:
        """Return the work that deletes the records of a tenant and a creator that expired before a time."""
        columns = self._table.c
        statement = sa.delete(self._table).where(
            columns.tenant == _encoded(tenant), columns.created_by == created_by, columns.expires < _text(before)
        )
        return lambda connection: connection.execute(statement)


class SqlTokenStore:
    """A `TokenStore` in a SQL database, for a `SqlStore` or for tables of an application.

    Args:
        engine: The engine of the database.
        table: The table that `token_table` added to the metadata of an application. The default is the table that the
            migrations of `SqlStore` create.
    """

    blocking = True

    def __init__(self, engine: sa.Engine, table: sa.Table = TOKENS) -> None:
        self._database = Database(engine)
        self._statements = TokenStatements(table)
        self.engine: sa.Engine = engine
        """The engine of the database."""
        self.access: TokenAccess = TokenAccess(table, row_of)
        """The check of a token within a statement of a store on the same engine."""

    def add(self, record: TokenRecord) -> None:
        self._database.write(self._statements.add(record), soon())

    def find(self, id: str) -> TokenRecord | None:
        return self._database.read(self._statements.find(id), soon())

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        return self._database.read(self._statements.list(tenant), soon())

    def update(self, old: TokenRecord, new: TokenRecord) -> bool:
        return self._database.write(self._statements.update(old, new), soon())

    def touch(self, id: str, instant: datetime) -> None:
        self._database.write(self._statements.touch(id, instant), very_soon())

    def remove_expired(self, tenant: str, created_by: str, before: datetime) -> None:
        """Delete the records of a tenant with this `created_by` that expired before a time."""
        self._database.write(self._statements.remove_expired(tenant, created_by, before), soon())


def row_of(record: TokenRecord) -> dict[str, Any]:
    """Return the column values for a token record."""
    values: dict[str, Any] = {}
    for name in _NAMES:
        value = getattr(record, name)
        if isinstance(value, datetime):
            value = _text(value)
        elif name in _BYTES and value is not None:
            value = _encoded(value)
        values[name] = value
    values["scopes"] = " ".join(record.scopes)
    return values


def _record(row: Sequence[Any]) -> TokenRecord:
    """Return the token record of a row, whose columns are in the order of the fields."""
    (id, tenant, description, hash, created, expires, revoked, dialect, created_by, active, scopes, last_used, hint,
     rotated_from) = tuple[Any, ...](row)  # fmt: skip
    return TokenRecord(
        bytes(id).decode(),
        bytes(tenant).decode(),
        description,
        bytes(hash),
        datetime.fromisoformat(created),
        None if expires is None else datetime.fromisoformat(expires),
        None if revoked is None else datetime.fromisoformat(revoked),
        dialect,
        created_by,
        bool(active),
        DEFAULT_SCOPES if scopes == _DEFAULT_SCOPES else tuple(scopes.split()),
        None if last_used is None else datetime.fromisoformat(last_used),
        hint,
        None if rotated_from is None else bytes(rotated_from).decode(),
    )


def _text(instant: datetime) -> str:
    """Return a time in ISO 8601 format and in UTC. Such texts of times without a fraction compare as the times do."""
    return instant.astimezone(UTC).isoformat()


def _encoded(text: str) -> bytes:
    """Return a text as UTF-8. A text that is not valid Unicode becomes bytes that no row has."""
    return text.encode("utf-8", "surrogatepass")
