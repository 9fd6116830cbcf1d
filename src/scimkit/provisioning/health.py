"""The health of a connection: the state of the provisioning of one token, computed from its cycles.

The decisions are functions of values. `connection_health` and `async_connection_health` read the values from a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final, Literal, TypeAlias

from scimkit.provisioning.entries import LogEntry
from scimkit.provisioning.log import Cycle, LogQuery, ProvisioningLog, SyncProvisioningLog, as_async_log
from scimkit.runner import run_sync

HealthStatus: TypeAlias = Literal["Waiting", "Connected", "Provisioning", "Failing", "Silent"]
"""The state of a connection.

- `Waiting`: the token was never used.
- `Connected`: the identity provider tested the connection or read resources, and wrote nothing yet.
- `Provisioning`: the last cycle that wrote had no failure.
- `Failing`: the last cycle that wrote or failed had failures.
- `Silent`: no request came for three usual intervals. The job may be switched off or in quarantine.
"""

USUAL_INTERVAL: Final = timedelta(minutes=40)
"""The interval of cycles while a connection has too few cycles to know its own. Entra begins one every 40 minutes."""
SILENT_AFTER: Final = 3
"""The number of usual intervals without a request after which a connection is silent."""
_CYCLES: Final = 20
_HIT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionHealth:
    """The health of the connection that one token makes."""

    tenant: str
    """The tenant."""
    token_id: str
    """The token."""
    status: HealthStatus
    """The state."""
    last_request: datetime | None = None
    """The time of the last request, with the precision of some seconds."""
    interval: timedelta = USUAL_INTERVAL
    """The usual time between the beginnings of two cycles."""
    next_expected: datetime | None = None
    """The time at which the next cycle should begin, if there was a cycle."""
    failing_since: datetime | None = None
    """The beginning of the first of the consecutive cycles with failures, up to the last one."""
    failures: int = 0
    """The number of failures in the last cycle that wrote or failed."""
    error_code: str = ""
    """The most frequent error code of that cycle."""
    error_detail: str = ""
    """The detail of the last failure with that error code."""
    affected: tuple[str, ...] = field(default=(), repr=False)
    """The labels or ids of resources with that error code, at most 5."""
    last_cycle: Cycle | None = field(default=None, repr=False)
    """The last cycle."""


def health_of(
    tenant: str, token_id: str, cycles: Sequence[Cycle], now: datetime, failures: Sequence[LogEntry] = ()
) -> ConnectionHealth:
    """Return the health of a connection.

    Args:
        tenant: The tenant.
        token_id: The token.
        cycles: The last cycles of the token, the newest first.
        now: The present time, in UTC.
        failures: The failures in `failing_cycle(cycles)`, the newest first.
    """
    if not cycles:
        return ConnectionHealth(tenant=tenant, token_id=token_id, status="Waiting")
    last, interval = cycles[0], usual_interval(cycles)
    failing = failing_cycle(cycles)
    status: HealthStatus = "Connected"
    if now - last.end > SILENT_AFTER * interval:
        status = "Silent"
    elif failing is not None:
        status = "Failing"
    elif any(each.counts for each in cycles):
        status = "Provisioning"
    code = "" if failing is None else max(failing.errors, key=lambda each: (failing.errors[each], each), default="")
    hit = [each for each in failures if each.error_code == code]
    names = dict.fromkeys(each.label or each.external_id or each.resource_id for each in hit)
    return ConnectionHealth(
        tenant=tenant,
        token_id=token_id,
        status=status,
        last_request=last.end,
        interval=interval,
        next_expected=last.start + interval,
        failing_since=_failing_since(cycles),
        failures=0 if failing is None else failing.failures,
        error_code=code,
        error_detail=hit[0].detail if hit else "",
        affected=tuple(name for name in names if name)[:5],
        last_cycle=last,
    )


def usual_interval(cycles: Sequence[Cycle]) -> timedelta:
    """Return the usual time between two cycles: the median, or `USUAL_INTERVAL` if there are fewer than four cycles.

    Args:
        cycles: Cycles of one token, the newest first.
    """
    if len(cycles) < 4:
        return USUAL_INTERVAL
    gaps = [(later.start - earlier.start).total_seconds() for later, earlier in pairwise(cycles)]
    return timedelta(seconds=median(gaps))


def failing_cycle(cycles: Sequence[Cycle]) -> Cycle | None:
    """Return the newest cycle that has entries, if it has failures. Cycles that only read do not count."""
    last = next((each for each in cycles if each.counts), None)
    return last if last is not None and last.failures else None


def _failing_since(cycles: Sequence[Cycle]) -> datetime | None:
    """Return the beginning of the first of the consecutive failing cycles, up to the newest cycle with entries."""
    since: datetime | None = None
    for each in cycles:
        if each.counts and not each.failures:
            break
        if each.failures:
            since = each.start
    return since


async def async_connection_health(
    log: ProvisioningLog, tenant: str, token_id: str, now: datetime | None = None
) -> ConnectionHealth:
    """Return the health of a connection from the entries of a log.

    Args:
        log: The provisioning log.
        tenant: The tenant.
        token_id: The token.
        now: The present time, for tests.
    """
    cycles = await log.cycles(tenant, token_id, limit=_CYCLES)
    failing = failing_cycle(cycles)
    failures: Sequence[LogEntry] = ()
    if failing is not None:
        query = LogQuery(tenant=tenant, cycle_id=failing.id, result="Failure", limit=_HIT)
        failures = (await log.search(query)).entries
    return health_of(tenant, token_id, cycles, now or datetime.now(UTC), failures)


def connection_health(
    log: SyncProvisioningLog, tenant: str, token_id: str, now: datetime | None = None
) -> ConnectionHealth:
    """Return the health of a connection, as `async_connection_health` does."""
    return run_sync(async_connection_health(as_async_log(log), tenant, token_id, now))
