"""Asynchronous storage of token records in the database of the SQL store.

This module never sees a token, only the hash of the token.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from scimkit.stores.sql.async_store import AsyncDatabase
from scimkit.stores.sql.timeouts import soon
from scimkit.stores.sql.tokens import add_record, find_record, list_records, update_record
from scimkit.tokens import TokenRecord


class AsyncSqlTokenStore:
    """An `AsyncTokenStore` that uses the engine and the tables of an `AsyncSqlStore`.

    Args:
        engine: The engine of the `AsyncSqlStore`, which creates the table of tokens.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._database = AsyncDatabase(engine)

    async def add(self, record: TokenRecord) -> None:
        await self._database.write(add_record(record), soon())

    async def find(self, id: str) -> TokenRecord | None:
        return await self._database.read(find_record(id), soon())

    async def list(self, tenant: str) -> Sequence[TokenRecord]:
        return await self._database.read(list_records(tenant), soon())

    async def update(self, record: TokenRecord) -> None:
        await self._database.write(update_record(record), soon())
