"""Every outbox keeps the contract."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import orm

from scimkit import MemoryStore
from scimkit.stores.sqlalchemy import MappedStore
from scimkit.testing.contract import OutboxContract
from tests.stores.databases import DATABASES
from tests.stores.outboxes import OWN_TABLE, any_mapped, async_sql_store, empty, own_engine, sql_store


class TestMemoryOutbox(OutboxContract):
    """The outbox of the memory store."""

    examples = 60

    def make_store(self) -> MemoryStore:
        return MemoryStore(outbox=True)


class OnDatabases(OutboxContract):
    """The contract on each database."""

    examples = 8
    database: str

    @pytest.fixture(autouse=True, params=DATABASES)
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.database = request.param


class TestSqlOutbox(OnDatabases):
    """The outbox of the SQL store."""

    examples = 25

    def make_store(self) -> Any:
        return sql_store(self.database)


class TestAsyncSqlOutbox(OnDatabases):
    """The outbox of the awaited SQL store."""

    def make_store(self) -> Any:
        return async_sql_store(self.database)

    async def close(self, store: Any) -> None:
        await store.engine.dispose()


class TestMappedOutbox(OnDatabases):
    """The outbox in a table of the application's own metadata."""

    def make_store(self) -> Any:
        engine = own_engine(self.database)
        empty(engine, OWN_TABLE)
        return any_mapped(orm.sessionmaker(engine), MappedStore)


class TestAsyncMappedOutbox(OnDatabases):
    """The same, awaited."""

    def make_store(self) -> Any:
        from sqlalchemy.ext.asyncio import async_sessionmaker

        from scimkit.stores.sql.async_store import async_engine
        from scimkit.stores.sqlalchemy import AsyncMappedStore

        own = own_engine(self.database)
        empty(own, OWN_TABLE)
        url = own.url.render_as_string(hide_password=False)
        return any_mapped(async_sessionmaker(async_engine(url)), AsyncMappedStore)

    async def close(self, store: Any) -> None:
        await store.engine.dispose()
