"""`AsyncSqlOutbox`: the outbox of an async store in a SQL database. The statements are in `outbox_statements`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

import sqlalchemy as sa

from scimkit.events.outbox import OutboxBacklog, OutboxEntry, OutboxStatus
from scimkit.stores.sql import outbox_statements as statements
from scimkit.stores.sql.database import Result, Work
from scimkit.stores.sql.timeouts import soon


class AsyncRunner(Protocol):
    """Runs functions of a connection in transactions, such as `scimkit.stores.sql.async_store.AsyncDatabase`."""

    async def read(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Return the result of work that only reads."""
        ...

    async def write(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Return the result of work in a transaction."""
        ...


class AsyncSqlOutbox:
    """An `Outbox` in a table. A store makes it: `AsyncSqlStore(url, outbox=True).outbox`.

    Args:
        database: Runs the statements in transactions of their own.
        table: The table, from `outbox_table`.
    """

    is_async: Literal[True] = True

    def __init__(self, database: AsyncRunner, table: sa.Table) -> None:
        self.table = table
        self._database = database

    async def claim(self, count: int, lease: float) -> Sequence[OutboxEntry]:
        found = await self._database.read(statements.candidates(self.table, count), soon())
        if not found:
            return []
        return await self._database.write(statements.claim(self.table, found, count, lease), soon())

    async def succeed(self, entry: OutboxEntry) -> bool:
        return await self._database.write(statements.finish(self.table, entry, "delivered"), soon())

    async def fail(self, entry: OutboxEntry, error: str, delay: float) -> bool:
        return await self._database.write(statements.fail(self.table, entry, error, delay), soon())

    async def dead_letter(self, entry: OutboxEntry, error: str) -> bool:
        return await self._database.write(statements.finish(self.table, entry, "dead", error), soon())

    async def release(self, entries: Sequence[OutboxEntry]) -> None:
        await self._database.write(statements.release(self.table, entries), soon())

    async def replay(self, event_id: str) -> bool:
        return await self._database.write(statements.replay(self.table, event_id), soon())

    async def backlog(self) -> OutboxBacklog:
        return await self._database.read(statements.backlog(self.table), soon())

    async def purge(self, older_than: datetime, *, dead_letters: bool = False) -> int:
        work = statements.purge(self.table, older_than, dead_letters=dead_letters)
        total = 0
        while True:
            deleted = await self._database.write(work, soon())
            total += deleted
            if deleted < statements.PURGED_AT_ONCE:
                return total

    async def list(self, status: OutboxStatus | None = None, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        return await self._database.read(statements.entries(self.table, status, after, limit), soon())
