"""The state of a breaker for each tenant, the protocols of its stores, and a store in memory.

`scimkit.safeguards.Breaker` decides what to count and when to trip. This module decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import RLock
from typing import Any, Literal, Protocol, TypeAlias

from scimkit.events import Transaction


@dataclass(frozen=True, slots=True)
class BreakerState:
    """The state of the breaker of one tenant."""

    counts: tuple[tuple[int, int], ...] = ()
    """Pairs of the start of a period, in seconds since 1970, and the deactivations and deletions in the period."""
    tripped: datetime | None = None
    """The time at which the breaker tripped, or None. A tripped breaker refuses deactivations until it is released."""
    paused_until: datetime | None = None
    """The time until which the breaker does not count, because an administrator allowed a large deactivation."""

    @property
    def deactivations(self) -> int:
        """The number of deactivations and deletions that the state has counted."""
        return sum(count for _, count in self.counts)

    def to_text(self) -> str:
        """Return the state as JSON, for a column of a table."""
        return json.dumps({
            "counts": self.counts,
            "tripped": None if self.tripped is None else self.tripped.isoformat(),
            "paused_until": None if self.paused_until is None else self.paused_until.isoformat(),
        })  # fmt: skip

    @classmethod
    def from_text(cls, text: str | None) -> BreakerState:
        """Read the state from JSON. None or an empty text stands for a tenant without a state."""
        if not text:
            return cls()
        values: dict[str, Any] = json.loads(text)
        tripped, paused = (
            None if values[name] is None else datetime.fromisoformat(values[name])
            for name in ("tripped", "paused_until")
        )
        return cls(tuple((start, count) for start, count in values["counts"]), tripped, paused)


StateChange: TypeAlias = Callable[[BreakerState], BreakerState]
"""A function of the state before a change that returns the state after it."""


class BreakerStore(Protocol):
    """A store of breaker states, whose methods return when they are done."""

    is_async: Literal[False]

    def read(self, tenant: str) -> BreakerState:
        """Return the state of a tenant. A tenant without a state has an empty one."""
        ...

    def update(self, tenant: str, change: StateChange, transaction: Transaction | None = None) -> BreakerState:
        """Replace the state of a tenant and return the new state.

        Concurrent updates of a tenant happen one after the other, in all processes.

        Args:
            tenant: The tenant.
            change: A function of the current state that returns the new one. It may be called several times.
            transaction: The transaction of a write. The update is kept or undone with the transaction, and no other
                update of the tenant happens before the transaction ends. None stands for a transaction of its own.
        """
        ...


class AsyncBreakerStore(Protocol):
    """A store of breaker states, whose methods are awaited."""

    is_async: Literal[True]

    async def read(self, tenant: str) -> BreakerState:
        """Return the state of a tenant, as `BreakerStore.read` does."""
        ...

    async def update(self, tenant: str, change: StateChange, transaction: Transaction | None = None) -> BreakerState:
        """Replace the state of a tenant, as `BreakerStore.update` does."""
        ...


class MemoryBreakerStore:
    """A `BreakerStore` that keeps the states in this process, for a `MemoryStore`."""

    is_async: Literal[False] = False

    def __init__(self) -> None:
        self._lock = RLock()
        self._states: dict[str, BreakerState] = {}

    def read(self, tenant: str) -> BreakerState:
        return self._states.get(tenant, BreakerState())

    def update(self, tenant: str, change: StateChange, transaction: Transaction | None = None) -> BreakerState:
        with self._lock:
            before = self.read(tenant)
            self._states[tenant] = after = change(before)
        if transaction is not None and after != before:
            on_rollback = getattr(transaction.store, "on_rollback", None)
            if on_rollback is not None:
                on_rollback(partial(self._put_back, tenant, before, after))
        return after

    def _put_back(self, tenant: str, before: BreakerState, after: BreakerState) -> None:
        """Undo an update, unless an administrator has changed the state since."""
        with self._lock:
            if self._states.get(tenant) is after:
                self._states[tenant] = before
