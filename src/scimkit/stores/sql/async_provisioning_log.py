"""`AsyncSqlProvisioningLog`: the provisioning log of an async store. The statements are in `log_statements`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

from scimkit.provisioning import Cycle, LogEntry, LogPage, LogQuery
from scimkit.stores import log_operations
from scimkit.stores.log_rows import LogRows
from scimkit.stores.sql.async_outbox import AsyncRunner
from scimkit.stores.sql.database import Result
from scimkit.stores.sql.log_statements import on_rows
from scimkit.stores.sql.log_tables import LogTables
from scimkit.stores.sql.timeouts import soon


class AsyncSqlProvisioningLog:
    """A `ProvisioningLog` in two tables. A store makes it: `AsyncSqlStore(url, provisioning_log=True)`.

    Args:
        database: Runs the statements in transactions of their own.
        tables: The tables, from `provisioning_log_tables`.
    """

    is_async: Literal[True] = True

    def __init__(self, database: AsyncRunner, tables: LogTables) -> None:
        self.tables: LogTables = tables
        self._database = database

    async def add(self, entries: Sequence[LogEntry]) -> None:
        await self._write(lambda rows: rows.insert(entries))

    async def note_activity(self, tenant: str, token_id: str, at: datetime, reads: int) -> str:
        return await self._write(lambda rows: log_operations.note_activity(rows, tenant, token_id, at, reads))

    async def search(self, query: LogQuery) -> LogPage:
        return await self._read(lambda rows: log_operations.search(rows, query))

    async def find(self, tenant: str, id: str) -> LogEntry | None:
        return await self._read(lambda rows: log_operations.find(rows, tenant, id))

    async def cycles(
        self, tenant: str, token_id: str | None = None, *, before: datetime | None = None, limit: int = 20
    ) -> Sequence[Cycle]:
        return await self._read(lambda rows: log_operations.cycles(rows, tenant, token_id, before, limit))

    async def cycle(self, tenant: str, id: str) -> Cycle | None:
        return await self._read(lambda rows: log_operations.cycle(rows, tenant, id))

    async def forget(self, tenant: str, resource_id: str) -> int:
        steps = log_operations.forget(tenant, resource_id)
        try:
            step = next(steps)
            while True:
                step = steps.send(await self._write(step))
        except StopIteration as end:
            return int(end.value)

    async def purge(self, older_than: datetime) -> int:
        return await self._write(lambda rows: log_operations.purge(rows, older_than))

    async def _read(self, work: Callable[[LogRows], Result]) -> Result:
        return await self._database.read(on_rows(self.tables, work), soon())

    async def _write(self, work: Callable[[LogRows], Result]) -> Result:
        return await self._database.write(on_rows(self.tables, work), soon())
