"""Token records in the SQL store's database, so that tokens outlive the process.

This module never sees a secret, only its hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from scimkit.stores.sql import METADATA, translated
from scimkit.tokens import TokenRecord

TOKENS: Final = sa.Table(
    "scim_token", METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("tenant", sa.String(255), nullable=False, index=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.DateTime, nullable=False),
    sa.Column("expires", sa.DateTime),
    sa.Column("revoked", sa.DateTime),
    sa.Column("dialect", sa.String(64)),
)  # fmt: skip
"""One row a token; instants in UTC."""


class SqlTokenStore:
    """A `TokenStore` on the engine of a `SqlStore`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        with translated():
            METADATA.create_all(engine)

    def add(self, record: TokenRecord) -> None:
        with translated(), self._engine.begin() as connection:
            connection.execute(sa.insert(TOKENS).values(_row(record)))

    def find(self, id: str) -> TokenRecord | None:
        with translated(), self._engine.connect().execution_options(scimkit_writes=False) as connection:
            row = connection.execute(sa.select(TOKENS).where(TOKENS.c.id == id)).mappings().first()
            return None if row is None else _record(row)

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        with translated(), self._engine.connect().execution_options(scimkit_writes=False) as connection:
            rows = connection.execute(sa.select(TOKENS).where(TOKENS.c.tenant == tenant).order_by(TOKENS.c.created))
            return [_record(row) for row in rows.mappings()]

    def update(self, record: TokenRecord) -> None:
        with translated(), self._engine.begin() as connection:
            connection.execute(sa.update(TOKENS).where(TOKENS.c.id == record.id).values(_row(record)))


def _row(record: TokenRecord) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in asdict(record).items()
    }


def _record(row: Any) -> TokenRecord:
    values: dict[str, Any] = {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value for name, value in row.items()
    }
    return TokenRecord(**values)
