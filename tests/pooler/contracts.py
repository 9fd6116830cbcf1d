"""The contracts of the stores, with every engine, through PgBouncer in transaction mode.

`python -m tests.pooler` runs them. The suite runs the tests of `test_pooler.py` instead, which take less time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from scimkit import GROUP, USER
from scimkit.stores.sql import (
    AsyncSqlBreakerStore,
    AsyncSqlStore,
    AsyncSqlTokenStore,
    SqlBreakerStore,
    SqlStore,
    SqlTokenStore,
)
from scimkit.stores.sql.tables import LOG, OUTBOX
from scimkit.stores.sqlalchemy import AsyncMappedStore, MappedStore
from scimkit.testing.breaker_contract import BreakerStoreContract
from scimkit.testing.contract import OutboxContract, ProvisioningLogContract, StoreContract
from scimkit.testing.token_contract import TokenStoreContract
from tests.pooler.bouncer import MISSING, PGBOUNCER, leftovers
from tests.pooler.engines import ENGINES
from tests.resource_types import DEVICE
from tests.stores import logs, outboxes
from tests.stores.databases import MARKS, Apart, store_of, url_of
from tests.stores.mapped import test_contract as mapped_contract
from tests.stores.mapped.helpdesk import AGENTS, PLAIN_AGENTS, PLAIN_TEAMS, TEAMS, sessions_of

pytestmark = [*MARKS["postgresql"], pytest.mark.skipif(PGBOUNCER is None, reason=MISSING)]


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Check that no client of the module left a setting or a prepared statement in a shared session."""
    store_of("postgresql")
    yield
    # asyncpg changes this setting while it reads the types of the server.
    found = [each for each in leftovers(url_of("pooler")) if not each.startswith("jit = ") and "'jit'" not in each]
    assert found == []


class Pooled:
    """A test class that runs with several engines."""

    engine: Any

    def use(self, name: str) -> None:
        """Use an engine, and create all tables."""
        logs.own_log_engine("postgresql")
        sessions_of("postgresql")
        self.engine = ENGINES[name](url_of("pooler"))

    @property
    def is_async(self) -> bool:
        """True if the engine is async."""
        return isinstance(self.engine, AsyncEngine)

    async def _dispose(self) -> None:
        await self.engine.dispose()

    def close(self, store: Any) -> Any:
        """Close the connections of an async engine, which belong to the loop of one test."""
        return self._dispose() if self.is_async else None


class OnTablesOfScimkit(Pooled):
    """A test class for the stores with tables of scimkit."""

    @pytest.fixture(autouse=True, params=["scimkit", "scimkit-async", "psycopg", "asyncpg"])
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.use(request.param)

    def new_store(self, **options: Any) -> Any:
        """Return a SQL store."""
        return (AsyncSqlStore if self.is_async else SqlStore)(self.engine, **options)


class OnModels(Pooled):
    """A test class for the stores over models of the application."""

    @pytest.fixture(autouse=True, params=["psycopg", "psycopg-async", "asyncpg"])
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.use(request.param)

    def new_store(self, make: Any = None) -> Any:
        """Return a store over the models of the helpdesk."""
        kind = AsyncMappedStore if self.is_async else MappedStore
        source = async_sessionmaker(self.engine) if self.is_async else orm.sessionmaker(self.engine)
        return make(source, kind) if make else kind(source, (AGENTS, TEAMS))


class TestStores(OnTablesOfScimkit, StoreContract):
    """The store contract for `SqlStore` and `AsyncSqlStore`."""

    resource_types = (USER, GROUP, DEVICE)
    examples = 4
    histories = 2

    def make_store(self) -> Any:
        return Apart(self.new_store())


class TestMapped(OnModels, mapped_contract.TestMappedStore):
    """The store contract for `MappedStore` and `AsyncMappedStore`."""

    examples = 2
    histories = 1

    def make_store(self) -> Any:
        return Apart(self.new_store())


class TestMappedWithoutInstances(TestMapped):
    """The store contract for models that need no instances."""

    @pytest.fixture(autouse=True, params=["psycopg", "asyncpg"])
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.use(request.param)

    def new_store(self, make: Any = None) -> Any:
        return super().new_store(lambda source, kind: kind(source, (PLAIN_AGENTS, PLAIN_TEAMS)))


class TestTokens(OnTablesOfScimkit, TokenStoreContract):
    """The contract of the token stores."""

    def make_store(self) -> Any:
        return (AsyncSqlTokenStore if self.is_async else SqlTokenStore)(self.engine)


class LogOfTables(ProvisioningLogContract):
    """The contract of the provisioning log in some tables."""

    examples = 4
    tables: Any

    def empty(self) -> None:
        """Delete all rows of the log."""
        logs.empty(store_of("postgresql").engine, self.tables)

    def raw_rows(self, store: Any) -> Iterable[bytes]:
        with store_of("postgresql").engine.connect() as connection:
            for row in connection.execute(sa.select(self.tables.entries)):
                yield b"\n".join(each if isinstance(each, bytes) else str(each).encode() for each in row)


class TestLog(OnTablesOfScimkit, LogOfTables):
    """The contract of the provisioning log of the SQL stores."""

    tables = LOG

    def make_store(self) -> Any:
        self.empty()
        return self.new_store(provisioning_log=True)


class TestMappedLog(OnModels, LogOfTables):
    """The contract of the provisioning log in tables of the application."""

    tables = logs.OWN_TABLES

    def make_store(self) -> Any:
        self.empty()
        return self.new_store(logs.any_mapped)


class TestOutbox(OnTablesOfScimkit, OutboxContract):
    """The contract of the outbox of the SQL stores."""

    examples = 4

    def make_store(self) -> Any:
        outboxes.empty(store_of("postgresql").engine, OUTBOX)
        return self.new_store(outbox=True)


class TestMappedOutbox(OnModels, OutboxContract):
    """The contract of the outbox in a table of the application."""

    examples = 4

    def make_store(self) -> Any:
        outboxes.empty(store_of("postgresql").engine, outboxes.OWN_TABLE)
        return self.new_store(outboxes.any_mapped)


class TestBreaker(OnTablesOfScimkit, BreakerStoreContract):
    """The contract of the breaker of the SQL stores."""

    def make_stores(self) -> Any:
        store = self.new_store()
        return store, store.breaker_store()


class TestMappedBreaker(OnModels, BreakerStoreContract):
    """The contract of the breaker of the stores over models of the application."""

    def make_stores(self) -> Any:
        return self.new_store(), (AsyncSqlBreakerStore if self.is_async else SqlBreakerStore)(self.engine)
