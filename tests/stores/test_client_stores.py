"""Every store of OAuth clients keeps the contract."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit.stores.sql import AsyncSqlClientStore, SqlClientStore
from scimkit.stores.sql.async_store import async_engine
from scimkit.testing.client_contract import ClientStoreContract
from scimkit.tokens import MemoryClientStore
from tests.stores.databases import DATABASES, store_of, url_of


class TestMemoryClientStore(ClientStoreContract):
    """Clients in memory."""

    def make_store(self) -> MemoryClientStore:
        return MemoryClientStore()


@pytest.mark.parametrize("database", DATABASES)
class OnDatabases(ClientStoreContract):
    """Clients in a database."""

    database: str

    @pytest.fixture(autouse=True)
    def _on(self, database: str) -> None:
        self.database = database


class TestSqlClientStore(OnDatabases):
    """Clients in the tables of `SqlStore`."""

    def make_store(self) -> Any:
        return SqlClientStore(store_of(self.database).engine)


class TestAsyncSqlClientStore(OnDatabases):
    """Clients in the tables of `AsyncSqlStore`."""

    engine: Any = None

    def make_store(self) -> Any:
        store_of(self.database)  # creates the tables
        self.engine = async_engine(url_of(self.database))
        return AsyncSqlClientStore(self.engine)

    async def close(self, store: Any) -> None:
        await self.engine.dispose()
