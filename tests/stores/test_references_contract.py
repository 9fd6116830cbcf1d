"""Stores that hold references keep their contract."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import MemoryStore
from scimkit.testing.contract import ReferencesContract
from tests.stores.databases import DATABASES, apart, apart_async


class TestMemoryReferences(ReferencesContract):
    """References in the memory store."""

    def make_store(self) -> MemoryStore:
        return MemoryStore()


class TestSqlReferences(ReferencesContract):
    """References in the SQL store on every database."""

    database: str

    @pytest.fixture(autouse=True, params=DATABASES)
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.database = request.param

    def make_store(self) -> Any:
        return apart(self.database)


class TestAsyncSqlReferences(TestSqlReferences):
    """References in the async SQL store on every database."""

    def make_store(self) -> Any:
        return apart_async(self.database)

    async def close(self, store: Any) -> None:
        await store.engine.dispose()
