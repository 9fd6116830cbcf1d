"""`SqlProvisioningLog`: the provisioning log of a store in a SQL database. The statements are in `log_statements`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal

from scimkit.provisioning import Cycle, LogEntry, LogPage, LogQuery
from scimkit.stores import log_operations
from scimkit.stores.log_rows import LogRows
from scimkit.stores.sql.database import Result
from scimkit.stores.sql.log_statements import on_rows
from scimkit.stores.sql.log_tables import LogTables
from scimkit.stores.sql.outbox import Runner
from scimkit.stores.sql.timeouts import soon


class SqlProvisioningLog:
    """A `SyncProvisioningLog` in two tables. A store makes it: `SqlStore(url, provisioning_log=True).provisioning_log`.

    Args:
        database: Runs the statements in transactions of their own.
        tables: The tables, from `provisioning_log_tables`.
    """

    is_async: Literal[False] = False

    def __init__(self, database: Runner, tables: LogTables) -> None:
        self.tables: LogTables = tables
        self._database = database

    def add(self, entries: Sequence[LogEntry]) -> None:
        self._write(lambda rows: rows.insert(entries))

    def note_activity(self, tenant: str, token_id: str, at: datetime, reads: int) -> str:
        return self._write(lambda rows: log_operations.note_activity(rows, tenant, token_id, at, reads))

    def search(self, query: LogQuery) -> LogPage:
        return self._read(lambda rows: log_operations.search(rows, query))

    def find(self, tenant: str, id: str) -> LogEntry | None:
        return self._read(lambda rows: log_operations.find(rows, tenant, id))

    def cycles(
        self, tenant: str, token_id: str | None = None, *, before: datetime | None = None, limit: int = 20
    ) -> Sequence[Cycle]:
        return self._read(lambda rows: log_operations.cycles(rows, tenant, token_id, before, limit))

    def cycle(self, tenant: str, id: str) -> Cycle | None:
        return self._read(lambda rows: log_operations.cycle(rows, tenant, id))

    def forget(self, tenant: str, resource_id: str) -> int:
        return log_operations.run_steps(log_operations.forget(tenant, resource_id), self._write)

    def purge(self, older_than: datetime) -> int:
        return self._write(lambda rows: log_operations.purge(rows, older_than))

    def _read(self, work: Callable[[LogRows], Result]) -> Result:
        return self._database.read(on_rows(self.tables, work), soon())

    def _write(self, work: Callable[[LogRows], Any]) -> Any:
        return self._database.write(on_rows(self.tables, work), soon())
