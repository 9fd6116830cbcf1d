"""Revokers: named functions that end the access of a user who was deactivated or deleted, each within a time.

IPSIE asks that access ends within 5 minutes after the deactivation (IPSIE AL SCIM 2.0 Profile, section AL1). With a
provisioning log, every process sees which revocations are open. Without one, each process remembers its own.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from scimkit.events import Listener, ResourceDeleted, ResourceEvent, UserDeactivated, after_commit, in_transaction
from scimkit.provisioning import AnyProvisioningLog, LogEntry, OverdueRevocation, as_async_log
from scimkit.provisioning.revocations import begun_entry, ended_entry, failed_entry, open_revocations
from scimkit.runner import result_of, run_sync

WITHIN: Final = timedelta(minutes=5)
"""The time in which IPSIE asks that access ends."""
MAX_OPEN: Final = 10_000
"""The largest number of revocations that a revoker without a log waits for. Each takes less than 1 KiB."""

_log: Final = logging.getLogger("scimkit")


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
        log: The provisioning log of the store of the service. A revocation after the commit then begins with an entry
            in the transaction of the deactivation. All processes see the revocation, and so does the admin page.
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
        log: AnyProvisioningLog | None = None,
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
        self.log: AnyProvisioningLog | None = log
        """The provisioning log that keeps the revocations, or None."""
        self.runs: int = 0
        """The number of times that the handler was called."""
        self._handler = handler
        self._confirmed = confirmed
        self._clock = clock
        self._memory = _Memory(name, within)
        self._keeps_open = moment == "after_commit"
        is_awaited = inspect.iscoroutinefunction(handler) or (log is not None and log.is_async)
        called: Callable[..., Any] = self._revoke_async if is_awaited else self._revoke
        kinds = UserDeactivated | ResourceDeleted
        listen = after_commit if self._keeps_open else in_transaction
        begins = (in_transaction(kinds, self._note),) if self._keeps_open and log is not None else ()
        self.listeners: tuple[Listener, ...] = tuple(
            replace(each, log=log) for each in (*begins, listen(kinds, called))
        )
        """The listeners to pass to `ScimService`."""

    def __repr__(self) -> str:
        return f"<Revoker {self.name}: within {self.within}>"

    def confirm(self, tenant: str, id: str) -> None:
        """End the revocation of a user. Nothing happens if none is open.

        With a log, any process may confirm, whichever process began the revocation.

        Raises:
            TypeError: The log is async. Await `confirm_async`.
        """
        if self.log is None:
            self._memory.end(tenant, id, self._clock())
        elif self.log.is_async:
            raise TypeError("the provisioning log of the revoker is async; await confirm_async")
        else:
            run_sync(self.confirm_async(tenant, id))

    async def confirm_async(self, tenant: str, id: str) -> None:
        """End the revocation of a user, as `confirm` does."""
        if self.log is None:
            self.confirm(tenant, id)
            return
        log = as_async_log(self.log)
        found = [each for each in await open_revocations(log, tenant, id) if each.revoker == self.name]
        if found:
            await log.add([self._ended(each) for each in found])

    def overdue(self) -> tuple[OverdueRevocation, ...]:
        """Return the revocations that are open after their deadline, and those that ended late. Log each of them once.

        Call this from a scheduler or a health check, because nothing else notices that time passes.

        Raises:
            ValueError: The revoker has a log. Call `overdue_revocations` of `scimkit.provisioning`.
        """
        if self.log is not None:
            raise ValueError("the revoker has a log; call overdue_revocations(log, tenant) of scimkit.provisioning")
        return self._memory.overdue(self._clock())

    def _note(self, event: ResourceEvent, transaction: Any) -> Any:
        """Add the entry with which a revocation begins, in the transaction of the write."""
        if event.resource_type == "User":
            return transaction.store.record_log([begun_entry(self.name, self.within, event)])
        return None

    def _revoke(self, event: ResourceEvent, *transaction: Any) -> None:
        run_sync(self._revoke_async(event, *transaction))

    async def _revoke_async(self, event: ResourceEvent, *transaction: Any) -> None:
        """Call the handler for a user, and end the revocation unless it needs a confirmation."""
        if event.resource_type != "User":
            return
        self.runs += 1
        begun = self._clock()
        if self._keeps_open and self.log is None:
            self._memory.begin(event.tenant, event.id, begun)
        entry = begun_entry(self.name, self.within, event)
        try:
            await result_of(self._handler(event, *transaction))
        except Exception:
            if self._keeps_open and self.log is not None:
                await as_async_log(self.log).add([failed_entry(entry)])
            raise
        if self.log is None:
            if not self._confirmed:
                self._memory.end(event.tenant, event.id, self._clock(), begun)
        elif self._keeps_open:
            if not self._confirmed:
                await as_async_log(self.log).add([self._ended(entry)])
        elif self._clock() - begun > self.within.total_seconds():
            await result_of(transaction[0].store.record_log([self._ended(entry)]))

    def _ended(self, begun: LogEntry) -> LogEntry:
        """Return the entry with which a revocation ends. An error is logged if it ends late."""
        entry = ended_entry(begun, datetime.now(UTC))
        if entry.result != "Success":
            _log.error("%s The user is %s of the tenant %s.", entry.detail, entry.resource_id, entry.tenant)
        return entry


class _Memory:
    """The revocations of a revoker without a log, in the memory of this process."""

    def __init__(self, name: str, within: timedelta) -> None:
        self._name = name
        self._limit = within.total_seconds()
        self._begun: dict[tuple[str, str], float] = {}
        self._late: dict[tuple[str, str], float] = {}
        self._logged: set[tuple[str, str]] = set()

    def begin(self, tenant: str, id: str, now: float) -> None:
        """Remember a revocation. A revocation that is already open keeps its deadline."""
        self._begun.setdefault((tenant, id), now)
        if len(self._begun) > MAX_OPEN:
            self._begun.pop(next(iter(self._begun)), None)
            _log.error("The revoker %s has more than %d open revocations. The oldest is lost.", self._name, MAX_OPEN)

    def end(self, tenant: str, id: str, now: float, begun: float | None = None) -> None:
        """End a revocation, which began at another time if it is not remembered. Nothing happens if none is open."""
        begun = self._begun.pop((tenant, id), begun)
        if begun is None:
            return
        late = now - begun - self._limit
        if late > 0:
            self._late[tenant, id] = late
            if len(self._late) > MAX_OPEN:
                self._logged.discard(oldest := next(iter(self._late)))
                self._late.pop(oldest)
            self._log_once((tenant, id), late)
        else:
            self._logged.discard((tenant, id))

    def overdue(self, now: float) -> tuple[OverdueRevocation, ...]:
        """Return the revocations that are open after their deadline, and those that ended late. Log each once."""
        waiting = {key: late for key, begun in list(self._begun.items()) if (late := now - begun - self._limit) > 0}
        found = {**self._late, **waiting}
        for key, late in found.items():
            self._log_once(key, late)
        return tuple(OverdueRevocation(self._name, *key, timedelta(seconds=late)) for key, late in found.items())

    def _log_once(self, key: tuple[str, str], late: float) -> None:
        if key not in self._logged:
            if len(self._logged) >= 2 * MAX_OPEN:
                self._logged.clear()
            self._logged.add(key)
            message = "The revoker %s is overdue by %.0f s: the user %s of the tenant %s may still have access."
            _log.error(message, self._name, late, key[1], key[0])
