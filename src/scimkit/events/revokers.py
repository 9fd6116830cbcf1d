"""Revokers: named functions that end the access of a user who was deactivated or deleted, each within a time.

IPSIE asks that access ends within 5 minutes after the deactivation (IPSIE AL SCIM 2.0 Profile, section AL1). The
memory of this module belongs to one process.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from scimkit.events.listeners import Listener, after_commit, in_transaction
from scimkit.events.resource_events import ResourceDeleted, ResourceEvent, UserDeactivated

WITHIN: Final = timedelta(minutes=5)
"""The time in which IPSIE asks that access ends."""
MAX_OPEN: Final = 10_000
"""The largest number of revocations that a revoker waits for. Each takes less than 1 KiB."""

_log: Final = logging.getLogger("scimkit")


@dataclass(frozen=True, slots=True)
class OverdueRevocation:
    """A revocation that did not end in time, or ended late."""

    revoker: str
    """The name of the revoker."""
    tenant: str
    id: str
    """The id of the user."""
    late: timedelta
    """The time since the deadline."""


class Revoker:
    """Ends one kind of access of users who are deactivated or deleted, and measures the time.

    A revocation begins when the handler is called. It ends when the handler returns, or with `confirm` if the handler
    only starts it. A handler that raises after the commit leaves the revocation open until `confirm`. A handler that
    raises in the transaction undoes the deactivation.

    Args:
        name: The kind of access, such as `web sessions`. Logs and the readiness report show it.
        handler: For `in_transaction`, a function of the event and the `Transaction`. For `after_commit`, a function of
            the event. It may be a coroutine function where a listener may be.
        within: The time in which the access ends.
        moment: When the handler is called.
        confirmed: True if the handler only starts the revocation, and `confirm` ends it. Needs `after_commit`.
        clock: Returns the time in seconds. It never goes back.

    Raises:
        ValueError: The name is empty, the time is not positive, or `confirmed` is used in a transaction.
    """

    def __init__(
        self,
        name: str,
        handler: Callable[..., Any],
        *,
        within: timedelta = WITHIN,
        moment: Literal["in_transaction", "after_commit"] = "in_transaction",
        confirmed: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not name:
            raise ValueError("a revoker needs a name, such as 'web sessions'")
        if within <= timedelta(0):
            raise ValueError("within must be a positive time")
        if confirmed and moment == "in_transaction":
            raise ValueError("confirmed=True needs moment='after_commit', because the commit ends a transaction")
        self.name: str = name
        self.within: timedelta = within
        self.runs: int = 0
        """The number of times that the handler was called."""
        self._handler = handler
        self._confirmed = confirmed
        self._clock = clock
        self._begun: dict[tuple[str, str], float] = {}
        self._late: dict[tuple[str, str], float] = {}
        self._logged: set[tuple[str, str]] = set()
        listen = in_transaction if moment == "in_transaction" else after_commit
        called: Callable[..., Any] = self._revoke_async if inspect.iscoroutinefunction(handler) else self._revoke
        self.listener: Listener = listen(UserDeactivated | ResourceDeleted, called)
        """The listener to pass to `ScimService`."""
        self._keeps_open = moment == "after_commit"

    def __repr__(self) -> str:
        return f"<Revoker {self.name}: within {self.within}>"

    def confirm(self, tenant: str, id: str) -> None:
        """End the revocation of a user. Nothing happens if none is open."""
        begun = self._begun.pop((tenant, id), None)
        if begun is not None:
            self._end(tenant, id, begun)

    def overdue(self) -> tuple[OverdueRevocation, ...]:
        """Return the revocations that are open after their deadline, and those that ended late. Log each of them once.

        Call this from a scheduler or a health check, because nothing else notices that time passes.
        """
        limit, now = self.within.total_seconds(), self._clock()
        waiting = {key: now - begun - limit for key, begun in list(self._begun.items()) if now - begun > limit}
        found = [
            OverdueRevocation(self.name, *key, timedelta(seconds=late))
            for key, late in {**self._late, **waiting}.items()
        ]
        for each in found:
            self._log_once(each)
        return tuple(found)

    def _revoke(self, event: ResourceEvent, *transaction: Any) -> None:
        if event.resource_type == "User":
            begun = self._begin(event)
            self._handler(event, *transaction)
            self._returned(event, begun)

    async def _revoke_async(self, event: ResourceEvent, *transaction: Any) -> None:
        if event.resource_type == "User":
            begun = self._begin(event)
            await self._handler(event, *transaction)
            self._returned(event, begun)

    def _begin(self, event: ResourceEvent) -> float:
        self.runs += 1
        begun = self._clock()
        if self._keeps_open:
            self._begun.setdefault((event.tenant, event.id), begun)
            if len(self._begun) > MAX_OPEN:
                self._begun.pop(next(iter(self._begun)), None)
                _log.error("The revoker %s has more than %d open revocations. The oldest is lost.", self.name, MAX_OPEN)
        return begun

    def _returned(self, event: ResourceEvent, begun: float) -> None:
        if not self._confirmed:
            self._end(event.tenant, event.id, self._begun.pop((event.tenant, event.id), begun))

    def _end(self, tenant: str, id: str, begun: float) -> None:
        late = self._clock() - begun - self.within.total_seconds()
        if late > 0:
            self._late[tenant, id] = late
            if len(self._late) > MAX_OPEN:
                self._logged.discard(oldest := next(iter(self._late)))
                self._late.pop(oldest)
            self._log_once(OverdueRevocation(self.name, tenant, id, timedelta(seconds=late)))
        else:
            self._logged.discard((tenant, id))

    def _log_once(self, each: OverdueRevocation) -> None:
        key = (each.tenant, each.id)
        if key not in self._logged:
            if len(self._logged) >= 2 * MAX_OPEN:
                self._logged.clear()
            self._logged.add(key)
            message = "The revoker %s is overdue by %.0f s: the user %s of the tenant %s may still have access."
            _log.error(message, self.name, each.late.total_seconds(), each.id, each.tenant)
