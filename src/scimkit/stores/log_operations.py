"""The methods of a provisioning log as functions over `LogRows`, shared by all stores with a database.

This module never begins or ends a transaction.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from operator import methodcaller
from typing import Any, Final, TypeAlias, TypeVar, cast

from scimkit.provisioning import CYCLE_GAP, Cycle, LogEntry, LogPage, LogQuery
from scimkit.provisioning.entries import Action, LogResult
from scimkit.provisioning.log import PURGED_AT_ONCE
from scimkit.provisioning.serialization import KEY_LENGTH, forgotten, key_bytes, label_key
from scimkit.stores.log_rows import INDEXED, MOST_SORTED, Activity, LogRows, Minute, Scan
from scimkit.uuid7 import first_id_at, new_id_at, to_milliseconds

Result = TypeVar("Result")
Step: TypeAlias = Callable[[LogRows], Any]
"""A function that runs in a transaction of its own."""
Steps: TypeAlias = Generator[Step, Any, Result]
"""Steps of a method with several transactions. The caller sends the result of each step."""

_MINUTE: Final = 60_000
_ERASED_AT_ONCE: Final = 200
_ATTEMPTS: Final = 10


def search(rows: LogRows, query: LogQuery) -> LogPage:
    """Return one page of the entries that match."""
    found: dict[str, LogEntry] = {}
    for each, prefix in _scans(rows, query):
        found |= {entry.id: entry for entry in _matches(rows, each, prefix)}
    newest = sorted(found.values(), key=lambda entry: entry.id, reverse=True)
    page = newest[: query.limit]
    return LogPage(page, page[-1].id if page and len(newest) > len(page) else None)


def find(rows: LogRows, tenant: str, id: str) -> LogEntry | None:
    """Return the entry of a tenant with an id, or None."""
    found = rows.find(id)
    return found if found is not None and found.tenant == tenant else None


def note_activity(rows: LogRows, tenant: str, token_id: str, at: datetime, reads: int) -> str:
    """Note that a token was used, and return the id of the cycle.

    The statement that updates the row of the minute comes first, because it takes the lock of SQLite.
    """
    instant = to_milliseconds(at)
    key = Minute(key_bytes(tenant), key_bytes(token_id), instant // _MINUTE)
    for _ in range(_ATTEMPTS):
        cycle_id = rows.add_activity(key, instant, reads)
        if cycle_id is not None:
            return cycle_id
        last = rows.latest_activity(key)
        if last != rows.latest_activity(key):
            continue  # another transaction had the lock of the row, and added a newer one
        is_new = last is None or instant - last.last >= CYCLE_GAP.total_seconds() * 1000
        cycle_id = new_id_at(at) if last is None or is_new else last.cycle_id
        if rows.insert_activity(key, Activity(cycle_id, token_id, instant, instant, reads)):
            return cycle_id
    raise RuntimeError("The activity of a minute is neither there nor can it be inserted")


def cycles(rows: LogRows, tenant: str, token_id: str | None, before: datetime | None, limit: int) -> Sequence[Cycle]:
    """Return cycles, the one that began last first."""
    token = None if token_id is None else key_bytes(token_id)
    until = None if before is None else first_id_at(before).encode()
    return _summaries(rows, tenant, rows.activity_of_cycles(key_bytes(tenant), token, None, until, limit))


def cycle(rows: LogRows, tenant: str, id: str) -> Cycle | None:
    """Return the cycle of a tenant with an id, or None."""
    found = _summaries(rows, tenant, rows.activity_of_cycles(key_bytes(tenant), None, key_bytes(id), None, 1))
    return found[0] if found else None


def purge(rows: LogRows, older_than: datetime) -> int:
    """Delete some old entries and the activity of some old minutes, and return the number of deleted entries."""
    rows.delete_older_activity(to_milliseconds(older_than) // _MINUTE, PURGED_AT_ONCE)
    return rows.delete_older(first_id_at(older_than), PURGED_AT_ONCE)


def forget(tenant: str, resource_id: str) -> Steps[int]:
    """Erase the personal data about a resource, and return the number of entries that had some.

    Entries without a resource id are erased first. The entries with the id name them, also after an interruption.
    """
    own = Scan(tenant=key_bytes(tenant), equal=(("resource_id", key_bytes(resource_id)),), limit=_ERASED_AT_ONCE)
    externals: set[str] = set()
    labels: set[str] = set()
    scan: Scan | None = own
    while scan is not None:
        batch: Sequence[LogEntry] = yield methodcaller("entries", scan)
        externals |= {each.external_id for each in batch if each.external_id is not None}
        labels |= {each.label.casefold() for each in batch if each.label is not None}
        scan = _rest(scan, batch)
    count = 0
    nameless = ("resource_id", b"")
    for external in externals:
        same = replace(own, equal=(("external_id", key_bytes(external)), nameless))
        count += yield from _erase(same, partial(_has_external_id, external))
    for label in labels:
        same = replace(own, equal=(("label_key", label_key(label)), nameless))
        count += yield from _erase(same, partial(_has_label, label))
    count += yield from _erase(own, lambda entry: not entry.is_forgotten)
    return count


def _scans(rows: LogRows, query: LogQuery) -> Iterator[tuple[Scan, str | None]]:
    """Yield the scans whose entries, taken together, are those of a query, with the prefix to check in each entry."""
    until = [] if query.until is None else [first_id_at(query.until)]
    until += [] if query.cursor is None else [query.cursor]
    fields = [(name, getattr(query, name)) for name in INDEXED]
    equal = tuple((name, _column_value(name, value)) for name, value in fields if value is not None)
    if query.result == "Success":  # nearly every entry has this result, so any other index is better
        equal = tuple(sorted(equal, key=lambda each: each[0] == "result"))
    plain = Scan(
        tenant=key_bytes(query.tenant), equal=equal, limit=query.limit + 1, before=min(until, default=None),
        since=None if query.since is None else first_id_at(query.since),
    )  # fmt: skip
    if query.person is None:
        yield _with_label(rows, plain, query.label_prefix)
        return
    for name in ("resource_id", "external_id"):
        person = replace(plain, equal=((name, key_bytes(query.person)), *equal))
        yield _with_label(rows, person, query.label_prefix)
    folded = [each.casefold() for each in (query.person, query.label_prefix) if each is not None]
    longest = max(folded, key=len)
    if all(map(longest.startswith, folded)):  # otherwise no label begins with both
        yield _with_label(rows, plain, longest)


def _column_value(name: str, value: str) -> bytes | str:
    return value if name in ("action", "result") else key_bytes(value)


def _with_label(rows: LogRows, scan: Scan, prefix: str | None) -> tuple[Scan, str | None]:
    """Add a label prefix to a scan. Its index is used unless another one leads to few rows, or the prefix to many."""
    if prefix is None:
        return scan, None
    key = label_key(prefix)
    scan = replace(scan, labels=(key or b"\0", _successor(key)))
    if scan.index not in ("resource_id", "external_id", "cycle_id"):
        scan = replace(scan, by_label=bool(key) and rows.count_labels(scan) <= MOST_SORTED)
    return scan, prefix.casefold() if len(key) == KEY_LENGTH else None


def _successor(key: bytes) -> bytes | None:
    """Return the smallest key that sorts after all keys that begin with a key. No UTF-8 text has the byte 255."""
    return key[:-1] + bytes([key[-1] + 1]) if key else None


def _matches(rows: LogRows, scan: Scan, prefix: str | None) -> Sequence[LogEntry]:
    """Return the entries of a scan whose labels begin with a prefix that is longer than a key."""
    if prefix is None:
        return rows.entries(scan)
    found: list[LogEntry] = []
    rest: Scan | None = scan
    while rest is not None and len(found) < scan.limit:
        batch = rows.entries(rest)
        found += [each for each in batch if each.label is not None and each.label.casefold().startswith(prefix)]
        rest = _rest(rest, batch)
    return found


def _rest(scan: Scan, batch: Sequence[LogEntry]) -> Scan | None:
    """Return the scan of the entries after a batch, or None if there are none."""
    return None if len(batch) < scan.limit else replace(scan, before=batch[-1].id)


def _erase(scan: Scan, is_meant: Callable[[LogEntry], bool]) -> Steps[int]:
    """Erase the personal data of entries in a scan, in batches, and return their number."""
    count = 0
    rest: Scan | None = scan
    while rest is not None:
        batch, erased = yield partial(_erase_batch, scan=rest, is_meant=is_meant)
        count += erased
        rest = _rest(rest, batch)
    return count


def _erase_batch(rows: LogRows, scan: Scan, is_meant: Callable[[LogEntry], bool]) -> tuple[Sequence[LogEntry], int]:
    batch = rows.entries(scan)
    meant = [forgotten(each) for each in batch if is_meant(each)]
    if meant:
        rows.update(meant)
    return batch, len(meant)


def _has_external_id(external_id: str, entry: LogEntry) -> bool:
    return entry.external_id == external_id


def _has_label(folded: str, entry: LogEntry) -> bool:
    return entry.label is not None and entry.label.casefold() == folded


def _summaries(rows: LogRows, tenant: str, found: Sequence[Activity]) -> Sequence[Cycle]:
    counts: defaultdict[str, Counter[tuple[Action, LogResult]]] = defaultdict(Counter)
    errors: defaultdict[str, Counter[str]] = defaultdict(Counter)
    if found:
        for id, action, result, code, number in rows.counts(key_bytes(tenant), [key_bytes(f.cycle_id) for f in found]):
            counts[id][cast(Action, action), cast(LogResult, result)] += number
            if result == "Failure":
                errors[id][code] += number
    return [
        Cycle(
            id=each.cycle_id, tenant=tenant, token_id=each.token_id, start=_time(each.first), end=_time(each.last),
            reads=each.reads, counts=counts[each.cycle_id], errors=errors[each.cycle_id],
        )
        for each in found
    ]  # fmt: skip


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
