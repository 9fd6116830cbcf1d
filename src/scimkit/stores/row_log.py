"""`RowLog`: a `SyncProvisioningLog` over rows. A subclass runs functions of `LogRows` in transactions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from scimkit.provisioning import Cycle, LogEntry, LogPage, LogQuery
from scimkit.stores import log_operations
from scimkit.stores.log_rows import LogRows

Result = TypeVar("Result")


class RowLog(ABC):
    """A `SyncProvisioningLog` over rows of a database."""

    is_async: Literal[False] = False

    @abstractmethod
    def _read(self, work: Callable[[LogRows], Result]) -> Result:
        """Return the result of work that only reads."""

    @abstractmethod
    def _write(self, work: Callable[[LogRows], Result]) -> Result:
        """Return the result of work in a transaction."""

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
        steps = log_operations.forget(tenant, resource_id)
        try:
            step = next(steps)
            while True:
                step = steps.send(self._write(step))
        except StopIteration as end:
            return int(end.value)

    def purge(self, older_than: datetime) -> int:
        return self._write(lambda rows: log_operations.purge(rows, older_than))
