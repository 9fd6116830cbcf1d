"""The port of provisioning logs: `ProvisioningLog` with coroutines, `SyncProvisioningLog` without.

A store with a log has an attribute `provisioning_log`, and a method `record_log(entries)`, which adds entries in the
transaction of the store. The tests in `scimkit.testing.contract.provisioning_log` check both. This module does no I/O.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias

from scimkit.provisioning.entries import Action, LogEntry, LogResult

CYCLE_GAP: Final = timedelta(minutes=5)
"""A pause of this length ends a cycle."""
PURGED_AT_ONCE: Final = 1_000
"""The largest number of entries that one call of `purge` deletes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """The entries of one tenant to find. An entry must meet all conditions that are given."""

    tenant: str
    """The tenant."""
    person: str | None = None
    """The id or the `externalId` of a resource, or the beginning of its label without regard to case."""
    resource_id: str | None = None
    """The id of the resource."""
    external_id: str | None = None
    """The `externalId` of the resource."""
    label_prefix: str | None = None
    """The beginning of the `userName` or `displayName`, without regard to case."""
    result: LogResult | None = None
    """The outcome."""
    action: Action | None = None
    """The kind of request."""
    token_id: str | None = None
    """The token."""
    cycle_id: str | None = None
    """The cycle."""
    since: datetime | None = None
    """The earliest time, with a time zone."""
    until: datetime | None = None
    """The time before which entries were made, with a time zone."""
    cursor: str | None = None
    """`LogPage.next` of the page before, or the id of an entry. Only older entries are found."""
    limit: int = 100
    """The largest number of entries on the page."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of entries, newest first."""

    entries: Sequence[LogEntry]
    """The entries."""
    next: str | None
    """The cursor of the next page; None after the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """A burst of requests of one token. A pause of `CYCLE_GAP` ends it."""

    id: str
    """The id of the cycle, which its entries have."""
    tenant: str
    """The tenant."""
    token_id: str
    """The token."""
    start: datetime
    """The time of the first request."""
    end: datetime
    """The time of the last request, with the precision of some seconds."""
    reads: int = 0
    """The number of requests that read and did not fail."""
    counts: Mapping[tuple[Action, LogResult], int] = field(default_factory=dict)
    """The number of entries by action and result."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """The number of failures by error code."""

    def count(self, *, action: Action | None = None, result: LogResult | None = None) -> int:
        """Return the number of entries with an action, a result, or both."""
        return sum(
            number
            for (its_action, its_result), number in self.counts.items()
            if action in (None, its_action) and result in (None, its_result)
        )

    @property
    def writes(self) -> int:
        """The number of entries that did not fail."""
        return self.count() - self.failures

    @property
    def failures(self) -> int:
        """The number of failures."""
        return self.count(result="Failure")

    def is_running(self, now: datetime) -> bool:
        """Report whether a request at a time would belong to this cycle."""
        return now - self.end < CYCLE_GAP


class SyncProvisioningLog(Protocol):
    """A provisioning log whose methods return when they are done."""

    is_async: Literal[False]

    def add(self, entries: Sequence[LogEntry]) -> None:
        """Add entries in a transaction of their own. An entry whose id the log has is not added again."""
        ...

    def note_activity(self, tenant: str, token_id: str, at: datetime, reads: int) -> str:
        """Note that a token was used, and return the id of the cycle that the request belongs to.

        Args:
            tenant: The tenant.
            token_id: The token.
            at: The time of the last request.
            reads: The number of reads since the last call, which is added to the reads of the minute.

        Returns:
            The id of the cycle. If the token was not used within `CYCLE_GAP` before, a new cycle begins.
        """
        ...

    def search(self, query: LogQuery) -> LogPage:
        """Return one page of the entries that match, newest first."""
        ...

    def find(self, tenant: str, id: str) -> LogEntry | None:
        """Return the entry of a tenant with an id, or None."""
        ...

    def cycles(
        self, tenant: str, token_id: str | None = None, *, before: datetime | None = None, limit: int = 20
    ) -> Sequence[Cycle]:
        """Return cycles, the one that began last first.

        Args:
            tenant: The tenant.
            token_id: Only cycles of this token.
            before: Only cycles that began before this time.
            limit: The largest number of cycles.
        """
        ...

    def cycle(self, tenant: str, id: str) -> Cycle | None:
        """Return the cycle of a tenant with an id, or None."""
        ...

    def forget(self, tenant: str, resource_id: str) -> int:
        """Erase the personal data about a resource, and return the number of entries that had some.

        The entries stay, so that the counts of cycles stay. They lose `external_id`, `label`, `detail`, the values of
        `changes` and of `quirks`. Entries without a resource id, such as those of a failed POST, are erased too if they
        have the same `external_id` or label.
        """
        ...

    def purge(self, older_than: datetime) -> int:
        """Delete at most `PURGED_AT_ONCE` entries and as many counts of minutes that are older, of all tenants.

        Returns:
            The number of deleted entries.
        """
        ...


class ProvisioningLog(Protocol):
    """A provisioning log whose methods are awaited. Otherwise as `SyncProvisioningLog`."""

    is_async: Literal[True]

    async def add(self, entries: Sequence[LogEntry]) -> None: ...

    async def note_activity(self, tenant: str, token_id: str, at: datetime, reads: int) -> str: ...

    async def search(self, query: LogQuery) -> LogPage: ...

    async def find(self, tenant: str, id: str) -> LogEntry | None: ...

    async def cycles(
        self, tenant: str, token_id: str | None = None, *, before: datetime | None = None, limit: int = 20
    ) -> Sequence[Cycle]: ...

    async def cycle(self, tenant: str, id: str) -> Cycle | None: ...

    async def forget(self, tenant: str, resource_id: str) -> int: ...

    async def purge(self, older_than: datetime) -> int: ...


AnyProvisioningLog: TypeAlias = SyncProvisioningLog | ProvisioningLog


class LogRecorder(Protocol):
    """The part of a store that adds entries to its provisioning log, in the transaction of the store.

    A store whose attribute `logs_writes` is True also adds the entries of `Scope.log_entry`, each with its write.
    """

    def record_log(self, entries: Sequence[LogEntry]) -> Awaitable[None] | None:
        """Add entries to the provisioning log. An async store returns an awaitable."""
        ...


class _AwaitedLog:
    """A `SyncProvisioningLog` with the methods of `ProvisioningLog`."""

    is_async: Literal[True] = True

    def __init__(self, log: SyncProvisioningLog) -> None:
        self._log = log

    async def add(self, entries: Sequence[LogEntry]) -> None:
        self._log.add(entries)

    async def note_activity(self, tenant: str, token_id: str, at: datetime, reads: int) -> str:
        return self._log.note_activity(tenant, token_id, at, reads)

    async def search(self, query: LogQuery) -> LogPage:
        return self._log.search(query)

    async def find(self, tenant: str, id: str) -> LogEntry | None:
        return self._log.find(tenant, id)

    async def cycles(
        self, tenant: str, token_id: str | None = None, *, before: datetime | None = None, limit: int = 20
    ) -> Sequence[Cycle]:
        return self._log.cycles(tenant, token_id, before=before, limit=limit)

    async def cycle(self, tenant: str, id: str) -> Cycle | None:
        return self._log.cycle(tenant, id)

    async def forget(self, tenant: str, resource_id: str) -> int:
        return self._log.forget(tenant, resource_id)

    async def purge(self, older_than: datetime) -> int:
        return self._log.purge(older_than)


def as_async_log(log: AnyProvisioningLog) -> ProvisioningLog:
    """Return a log with coroutines. The coroutines of a sync log never suspend, so `run_sync` can run them."""
    return log if log.is_async is True else _AwaitedLog(log)
