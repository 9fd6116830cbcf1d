"""Asynchronous storage of token records in a table of a SQL database.

This module never sees a token, only the hash of the token.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from scimkit.stores.sql.async_store import AsyncDatabase
from scimkit.stores.sql.tables import TOKENS
from scimkit.stores.sql.timeouts import soon
from scimkit.stores.sql.token_access import TokenAccess
from scimkit.stores.sql.tokens import TokenStatements, row_of, very_soon
from scimkit.tokens import TokenRecord


class AsyncSqlTokenStore:
    """An `AsyncTokenStore` in a SQL database, for an `AsyncSqlStore` or for tables of an application.

    Args:
        engine: The engine of the database.
        table: The table that `token_table` added to the metadata of an application. The default is the table that the
            migrations of `AsyncSqlStore` create.
    """

    def __init__(self, engine: AsyncEngine, table: sa.Table = TOKENS) -> None:
        self._database = AsyncDatabase(engine)
        self._statements = TokenStatements(table)
        self.engine: AsyncEngine = engine
        """The engine of the database."""
        self.access: TokenAccess = TokenAccess(table, row_of)
        """The check of a token within a statement of a store on the same engine."""

    async def add(self, record: TokenRecord) -> None:
        await self._database.write(self._statements.add(record), soon())

    async def find(self, id: str) -> TokenRecord | None:
        return await self._database.read(self._statements.find(id), soon())

    async def list(self, tenant: str) -> Sequence[TokenRecord]:
        return await self._database.read(self._statements.list(tenant), soon())

    async def update(self, old: TokenRecord, new: TokenRecord) -> bool:
        return await self._database.write(self._statements.update(old, new), soon())

    async def touch(self, id: str, instant: datetime) -> None:
        await self._database.write(self._statements.touch(id, instant), very_soon())

    async def remove_expired(self, tenant: str, created_by: str, before: datetime) -> None:
        """Delete the records of a tenant with this `created_by` that expired before a time."""
        await self._database.write(self._statements.remove_expired(tenant, created_by, before), soon())
