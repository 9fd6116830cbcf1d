"""A simple model of an outbox, with which the contract compares an outbox. Waiting times are zero or endless."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scimkit.events.outbox import OutboxEntry, OutboxStatus
from scimkit.events.resource_events import ResourceEvent


@dataclass
class Row:
    """An entry of the model."""

    event: ResourceEvent
    status: OutboxStatus = "pending"
    attempts: int = 0
    is_due: bool = True
    is_claimed: bool = False


class OutboxModel:
    """The entries in their order, and the claims of workers by the id of the event."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.owners: dict[str, str | None] = {}

    def record(self, events: Sequence[ResourceEvent]) -> None:
        """Add events."""
        self.rows += map(Row, events)

    def claim(self, claimed: Sequence[str], count: int, lease: float) -> None:
        """Check that a claim took entries that are free, and as many as it could, and claim them."""
        free = {row.event.event_id for row in self.rows if self._is_free(row)}
        assert set(claimed) <= free
        assert len(claimed) == len(set(claimed)) == min(count, len(free))
        for each in claimed:
            row = self._row(each)
            row.is_claimed, row.is_due = True, not lease

    def holds(self, entry: OutboxEntry) -> bool:
        """Report whether a worker still has an entry."""
        found = [row for row in self.rows if row.event.event_id == entry.event_id]
        return bool(found) and found[0].is_claimed and self.owners.get(entry.event_id) == entry.claim

    def finish(self, entry: OutboxEntry, how: str, delay: float) -> None:
        """End a claim as one of the methods of the outbox does."""
        if not self.holds(entry):
            return
        row = self._row(entry.event_id)
        row.is_claimed = False
        if how == "succeed":
            row.status = "delivered"
        elif how == "dead_letter":
            row.status, row.attempts = "dead", row.attempts + 1
        elif how == "release":
            row.is_due = True
        else:
            row.attempts, row.is_due = row.attempts + 1, True
            for each in self._pending(row):
                each.is_due = each.is_due and not delay

    def replay(self, event_id: str) -> None:
        """Make an entry pending and due, unless a worker has it."""
        row = self._row(event_id)
        if not row.is_claimed or row.is_due:
            row.status, row.attempts, row.is_claimed, row.is_due = "pending", 0, False, True
        for each in self._pending(row):
            each.is_due = each.is_due or not each.is_claimed

    def purge(self, *, dead_letters: bool) -> int:
        """Remove finished entries and return their number."""
        kept = [row for row in self.rows if row.status == "pending" or (row.status == "dead" and not dead_letters)]
        gone = len(self.rows) - len(kept)
        self.rows = kept
        return gone

    def _row(self, event_id: str) -> Row:
        return next(row for row in self.rows if row.event.event_id == event_id)

    def _pending(self, row: Row) -> list[Row]:
        return [each for each in self.rows if each.event.id == row.event.id and each.status == "pending"]

    def _is_free(self, row: Row) -> bool:
        return row.status == "pending" and row.is_due and self._pending(row)[0] is row
