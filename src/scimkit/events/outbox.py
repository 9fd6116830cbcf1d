"""The outbox port: events that wait in a database until a worker has delivered them.

A store with an outbox has an attribute `outbox`, which is an `Outbox` or `SyncOutbox`. The store also has a method
`record_events(events)`, which adds events in the transaction of the store. The tests in
`scimkit.testing.contract.outbox` check both. This module does no I/O.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, Literal, Protocol, TypeAlias

from pydantic_core import from_json

from scimkit.documents import write_json
from scimkit.events.resource_events import ResourceEvent
from scimkit.events.serialization import event_from_json, event_to_json

OutboxStatus: TypeAlias = Literal["pending", "delivered", "dead"]
"""The status of an entry. A `dead` entry is a dead letter: it was tried too often, and only `replay` delivers it."""

MAX_COUNTED: Final = 100_000
"""The largest number of entries that `backlog` counts, so that its time is bounded."""
MAX_ERROR: Final = 500
"""The largest number of characters of an error in the outbox."""


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """An event in an outbox, with the state of its delivery."""

    sequence: int
    """The position in the outbox. A later event of the same resource has a larger one."""
    event_id: str
    """The id of the event."""
    event_type: str
    """The name of the class of the event, such as `UserDeactivated`."""
    payload: Mapping[str, Any] = field(repr=False)
    """The event as a JSON object."""
    status: OutboxStatus
    """The status of the delivery."""
    attempts: int
    """The number of attempts that failed."""
    due: datetime
    """The time of the next attempt. For a claimed entry, the time at which the claim ends."""
    error: str
    """The error of the last attempt that failed, or an empty text."""
    claim: str | None = field(default=None, repr=False)
    """The claim of a worker, or None."""

    @property
    def event(self) -> ResourceEvent:
        """The event.

        Raises:
            ValueError: Another version of scimkit has written a payload that this version cannot read.
        """
        return event_from_json(self.payload)


@dataclass(frozen=True, slots=True)
class OutboxBacklog:
    """The number of events that an outbox still has to deliver."""

    pending: int
    """The number of pending entries, but at most `MAX_COUNTED`."""
    dead: int
    """The number of dead letters, but at most `MAX_COUNTED`."""
    oldest: datetime | None
    """The time at which the first pending entry was recorded, or None if no entry is pending."""


class SyncOutbox(Protocol):
    """An outbox whose methods return when they are done. Any number of workers may use it at once."""

    is_async: Literal[False]

    def claim(self, count: int, lease: float) -> Sequence[OutboxEntry]:
        """Claim entries for one worker. No other worker gets them before the lease ends.

        An entry can be claimed if it is pending and due, and no earlier entry of the same resource is pending.

        Args:
            count: The largest number of entries.
            lease: Seconds until other workers may claim the entries.
        """
        ...

    def succeed(self, entry: OutboxEntry) -> bool:
        """Mark a claimed entry as delivered. Return False if the claim has ended and another worker has the entry."""
        ...

    def fail(self, entry: OutboxEntry, error: str, delay: float) -> bool:
        """Note a failed attempt. The entry and later ones of the same resource wait for `delay` seconds.

        Returns:
            False if the claim has ended and another worker has the entry.
        """
        ...

    def dead_letter(self, entry: OutboxEntry, error: str) -> bool:
        """Make a claimed entry a dead letter. Return False if another worker has the entry."""
        ...

    def release(self, entries: Sequence[OutboxEntry]) -> None:
        """Give claimed entries back without an attempt."""
        ...

    def replay(self, event_id: str) -> bool:
        """Make an entry pending and due now, also after its delivery. Return False if no entry has the id."""
        ...

    def list(self, status: OutboxStatus | None = None, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        """Return entries in the order of the outbox.

        Args:
            status: The status of the entries, or None for all.
            after: Return only entries with a larger `sequence`.
            limit: The largest number of entries.
        """
        ...

    def backlog(self) -> OutboxBacklog:
        """Return how many events are pending and dead, and the time of the first pending one."""
        ...

    def purge(self, older_than: datetime, *, dead_letters: bool = False) -> int:
        """Delete entries that were delivered before a time, and return their number. Pending entries are kept.

        Args:
            older_than: The time, with a time zone.
            dead_letters: Delete dead letters too.
        """
        ...


class Outbox(Protocol):
    """An outbox whose methods are awaited. Otherwise as `SyncOutbox`."""

    is_async: Literal[True]

    async def claim(self, count: int, lease: float) -> Sequence[OutboxEntry]: ...

    async def succeed(self, entry: OutboxEntry) -> bool: ...

    async def fail(self, entry: OutboxEntry, error: str, delay: float) -> bool: ...

    async def dead_letter(self, entry: OutboxEntry, error: str) -> bool: ...

    async def release(self, entries: Sequence[OutboxEntry]) -> None: ...

    async def replay(self, event_id: str) -> bool: ...

    async def list(
        self, status: OutboxStatus | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[OutboxEntry]: ...

    async def backlog(self) -> OutboxBacklog: ...

    async def purge(self, older_than: datetime, *, dead_letters: bool = False) -> int: ...


class EventRecorder(Protocol):
    """The part of a store that adds events to its outbox, in the transaction of the store."""

    def record_events(self, events: Sequence[ResourceEvent]) -> Awaitable[None] | None:
        """Add events to the outbox. An async store returns an awaitable."""
        ...


def has_outbox(store: object) -> bool:
    """Report whether a store has an outbox."""
    return getattr(store, "outbox", None) is not None


def milliseconds() -> int:
    """Return the time in milliseconds since 1970, as outboxes store it."""
    return time.time_ns() // 1_000_000


def new_row(event: ResourceEvent) -> dict[str, Any]:
    """Return the columns of a new entry. Every text is ASCII, so that no collation and no charset matters."""
    now = milliseconds()
    resource = write_json([event.tenant, event.resource_type, event.id])
    return {
        "event_id": event.event_id,
        "event_type": type(event).__name__,
        "resource_key": sha256(resource).hexdigest(),
        "payload": write_json(event_to_json(event)),
        "status": "pending",
        "attempts": 0,
        "created": now,
        "due": now,
        "error": "",
    }


def entry_of(row: Mapping[str, Any]) -> OutboxEntry:
    """Return the entry of a row."""
    return OutboxEntry(
        sequence=row["sequence"],
        event_id=row["event_id"],
        event_type=row["event_type"],
        payload=from_json(bytes(row["payload"])),
        status=row["status"],
        attempts=row["attempts"],
        due=datetime.fromtimestamp(row["due"] / 1000, UTC),
        error=row["error"],
        claim=row["claim"],
    )


def backlog_of(pending: int, dead: int, oldest: int | None) -> OutboxBacklog:
    """Return a backlog whose oldest entry was recorded at a time in milliseconds since 1970."""
    return OutboxBacklog(pending, dead, None if oldest is None else datetime.fromtimestamp(oldest / 1000, UTC))


def error_text(error: str) -> str:
    """Return an error as ASCII text that fits the column."""
    return error.encode("ascii", "backslashreplace").decode()[:MAX_ERROR]
