"""Revocations in the provisioning log: which access of users who left must still end, and which of it is overdue.

An entry with the action `EndAccess` and a time (`within`) begins a revocation. A later entry that names the first one
(`begun`) and is no failure ends it. Every process that reads the log therefore knows which revocations are open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from scimkit.events.resource_events import ResourceEvent
from scimkit.provisioning.entries import LogEntry, LogResult
from scimkit.provisioning.log import LogQuery, ProvisioningLog, SyncProvisioningLog, as_async_log
from scimkit.runner import run_sync
from scimkit.uuid7 import id_derived_from, new_uuid7

MAX_SCANNED: Final = 5_000
"""The largest number of entries about revocations that are read, the newest first."""
_PAGE: Final = 500


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
    entry_id: str = ""
    """The id of the entry of the provisioning log with which the revocation began."""


def begun_entry(revoker: str, within: timedelta, event: ResourceEvent) -> LogEntry:
    """Return the entry with which a revocation begins. A revoker and an event have one entry."""
    seconds = within.total_seconds()
    return LogEntry(
        id=id_derived_from(event.event_id, revoker), tenant=event.tenant, token_id=event.token_id, action="EndAccess",
        result="Warning", started=event.time, request_id=event.request_id, resource_type=event.resource_type,
        resource_id=event.id, revoker=revoker, within=seconds,
        detail=f"The revoker {revoker} has begun. The access must end within {seconds:.0f} s.",
    )  # fmt: skip


def failed_entry(begun: LogEntry) -> LogEntry:
    """Return the entry of a revoker that failed. The revocation stays open."""
    detail = f"The revoker {begun.revoker} failed. The user may still have access."
    return _later(begun, datetime.now(UTC), "Failure", detail)


def ended_entry(begun: LogEntry, now: datetime) -> LogEntry:
    """Return the entry with which a revocation ends, in time or late."""
    late = _lateness(begun, now).total_seconds()
    if late > 0:
        return _later(begun, now, "Warning", f"The revoker {begun.revoker} ended the access {late:.0f} s late.")
    return _later(begun, now, "Success", f"The revoker {begun.revoker} ended the access in time.")


async def open_revocations(log: ProvisioningLog, tenant: str, resource_id: str | None = None) -> list[LogEntry]:
    """Return the entries with which open revocations of a tenant, or of one user, began. The newest is the first one.

    At most `MAX_SCANNED` entries are read.
    """
    begun: list[LogEntry] = []
    ended: set[str] = set()
    cursor: str | None = None
    for _ in range(MAX_SCANNED // _PAGE):
        query = LogQuery(tenant=tenant, action="EndAccess", resource_id=resource_id, cursor=cursor, limit=_PAGE)
        page = await log.search(query)
        begun += [each for each in page.entries if each.within]
        ended |= {each.begun for each in page.entries if each.result != "Failure"}
        cursor = page.next
        if cursor is None:
            break
    return [each for each in begun if each.id not in ended]


async def async_overdue_revocations(
    log: ProvisioningLog, tenant: str, now: datetime | None = None
) -> tuple[OverdueRevocation, ...]:
    """Return the revocations of a tenant that are open after their deadline, whichever process began them.

    Args:
        log: The provisioning log.
        tenant: The tenant.
        now: The present time, for tests.
    """
    at = now or datetime.now(UTC)
    return tuple(
        OverdueRevocation(each.revoker, tenant, each.resource_id, late, each.id)
        for each in await open_revocations(log, tenant)
        if (late := _lateness(each, at)) > timedelta(0)
    )


def overdue_revocations(
    log: SyncProvisioningLog, tenant: str, now: datetime | None = None
) -> tuple[OverdueRevocation, ...]:
    """Return the overdue revocations of a tenant, as `async_overdue_revocations` does."""
    return run_sync(async_overdue_revocations(as_async_log(log), tenant, now))


def _lateness(begun: LogEntry, now: datetime) -> timedelta:
    """Return the time since the deadline of a revocation, which is negative before the deadline."""
    return now - begun.started - timedelta(seconds=begun.within)


def _later(begun: LogEntry, now: datetime, result: LogResult, detail: str) -> LogEntry:
    """Return a later entry of a revocation."""
    return LogEntry(
        id=new_uuid7(), tenant=begun.tenant, action="EndAccess", result=result, started=now,
        error_code="revocationFailed" if result == "Failure" else "", detail=detail, request_id=begun.request_id,
        resource_type=begun.resource_type, resource_id=begun.resource_id, revoker=begun.revoker, begun=begun.id,
    )  # fmt: skip
