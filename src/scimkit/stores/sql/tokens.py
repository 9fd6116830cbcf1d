"""Storage of token records in the database of the SQL store.

This module never sees a token, only the hash of the token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from scimkit.stores.sql.database import Database, Work
from scimkit.stores.sql.tables import TOKENS
from scimkit.stores.sql.timeouts import soon
from scimkit.tokens import TokenRecord

_INSTANTS: Final = ("created", "expires", "revoked")


def add_record(record: TokenRecord) -> Work[object]:
    """Return the work that inserts a token record."""
    return lambda connection: connection.execute(sa.insert(TOKENS).values(_row(record)))


def find_record(id: str) -> Work[TokenRecord | None]:
    """Return the work that finds a token record by its id."""

    def run(connection: sa.Connection) -> TokenRecord | None:
        row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == id)).mappings().first()
        return None if row is None else _record(row)

    return run


def list_records(tenant: str) -> Work[Sequence[TokenRecord]]:
    """Return the work that lists the token records of a tenant."""
    query = sa.select(TOKENS).where(TOKENS.c.tenant == tenant).order_by(TOKENS.c.created)
    return lambda connection: [_record(row) for row in connection.execute(query).mappings().all()]


def update_record(record: TokenRecord) -> Work[object]:
    """Return the work that updates a token record."""
    changed = sa.update(TOKENS).where(TOKENS.c.id == record.id).values(_row(record))
    return lambda connection: connection.execute(changed)


class SqlTokenStore:
    """A `TokenStore` that uses the engine and the tables of a `SqlStore`.

    Args:
        engine: The engine of the `SqlStore`, which creates the table of tokens.
    """

    blocking = True

    def __init__(self, engine: sa.Engine) -> None:
        self._database = Database(engine)

    def add(self, record: TokenRecord) -> None:
        self._database.write(add_record(record), soon())

    def find(self, id: str) -> TokenRecord | None:
        return self._database.read(find_record(id), soon())

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        return self._database.read(list_records(tenant), soon())

    def update(self, record: TokenRecord) -> None:
        self._database.write(update_record(record), soon())


def _row(record: TokenRecord) -> dict[str, Any]:
    """Return the column values for a token record."""
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(record).items()
    }


def _record(row: Any) -> TokenRecord:
    """Return the token record of a row."""
    values = dict(row)
    values |= {name: datetime.fromisoformat(values[name]) for name in _INSTANTS if values[name] is not None}
    return TokenRecord(**{**values, "hash": bytes(values["hash"])})
