"""`DjangoOutbox`: the outbox of a `DjangoStore`. A claim is a token and a lease in the row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, Final, Literal, TypeVar
from uuid import uuid4

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Exists, F, OuterRef, Q

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
from scimkit.stores.django.transactions import Transactions
from scimkit.uuid7 import to_milliseconds

Result = TypeVar("Result")

_CANDIDATES: Final = 8
_PURGED_AT_ONCE: Final = 1_000
_PATIENCE: Final = 10.0


class DjangoOutbox:
    """A `SyncOutbox` in the table of the app `scimkit.stores.django.outbox`.

    Args:
        using: The alias of the database.
    """

    is_async: Literal[False] = False

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self._transactions = Transactions(using)

    def add(self, events: Sequence[ResourceEvent]) -> None:
        """Add events in the transaction that is open."""
        model = self._rows.model
        self._rows.bulk_create([model(**new_row(each)) for each in events])

    def claim(self, count: int, lease: float) -> Sequence[OutboxEntry]:
        found = self._read(lambda: self._candidates(count * _CANDIDATES))
        return self._write(lambda: self._claim(found, count, lease)) if found else []

    def succeed(self, entry: OutboxEntry) -> bool:
        return self._write(lambda: self._update(entry, status="delivered", finished=milliseconds(), claim=None))

    def fail(self, entry: OutboxEntry, error: str, delay: float) -> bool:
        due = milliseconds() + int(delay * 1000)

        def work() -> bool:
            if not self._update(entry, claim=None, due=due, attempts=F("attempts") + 1, error=error_text(error)):
                return False
            key = self._rows.values_list("resource_key", flat=True).get(sequence=entry.sequence)
            self._rows.filter(resource_key=key, status="pending", due__lt=due).update(due=due)
            return True

        return self._write(work)

    def dead_letter(self, entry: OutboxEntry, error: str) -> bool:
        values = {"attempts": F("attempts") + 1, "error": error_text(error), "finished": milliseconds()}
        return self._write(lambda: self._update(entry, status="dead", claim=None, **values))

    def release(self, entries: Sequence[OutboxEntry]) -> None:
        def work() -> None:
            for each in entries:
                self._update(each, claim=None, due=milliseconds())

        self._write(work)

    def replay(self, event_id: str) -> bool:
        def work() -> bool:
            now = milliseconds()
            key = self._rows.filter(event_id=event_id).values_list("resource_key", flat=True).first()
            if key is None:
                return False
            is_unclaimed = Q(claim=None) | Q(due__lte=now)
            self._rows.filter(is_unclaimed, event_id=event_id).update(
                status="pending", finished=None, attempts=0, error="", claim=None
            )
            self._rows.filter(is_unclaimed, resource_key=key, status="pending").update(due=now)
            return True

        return self._write(work)

    def backlog(self) -> OutboxBacklog:
        def work() -> OutboxBacklog:
            pending, dead = (self._rows.filter(status=each).order_by() for each in ("pending", "dead"))
            oldest = self._rows.filter(status="pending").order_by("sequence").values_list("created", flat=True).first()
            return backlog_of(pending[:MAX_COUNTED].count(), dead[:MAX_COUNTED].count(), oldest)

        return self._read(work)

    def purge(self, older_than: datetime, *, dead_letters: bool = False) -> int:
        statuses = ["delivered", *(["dead"] if dead_letters else [])]
        before = to_milliseconds(older_than)

        def work() -> int:
            old = self._rows.filter(status__in=statuses, finished__lt=before).order_by()
            found = list(old.values_list("sequence", flat=True)[:_PURGED_AT_ONCE])
            return int(self._rows.filter(sequence__in=found, status__in=statuses).delete()[0]) if found else 0

        total = 0
        while True:
            deleted = self._write(work)
            total += deleted
            if deleted < _PURGED_AT_ONCE:
                return total

    def list(self, status: OutboxStatus | None = None, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        rows = self._rows.filter(sequence__gt=after)
        if status is not None:
            rows = rows.filter(status=status)
        return self._read(lambda: [entry_of(each) for each in rows.order_by("sequence").values()[:limit]])

    def _candidates(self, count: int) -> Sequence[int]:
        """Return the sequences of entries that could be claimed.

        An entry without an earlier pending entry of its resource stays without one, because later writes append.
        """
        earlier = self._rows.filter(
            resource_key=OuterRef("resource_key"), status="pending", sequence__lt=OuterRef("sequence")
        )
        free = self._rows.filter(~Exists(earlier), status="pending", due__lte=milliseconds())
        return [*free.order_by("due", "sequence").values_list("sequence", flat=True)[:count]]

    def _claim(self, found: Sequence[int], count: int, lease: float) -> Sequence[OutboxEntry]:
        now = milliseconds()
        free = self._rows.filter(status="pending", due__lte=now)
        query = free.filter(sequence__in=found).order_by("sequence")
        features: Any = connections[self._transactions.using].features
        if features.has_select_for_update_skip_locked:
            query = query.select_for_update(skip_locked=True)
        chosen = [row.sequence for row in query.only("sequence")[:count]]
        token = uuid4().hex
        free.filter(sequence__in=chosen).update(claim=token, due=now + int(lease * 1000))
        rows = self._rows.filter(sequence__in=chosen, claim=token).order_by("sequence")
        return [entry_of(each) for each in rows.values()]

    def _update(self, entry: OutboxEntry, **values: Any) -> bool:
        mine = self._rows.filter(sequence=entry.sequence, status="pending", claim=entry.claim or "")
        return bool(mine.update(**values) == 1)

    def _read(self, work: Callable[[], Result]) -> Result:
        return self._transactions.read(work, monotonic() + _PATIENCE)

    def _write(self, work: Callable[[], Result]) -> Result:
        return self._transactions.write(work, monotonic() + _PATIENCE)

    @property
    def _rows(self) -> Any:
        return apps.get_model("scimkit_outbox", "OutboxEvent").objects.using(self._transactions.using)
