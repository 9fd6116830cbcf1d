"""Asynchronous storage of OAuth clients in a table of a SQL database. This module never sees a secret."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from scimkit.stores.sql.async_store import AsyncDatabase
from scimkit.stores.sql.clients import ClientStatements
from scimkit.stores.sql.tables import CLIENTS
from scimkit.stores.sql.timeouts import soon
from scimkit.tokens import Client


class AsyncSqlClientStore:
    """An `AsyncClientStore` in a SQL database, for an `AsyncSqlStore` or for tables of an application.

    Args:
        engine: The engine of the database.
        table: The table that `client_table` added to the metadata of an application. The default is the table that the
            migrations of `AsyncSqlStore` create.
    """

    def __init__(self, engine: AsyncEngine, table: sa.Table = CLIENTS) -> None:
        self._database = AsyncDatabase(engine)
        self._statements = ClientStatements(table)

    async def add(self, client: Client) -> None:
        await self._database.write(self._statements.add(client), soon())

    async def find(self, id: str) -> Client | None:
        return await self._database.read(self._statements.find(id), soon())

    async def list(self, tenant: str) -> Sequence[Client]:
        return await self._database.read(self._statements.list(tenant), soon())

    async def update(self, old: Client, new: Client) -> bool:
        return await self._database.write(self._statements.update(old, new), soon())
