"""Every poll queue of ours keeps the contract."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit.stores.memory_poll_queue import MemoryPollQueue
from scimkit.stores.sql import SqlPollQueue
from scimkit.testing.contract import PollQueueContract
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
