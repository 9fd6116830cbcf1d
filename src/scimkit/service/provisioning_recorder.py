"""Write the provisioning log of a service: entries with each write, failures afterwards, and reads as counts.

A log that fails never fails a request: its entries wait in memory and are written with later ones.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from typing import Any, Final, cast

from scimkit.errors import NotFound, ScimError, Unauthorized, Unavailable
from scimkit.provisioning import CYCLE_GAP, AnyProvisioningLog, LogEntry, LogOptions, LogRecorder, as_async_log
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import Request
from scimkit.service.log_entries import EntryMaker, failed, refused
from scimkit.service.request_context import RequestContext
from scimkit.stores.protocol import Scope, Store, Written
from scimkit.tokens import Principal

_log: Final = logging.getLogger("scimkit")

_KEPT_SECONDS: Final = 10.0
"""The seconds for which the use of a token is kept in memory before it is written."""
_PURGE_SECONDS: Final = 60.0
"""The seconds between two purges of a process, whatever the number of tokens."""
_MAX_TOKENS: Final = 10_000
_MAX_WAITING: Final = 1_000
_LABEL_SECONDS: Final = 1.0
"""The longest time in seconds to look up the name of a resource whose write failed."""
_NAMES: Final = frozenset({"userName", "displayName", "externalId"})


@dataclass(slots=True)
class _Activity:
    """The use of a token that this process has seen."""

    cycle_id: str = ""
    minute: int = 0
    noted: float = 0.0
    reads: int = 0
    failed: float = 0.0
    """The time of the last attempt to note the activity that failed."""
    lock: Lock = field(default_factory=Lock, repr=False)

    def is_due(self, minute: int, now: float) -> bool:
        """Report whether the activity must be noted again, at a minute and a reading of `time.monotonic()`."""
        return minute != self.minute or now - self.noted >= _KEPT_SECONDS


class ProvisioningRecorder:
    """Writes the provisioning log of a service.

    Args:
        log: The log.
        options: The values that entries keep, and the time for which they are kept.
        resource_types: The resource types of the service.
        sensitive: Paths of attributes that must not appear.
        store: The store of the service.

    Raises:
        ValueError: An option names no attribute.
        TypeError: The service cannot await the log, or the log would block the event loop.
    """

    def __init__(
        self,
        log: AnyProvisioningLog,
        options: LogOptions,
        resource_types: Sequence[ResourceType],
        sensitive: Collection[str],
        store: Any,
    ) -> None:
        if log.is_async and not store.is_async:
            raise TypeError("a sync store needs a sync provisioning log")
        if store.is_async and not log.is_async and getattr(log, "blocking", True):
            raise TypeError("an async store needs a provisioning log that is async or does not block")
        for path in options.redact:
            if not any(each.resolve(path) for each in resource_types):
                raise ValueError(f"redact names {path}, which is an attribute of no resource type")
        self._log = as_async_log(log)
        self._retention = options.retention
        self._makers = {each.name: EntryMaker(each, options, sensitive) for each in resource_types}
        self._activities: OrderedDict[tuple[str, str], _Activity] = OrderedDict()
        self._lock = Lock()
        self._purged = -_PURGE_SECONDS
        self._waiting: deque[LogEntry] = deque(maxlen=_MAX_WAITING)
        is_own = log is getattr(store, "provisioning_log", None)
        self.is_in_transaction: bool = is_own and "transactions" not in store.unsupported
        """True if the entry of a write is written in the transaction of the write."""
        self.is_with_write: bool = self.is_in_transaction and getattr(store, "logs_writes", False)
        """True if the store adds the entry of a write itself, together with the write."""
        self.reports_changes: bool = "changes" not in store.unsupported
        """True if the store reports the changes of writes, so that entries have them."""

    def is_due(self, principal: Principal) -> bool:
        """Report whether `begin` may note the use of a token now."""
        activity = self._activities.get((principal.tenant, principal.token_id))
        if activity is None or not activity.cycle_id:
            return True
        return activity.is_due(int(datetime.now(UTC).timestamp()) // 60, monotonic())

    async def begin(self, call: RequestContext) -> None:
        """Note that a token is used, at most once in some seconds."""
        call.began = monotonic()
        principal = call.principal
        key = principal.tenant, principal.token_id
        activity = self._activities.get(key) or self._new_activity(key)
        now = datetime.now(UTC)
        minute = int(now.timestamp()) // 60
        with activity.lock:
            is_due = activity.is_due(minute, call.began)
            reads = activity.reads if is_due else 0
            if is_due:
                if call.began - activity.noted >= CYCLE_GAP.total_seconds():
                    activity.cycle_id = ""
                activity.minute, activity.noted, activity.reads = minute, call.began, 0
        if is_due or (not activity.cycle_id and call.began - activity.failed >= _KEPT_SECONDS):
            await self._note(activity, key, now, reads)
        call.cycle_id = activity.cycle_id

    def count_read(self, principal: Principal) -> None:
        """Count a read that did not fail."""
        activity = self._activities.get((principal.tenant, principal.token_id))
        if activity is not None:
            with activity.lock:
                activity.reads += 1

    async def flush(self) -> None:
        """Write the reads and the entries that are still in memory, before the process ends."""
        now = datetime.now(UTC)
        for key, activity in list(self._activities.items()):
            with activity.lock:
                reads, activity.reads = activity.reads, 0
            if reads:
                await self._note(activity, key, now, reads)
        await self._write_waiting()

    def entries_of(self, resource_type: ResourceType) -> Callable[[RequestContext, Written], LogEntry]:
        """Return a function that makes the entry of a write that did not fail, for the resources of one type."""
        return self._makers[resource_type.name].written

    async def record(self, store: Store, entry: LogEntry) -> None:
        """Write an entry in the transaction of a store. An error undoes the transaction."""
        recorder = cast(LogRecorder, getattr(store, "sync_store", store))
        answer = recorder.record_log([entry])
        if answer is not None:
            await answer

    async def add(self, entry: LogEntry) -> None:
        """Write an entry after its request. An error is logged, and the entry waits."""
        self._waiting.append(entry)
        await self._write_waiting()

    async def failed(
        self,
        request: Request,
        principal: Principal,
        call: RequestContext | None,
        error: ScimError,
        resource_type: ResourceType | None,
        store: Store,
    ) -> None:
        """Write the entry of a failed request. If the database is not available, the entry waits in memory."""
        maker = None if resource_type is None else self._makers[resource_type.name]
        entry = failed(request, principal, call, error, maker)
        if call is not None and maker is not None and entry.resource_id and entry.label is None:
            entry = replace(entry, **await self._names(call, maker, error, store))
        self._waiting.append(entry)
        if not isinstance(error, Unavailable):
            await self._write_waiting()

    def keep(
        self, request: Request, principal: Principal, error: ScimError, resource_type: ResourceType | None
    ) -> None:
        """Keep the entry of a request that was refused before it was handled. Later entries take it along."""
        maker = None if resource_type is None else self._makers[resource_type.name]
        self._waiting.append(failed(request, principal, None, error, maker))

    def keep_refusals(self, request: Request | None, principal: Principal, count: int) -> None:
        """Keep an entry for requests that a rate limit refused. Later entries take it along."""
        self._waiting.append(refused(request, principal, count))

    async def _names(self, call: RequestContext, maker: EntryMaker, error: ScimError, store: Store) -> dict[str, Any]:
        """Return the names of a resource whose write failed. Returns nothing if the names cannot be read."""
        if isinstance(error, NotFound | Unauthorized) or error.status >= 500:
            return {}
        scope = Scope(call.scope.tenant, monotonic() + _LABEL_SECONDS)
        try:
            return maker.named(await store.get(scope, maker.resource_type, call.id, _NAMES.__contains__))
        except Exception:  # the name is a courtesy; the entry has the id
            return {}

    def _new_activity(self, key: tuple[str, str]) -> _Activity:
        """Return the activity of a token, and forget those of the tokens that came first."""
        with self._lock:
            while len(self._activities) >= _MAX_TOKENS:
                self._activities.popitem(last=False)
            return self._activities.setdefault(key, _Activity())

    async def _note(self, activity: _Activity, key: tuple[str, str], now: datetime, reads: int) -> None:
        """Write the activity of a token and the entries that wait. Once a minute, delete entries that are too old."""
        try:
            activity.cycle_id = await self._log.note_activity(*key, now, reads)
            if monotonic() - self._purged >= _PURGE_SECONDS:
                self._purged = monotonic()
                await self._log.purge(now - self._retention)
        except Exception:
            activity.failed = monotonic()
            _log.exception("the provisioning log failed; the request is not affected")
        if self._waiting:
            await self._write_waiting()

    async def _write_waiting(self) -> None:
        """Write the entries that wait. After an error they wait for the next attempt; the oldest may be dropped."""
        with self._lock:
            entries = list(self._waiting)
            self._waiting.clear()
        if not entries:
            return
        try:
            await self._log.add(entries)
        except Exception:
            _log.exception("the provisioning log failed; %d entries wait in memory", len(entries))
            with self._lock:
                self._waiting.extendleft(reversed(entries[: _MAX_WAITING - len(self._waiting)]))
