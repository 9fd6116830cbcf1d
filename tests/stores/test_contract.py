"""The stores of scimkit pass the store contract."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import GROUP, USER, MemoryStore
from scimkit.schema.agents import AGENT
from scimkit.testing.contract import StoreContract
from scimkit.testing.model import ModelStore
from tests.resource_types import DEVICE
from tests.stores.databases import DATABASES, apart, apart_async


class TestMemoryStore(StoreContract):
    """The store contract for the memory store, compared with a simple model."""

    resource_types = (USER, GROUP, DEVICE, AGENT)
    examples = 25
    histories = 6

    def make_store(self) -> MemoryStore:
        return MemoryStore()

    def other_store(self) -> ModelStore:
        return ModelStore()


class TestRejectingMemoryStore(StoreContract):
    """The store contract for the memory store with `unknown_members="reject"`."""

    examples = histories = 5

    def make_store(self) -> MemoryStore:
        return MemoryStore(unknown_members="reject")

    def other_store(self) -> ModelStore:
        return ModelStore(unknown_members="reject")


class TestSqlStore(StoreContract):
    """The store contract for the SQL store on every database."""

    resource_types = (USER, GROUP, DEVICE)
    examples = 12
    histories = 4
    database: str

    @pytest.fixture(autouse=True, params=DATABASES)
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.database = request.param

    def make_store(self) -> Any:
        return apart(self.database)


class TestAsyncSqlStore(TestSqlStore):
    """The store contract for the async SQL store on every database."""

    examples = 4  # the sync store runs the same statements
    histories = 1

    def make_store(self) -> Any:
        return apart_async(self.database)

    async def close(self, store: Any) -> None:
        await store.engine.dispose()
