"""Every breaker store of ours keeps the contract."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import async_sessionmaker

from scimkit import MemoryStore
from scimkit.safeguards import MemoryBreakerStore
from scimkit.stores.sql import AsyncSqlBreakerStore, AsyncSqlStore, SqlBreakerStore, breaker_table
from scimkit.stores.sql.async_store import async_engine
from scimkit.stores.sqlalchemy import MappedStore
from scimkit.stores.sqlalchemy.async_store import AsyncMappedStore
from scimkit.testing.breaker_contract import BreakerStoreContract
from tests.stores.databases import DATABASES, store_of, url_of
from tests.stores.mapped.helpdesk import AGENTS, TEAMS, sessions_of

METADATA = sa.MetaData()
BREAKERS = breaker_table(METADATA)
"""The table as an application has it."""


class TestMemoryBreakerStore(BreakerStoreContract):
    """States in memory, with a memory store."""

    def make_stores(self) -> Any:
        return MemoryStore(), MemoryBreakerStore()


@pytest.mark.parametrize("database", DATABASES)
class OnDatabases(BreakerStoreContract):
    """States in a database."""

    database: str

    @pytest.fixture(autouse=True)
    def _on(self, database: str) -> None:
        self.database = database


class TestSqlBreakerStore(OnDatabases):
    """States in the tables of `SqlStore`."""

    def make_stores(self) -> Any:
        store = store_of(self.database)
        return store, store.breaker_store()


class TestAsyncSqlBreakerStore(OnDatabases):
    """The same, awaited."""

    def make_stores(self) -> Any:
        store_of(self.database)  # makes the tables
        store = AsyncSqlStore(url_of(self.database))
        return store, store.breaker_store()

    async def close(self, store: Any) -> None:
        await store.engine.dispose()


class TestMappedBreakerStore(OnDatabases):
    """States beside the tables of an application."""

    def make_stores(self) -> Any:
        sessions = sessions_of(self.database)
        store_of(self.database)
        return MappedStore(sessions, (AGENTS, TEAMS)), SqlBreakerStore(sessions.kw["bind"], BREAKERS)


class TestAsyncMappedBreakerStore(OnDatabases):
    """The same, awaited."""

    def make_stores(self) -> Any:
        sessions_of(self.database)
        store_of(self.database)
        engine = async_engine(url_of(self.database))
        return AsyncMappedStore(async_sessionmaker(engine), (AGENTS, TEAMS)), AsyncSqlBreakerStore(engine, BREAKERS)

    async def close(self, store: Any) -> None:
        await store.engine.dispose()
