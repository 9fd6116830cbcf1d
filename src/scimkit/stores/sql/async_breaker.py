"""The states of a breaker in a table of the database, awaited."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from scimkit.events import Transaction
from scimkit.stores.breaker import BreakerState, StateChange
from scimkit.stores.sql.async_store import AsyncDatabase
from scimkit.stores.sql.breaker import read_state, update_state
from scimkit.stores.sql.tables import BREAKERS
from scimkit.stores.sql.timeouts import soon


class AsyncSqlBreakerStore:
    """An `AsyncBreakerStore` in a SQL database, for an `AsyncSqlStore` or an `AsyncMappedStore`.

    Args:
        engine: The engine of the database.
        table: The table, as for `SqlBreakerStore`.
    """

    is_async: Literal[True] = True

    def __init__(self, engine: AsyncEngine, table: sa.Table = BREAKERS) -> None:
        self._database = AsyncDatabase(engine)
        self._table = table

    async def read(self, tenant: str) -> BreakerState:
        return await self._database.read(read_state(self._table, tenant), soon())

    async def update(self, tenant: str, change: StateChange, transaction: Transaction | None = None) -> BreakerState:
        work = update_state(self._table, tenant, change)
        if transaction is None:
            return await self._database.write(work, soon())
        session = getattr(transaction.store, "session", None)
        connection = transaction.connection if session is None else await session.connection()
        state: BreakerState = await connection.run_sync(work)
        return state
