"""Token records in the SQL store's database, so that tokens outlive the process.

This module never sees a secret, only its hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from scimkit.stores.sql.database import Database
from scimkit.stores.sql.tables import TOKENS
from scimkit.tokens import TokenRecord

_INSTANTS: Final = ("created", "expires", "revoked")


class SqlTokenStore:
    """A `TokenStore` on the engine of a `SqlStore`, which makes its table."""

    def __init__(self, engine: sa.Engine) -> None:
        self._database = Database(engine)

    def add(self, record: TokenRecord) -> None:
        self._database.write(lambda connection: connection.execute(sa.insert(TOKENS).values(_row(record))))

    def find(self, id: str) -> TokenRecord | None:
        query = sa.select(TOKENS).where(TOKENS.c.id == id)
        row = self._database.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else _record(row)

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        query = sa.select(TOKENS).where(TOKENS.c.tenant == tenant).order_by(TOKENS.c.created)
        rows = self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [_record(row) for row in rows]

    def update(self, record: TokenRecord) -> None:
        changed = sa.update(TOKENS).where(TOKENS.c.id == record.id).values(_row(record))
        self._database.write(lambda connection: connection.execute(changed))


def _row(record: TokenRecord) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(record).items()
    }


def _record(row: Any) -> TokenRecord:
    values = dict(row)
    values |= {name: datetime.fromisoformat(values[name]) for name in _INSTANTS if values[name] is not None}
    return TokenRecord(**{**values, "hash": bytes(values["hash"])})
