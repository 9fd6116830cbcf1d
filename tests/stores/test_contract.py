"""Every store of ours keeps the contract."""

from __future__ import annotations

from typing import Any

from scimkit import GROUP, USER, MemoryStore
from scimkit.testing.contract import StoreContract
from scimkit.testing.model import ModelStore
from tests.resource_types import DEVICE
from tests.stores.databases import MARKS, apart, apart_async


class TestMemoryStore(StoreContract):
    """The memory store, held to a slow model."""

    resource_types = (USER, GROUP, DEVICE)
    examples = 40
    lives = 30

    def make_store(self) -> MemoryStore:
        return MemoryStore()

    def other_store(self) -> ModelStore:
        return ModelStore()


class TestRejectingMemoryStore(StoreContract):
    """The memory store that refuses unknown members."""

    examples = lives = 5

    def make_store(self) -> MemoryStore:
        return MemoryStore(unknown_members="reject")

    def other_store(self) -> ModelStore:
        return ModelStore(unknown_members="reject")


class SqlContract(StoreContract):
    """The SQL store on a database."""

    resource_types = (USER, GROUP, DEVICE)
    examples = 12
    lives = 8
    database: str

    def make_store(self) -> Any:
        return apart(self.database)


class AsyncSqlContract(SqlContract):
    """The awaited SQL store on a database."""

    examples = 4  # the statements are those of the other colour
    lives = 1

    def make_store(self) -> Any:
        return apart_async(self.database)

    async def close(self, store: Any) -> None:
        await store.engine.dispose()


class TestSqlite(SqlContract):
    """SQLite."""

    database = "sqlite"
    pytestmark = MARKS["sqlite"]


class TestSqliteAwaited(AsyncSqlContract):
    """SQLite, awaited."""

    database = "sqlite"
    pytestmark = MARKS["sqlite"]


class TestPostgresql(SqlContract):
    """PostgreSQL."""

    database = "postgresql"
    pytestmark = MARKS["postgresql"]


class TestPostgresqlAwaited(AsyncSqlContract):
    """PostgreSQL, awaited."""

    database = "postgresql"
    pytestmark = MARKS["postgresql"]


class TestMysql(SqlContract):
    """MariaDB or MySQL."""

    database = "mysql"
    pytestmark = MARKS["mysql"]


class TestMysqlAwaited(AsyncSqlContract):
    """MariaDB or MySQL, awaited."""

    database = "mysql"
    pytestmark = MARKS["mysql"]
