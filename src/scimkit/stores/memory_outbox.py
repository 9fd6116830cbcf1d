"""`MemoryOutbox`: the outbox of a `MemoryStore`. It never does I/O, and its entries are lost with the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Literal
from uuid import uuid4

from scimkit.events.outbox import (
    MAX_COUNTED,
    OutboxBacklog,
    OutboxEntry,
    OutboxStatus,
    backlog_of,
    entry_of,
    error_text,
    milliseconds,
    new_row,
)
from scimkit.events.resource_events import ResourceEvent
from scimkit.uuid7 import to_milliseconds


@dataclass(slots=True)
class MemoryOutbox:
    """A `SyncOutbox` in memory, for tests and demonstrations. A store makes it: `MemoryStore(outbox=True).outbox`."""

    lock: AbstractContextManager[object] = field(repr=False)
    """The lock of the store. The store holds it during a transaction."""
    _rows: dict[int, dict[str, Any]] = field(default_factory=dict, repr=False)
    _last: int = 0

    is_async: Literal[False] = field(default=False, init=False)

    def add(self, events: Sequence[ResourceEvent]) -> list[int]:
        """Add events and return their sequences. The caller holds the lock."""
        added = []
        for event in events:
            self._last += 1
            added.append(self._last)
            self._rows[self._last] = {**new_row(event), "sequence": self._last, "claim": None, "finished": None}
        return added

    def remove(self, sequences: Sequence[int]) -> None:
        """Remove the entries of a transaction that is undone. The caller holds the lock."""
        for each in sequences:
            del self._rows[each]

    def claim(self, count: int, lease: float) -> Sequence[OutboxEntry]:
        with self.lock:
            now, token = milliseconds(), uuid4().hex
            chosen = list(islice(self._free(now), count))
            for row in chosen:
                row.update(claim=token, due=now + int(lease * 1000))
            return [entry_of(row) for row in chosen]

    def succeed(self, entry: OutboxEntry) -> bool:
        return self._finish(entry, status="delivered")

    def fail(self, entry: OutboxEntry, error: str, delay: float) -> bool:
        with self.lock:
            row = self._claimed(entry)
            if row is None:
                return False
            due = milliseconds() + int(delay * 1000)
            row.update(claim=None, due=due, attempts=row["attempts"] + 1, error=error_text(error))
            for each in self._pending(row["resource_key"]):
                each["due"] = max(due, each["due"])
            return True

    def dead_letter(self, entry: OutboxEntry, error: str) -> bool:
        return self._finish(entry, status="dead", attempts=entry.attempts + 1, error=error_text(error))

    def release(self, entries: Sequence[OutboxEntry]) -> None:
        with self.lock:
            for row in map(self._claimed, entries):
                if row is not None:
                    row.update(claim=None, due=milliseconds())

    def replay(self, event_id: str) -> bool:
        with self.lock:
            now = milliseconds()
            for row in self._rows.values():
                if row["event_id"] == event_id:
                    if row["claim"] is None or row["due"] <= now:
                        row.update(status="pending", finished=None, attempts=0, error="", claim=None)
                    for each in self._pending(row["resource_key"]):
                        if each["claim"] is None or each["due"] <= now:
                            each["due"] = now
                    return True
            return False

    def purge(self, older_than: datetime, *, dead_letters: bool = False) -> int:
        with self.lock:
            statuses = {"delivered", *(("dead",) if dead_letters else ())}
            before = to_milliseconds(older_than)
            gone = [key for key, row in self._rows.items() if row["status"] in statuses and row["finished"] < before]
            self.remove(gone)
            return len(gone)

    def list(self, status: OutboxStatus | None = None, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        with self.lock:
            found = (row for key, row in self._rows.items() if key > after and status in (None, row["status"]))
            return [entry_of(row) for row in islice(found, limit)]

    def backlog(self) -> OutboxBacklog:
        with self.lock:
            statuses = Counter(row["status"] for row in self._rows.values())
            oldest = next((row["created"] for row in self._rows.values() if row["status"] == "pending"), None)
            return backlog_of(min(statuses["pending"], MAX_COUNTED), min(statuses["dead"], MAX_COUNTED), oldest)

    def _free(self, now: int) -> Iterator[dict[str, Any]]:
        """Yield the rows that can be claimed."""
        waiting: set[str] = set()
        for row in self._rows.values():
            if row["status"] == "pending" and row["resource_key"] not in waiting:
                waiting.add(row["resource_key"])
                if row["due"] <= now:
                    yield row

    def _pending(self, resource_key: str) -> Iterator[dict[str, Any]]:
        return (r for r in self._rows.values() if r["resource_key"] == resource_key and r["status"] == "pending")

    def _claimed(self, entry: OutboxEntry) -> dict[str, Any] | None:
        row = self._rows.get(entry.sequence)
        if row is None or row["status"] != "pending" or entry.claim is None or row["claim"] != entry.claim:
            return None
        return row

    def _finish(self, entry: OutboxEntry, **values: Any) -> bool:
        with self.lock:
            row = self._claimed(entry)
            if row is None:
                return False
            row.update(values, finished=milliseconds(), claim=None)
            return True
