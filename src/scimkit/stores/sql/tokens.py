"""Token records in the SQL store's database, so that tokens outlive the process.

This module never sees a secret, only its hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

import sqlalchemy as sa

from scimkit.stores.sql.database import Database, Work
from scimkit.stores.sql.tables import TOKENS
from scimkit.tokens import TokenRecord

_PATIENCE: Final = 10.0
"""Seconds that a look at a token may take."""
_INSTANTS: Final = ("created", "expires", "revoked")


def add_record(record: TokenRecord) -> Work[object]:
    return lambda connection: connection.execute(sa.insert(TOKENS).values(_row(record)))


def find_record(id: str) -> Work[TokenRecord | None]:
    def run(connection: sa.Connection) -> TokenRecord | None:
        row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == id)).mappings().first()
        return None if row is None else _record(row)

    return run


def list_records(tenant: str) -> Work[Sequence[TokenRecord]]:
    query = sa.select(TOKENS).where(TOKENS.c.tenant == tenant).order_by(TOKENS.c.created)
    return lambda connection: [_record(row) for row in connection.execute(query).mappings().all()]


def update_record(record: TokenRecord) -> Work[object]:
    changed = sa.update(TOKENS).where(TOKENS.c.id == record.id).values(_row(record))
    return lambda connection: connection.execute(changed)


class SqlTokenStore:
    """A `TokenStore` on the engine of a `SqlStore`, which makes its table."""

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


def soon() -> float:
    """Return the deadline of a request for a token, which has no scope that says one."""
    return monotonic() + _PATIENCE


def _row(record: TokenRecord) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(record).items()
    }


def _record(row: Any) -> TokenRecord:
    values = dict(row)
    values |= {name: datetime.fromisoformat(values[name]) for name in _INSTANTS if values[name] is not None}
    return TokenRecord(**{**values, "hash": bytes(values["hash"])})
