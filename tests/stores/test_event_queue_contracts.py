"""Every queue of tokens and of accepted requests of ours keeps its contract."""

from __future__ import annotations

import os
from typing import Any

import pytest
import sqlalchemy as sa

from scimkit.stores.memory_poll_queue import MemoryPollQueue
from scimkit.stores.memory_request_queue import MemoryRequestQueue
from scimkit.stores.sql import SqlPollQueue, SqlRequestQueue, request_queue_table
from scimkit.testing.contract import PollQueueContract, RequestQueueContract
from tests.stores.databases import DATABASES, store_of


class TestMemoryPollQueue(PollQueueContract):
    """A queue in memory."""

    def make_queue(self) -> MemoryPollQueue:
        return MemoryPollQueue()


class TestSqlPollQueue(PollQueueContract):
    """A queue in a table."""

    examples = 6
    database: str

    @pytest.fixture(autouse=True, params=DATABASES)
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.database = request.param

    def make_queue(self) -> Any:
        return SqlPollQueue(store_of(self.database).engine)


class TestMemoryRequestQueue(RequestQueueContract):
    """Accepted requests in memory."""

    def make_queue(self) -> MemoryRequestQueue:
        return MemoryRequestQueue()


class TestSqlRequestQueue(RequestQueueContract):
    """Accepted requests in a table of the application."""

    database: str

    @pytest.fixture(autouse=True, params=DATABASES)
    def _on(self, request: pytest.FixtureRequest) -> None:
        self.database = request.param

    def make_queue(self) -> Any:
        engine, metadata = store_of(self.database).engine, sa.MetaData()
        self._table = request_queue_table(metadata, f"pending_{os.getpid()}")
        metadata.create_all(engine)
        return SqlRequestQueue(engine, self._table)

    def close(self, queue: Any) -> None:
        self._table.drop(store_of(self.database).engine)
