"""`MemoryProvisioningLog`: the provisioning log of a `MemoryStore`. Its entries are lost with the process."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from threading import RLock
from typing import Literal

from scimkit.provisioning import CYCLE_GAP, Cycle, LogEntry, LogPage, LogQuery
from scimkit.provisioning.entries import Action, LogResult
from scimkit.provisioning.log import PURGED_AT_ONCE
from scimkit.provisioning.serialization import forgotten
from scimkit.uuid7 import first_id_at, new_uuid7


@dataclass(slots=True)
class _Cycle:
    """The activity of a token without a pause of `CYCLE_GAP`."""

    id: str
    tenant: str
    token_id: str
    start: datetime
    end: datetime
    reads: int = 0


class MemoryProvisioningLog:
    """A `SyncProvisioningLog` in memory, for tests and demonstrations. It has no indexes.

    Args:
        lock: The lock of the store, which holds it during a transaction. By default the log has a lock of its own.
        most: The largest number of entries. The oldest entries are dropped.
    """

    is_async: Literal[False] = False
    blocking = False

    def __init__(self, lock: AbstractContextManager[object] | None = None, most: int = 100_000) -> None:
        self._lock = lock or RLock()
        self._most = most
        self._ids: list[str] = []
        self._entries: dict[str, LogEntry] = {}
        self._cycles: list[_Cycle] = []

    def add(self, entries: Sequence[LogEntry]) -> None:
        with self._lock:
            for each in entries:
                if each.id not in self._entries:
                    self._entries[each.id] = each
                    insort(self._ids, each.id)
            if len(self._ids) > self._most:
                self._remove(self._ids[: len(self._ids) - self._most])

    def remove(self, entries: Sequence[LogEntry]) -> None:
        """Remove the entries of a transaction that is undone."""
        with self._lock:
            self._remove([each.id for each in entries])

    def note_activity(self, tenant: str, token_id: str, at: datetime, reads: int) -> str:
        with self._lock:
            last = next(self._cycles_of(tenant, token_id), None)
            if last is None or at - last.end >= CYCLE_GAP:
                last = _Cycle(new_uuid7(), tenant, token_id, at, at)
                self._cycles.append(last)
            last.end = max(last.end, at)
            last.reads += reads
            return last.id

    def search(self, query: LogQuery) -> LogPage:
        with self._lock:
            found = list(islice(self._matches(query), query.limit + 1))
        page = found[: query.limit]
        return LogPage(page, page[-1].id if page and len(found) > len(page) else None)

    def find(self, tenant: str, id: str) -> LogEntry | None:
        found = self._entries.get(id)
        return found if found is not None and found.tenant == tenant else None

    def cycles(
        self, tenant: str, token_id: str | None = None, *, before: datetime | None = None, limit: int = 20
    ) -> Sequence[Cycle]:
        with self._lock:
            found = [each for each in self._cycles_of(tenant, token_id) if before is None or each.start < before]
            found.sort(key=lambda each: each.start, reverse=True)
            return [self._summary(each) for each in found[:limit]]

    def cycle(self, tenant: str, id: str) -> Cycle | None:
        with self._lock:
            return next((self._summary(each) for each in self._cycles_of(tenant, None) if each.id == id), None)

    def forget(self, tenant: str, resource_id: str) -> int:
        with self._lock:
            own = [each for each in self._entries.values() if each.tenant == tenant and each.resource_id == resource_id]
            names = {each.label.casefold() for each in own if each.label is not None}
            external = {each.external_id for each in own if each.external_id is not None}
            known = [each for each in own if not each.is_forgotten]
            known += [
                each for each in self._entries.values()
                if each.tenant == tenant and not each.resource_id
                and ((each.label or "").casefold() in names or each.external_id in external)
            ]  # fmt: skip
            for each in known:
                self._entries[each.id] = forgotten(each)
            return len(known)

    def purge(self, older_than: datetime) -> int:
        with self._lock:
            old = self._ids[: bisect_left(self._ids, first_id_at(older_than))][:PURGED_AT_ONCE]
            self._remove(old)
            self._cycles = [each for each in self._cycles if each.end >= older_than]
            return len(old)

    def _remove(self, ids: Sequence[str]) -> None:
        for each in ids:
            if self._entries.pop(each, None) is not None:
                del self._ids[bisect_left(self._ids, each)]

    def _cycles_of(self, tenant: str, token_id: str | None) -> Iterator[_Cycle]:
        """Yield the cycles of a tenant or token, the newest first."""
        return (each for each in reversed(self._cycles) if each.tenant == tenant and token_id in (None, each.token_id))

    def _matches(self, query: LogQuery) -> Iterator[LogEntry]:
        until = [] if query.until is None else [first_id_at(query.until)]
        until += [] if query.cursor is None else [query.cursor]
        end = bisect_left(self._ids, min(until)) if until else len(self._ids)
        start = 0 if query.since is None else bisect_left(self._ids, first_id_at(query.since))
        for id in reversed(self._ids[start:end]):
            if _is_match(query, self._entries[id]):
                yield self._entries[id]

    def _summary(self, cycle: _Cycle) -> Cycle:
        counts: Counter[tuple[Action, LogResult]] = Counter()
        errors: Counter[str] = Counter()
        for each in self._entries.values():
            if each.cycle_id == cycle.id and each.tenant == cycle.tenant:
                counts[each.action, each.result] += 1
                if each.result == "Failure":
                    errors[each.error_code] += 1
        return Cycle(
            id=cycle.id, tenant=cycle.tenant, token_id=cycle.token_id, start=cycle.start, end=cycle.end,
            reads=cycle.reads, counts=counts, errors=errors,
        )  # fmt: skip


def _is_match(query: LogQuery, entry: LogEntry) -> bool:
    """Report whether an entry meets the conditions of a query, besides those of time."""
    label = (entry.label or "").casefold()
    return (
        entry.tenant == query.tenant
        and query.resource_id in (None, entry.resource_id)
        and query.external_id in (None, entry.external_id)
        and (query.label_prefix is None or (bool(label) and label.startswith(query.label_prefix.casefold())))
        and query.result in (None, entry.result)
        and query.action in (None, entry.action)
        and query.token_id in (None, entry.token_id)
        and query.cycle_id in (None, entry.cycle_id)
        and (query.person is None or _names_person(query.person, entry, label))
    )


def _names_person(person: str, entry: LogEntry, label: str) -> bool:
    return person in (entry.resource_id, entry.external_id) or (bool(label) and label.startswith(person.casefold()))
