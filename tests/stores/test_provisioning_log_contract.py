"""Every provisioning log keeps the contract."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from scimkit import MemoryStore
from scimkit.stores.sql.tables import LOG
from scimkit.stores.sqlalchemy import MappedStore
from scimkit.testing.contract import ProvisioningLogContract
from tests.stores.databases import DATABASES
from tests.stores.logs import OWN_TABLES, any_mapped, async_sql_store, empty, own_log_engine, sql_store


class TestMemoryLog(ProvisioningLogContract):
    """The log of the memory store."""

    examples = 60

    def make_store(self) -> MemoryStore:
        return MemoryStore(provisioning_log=True)


class OnDatabases(ProvisioningLogContract):
    """The contract on each database."""

    examples = 8
    database: str

    @pytest.fixture(autouse=True, params=DATABASES)
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.database = request.param

    def raw_rows(self, store: Any) -> Iterable[bytes]:
        tables = OWN_TABLES if "Mapped" in type(self).__name__ else LOG
        with own_log_engine(self.database).connect() as connection:
            for row in connection.execute(sa.select(tables.entries)):
                yield b"\n".join(each if isinstance(each, bytes) else str(each).encode() for each in row)


class TestSqlLog(OnDatabases):
    """The log of the SQL store."""

    examples = 20

    def make_store(self) -> Any:
        return sql_store(self.database)


class TestAsyncSqlLog(OnDatabases):
    """The log of the awaited SQL store."""

    def make_store(self) -> Any:
        return async_sql_store(self.database)

    async def close(self, store: Any) -> None:
        await store.engine.dispose()


class TestMappedLog(OnDatabases):
    """The log in tables of the application's own metadata."""

    def make_store(self) -> Any:
        engine = own_log_engine(self.database)
        empty(engine, OWN_TABLES)
        return any_mapped(orm.sessionmaker(engine), MappedStore)


class TestAsyncMappedLog(OnDatabases):
    """The same, awaited."""

    def make_store(self) -> Any:
        from sqlalchemy.ext.asyncio import async_sessionmaker

        from scimkit.stores.sql.async_store import async_engine
        from scimkit.stores.sqlalchemy import AsyncMappedStore

        own = own_log_engine(self.database)
        empty(own, OWN_TABLES)
        url = own.url.render_as_string(hide_password=False)
        return any_mapped(async_sessionmaker(async_engine(url)), AsyncMappedStore)

    async def close(self, store: Any) -> None:
        await store.engine.dispose()
