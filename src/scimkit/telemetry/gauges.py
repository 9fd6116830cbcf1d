"""The gauges of `scimkit.telemetry`: the backlog of the outbox, the health of connections, and the readiness.

The SDK reads gauges in a thread of its own. A reading of an async store runs on the event loop that served the last
request. If a value cannot be read, its gauge has no value until it can.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import UTC, datetime
from inspect import isawaitable
from time import monotonic
from typing import Any, Final, Generic, TypeAlias, TypeVar, get_args

from opentelemetry import context, metrics
from opentelemetry.metrics import Observation

from scimkit.events.outbox import OutboxBacklog
from scimkit.loop import awaited_health
from scimkit.provisioning.health import HealthStatus, async_connection_health
from scimkit.provisioning.log import as_async_log
from scimkit.runner import run_sync
from scimkit.service import ScimService
from scimkit.service.health import health
from scimkit.telemetry import instruments
from scimkit.telemetry.instruments import CONNECTION_STATUS, SUPPRESSED, TENANT
from scimkit.tokens import AsyncTokenRegistry, TokenRegistry

Value = TypeVar("Value")
AnyRegistry: TypeAlias = TokenRegistry | AsyncTokenRegistry
Tenants: TypeAlias = Iterable[str] | Callable[[], Iterable[str]]

_log: Final = logging.getLogger("scimkit")

_PATIENCE: Final = 5.0
"""Maximum number of seconds in which an event loop must answer."""
_OUTBOX_SECONDS: Final = 5.0
"""Number of seconds for which a reading of the outbox is used again."""
_CONNECTION_SECONDS: Final = 30.0
_MAX_CONNECTIONS: Final = 500
"""Maximum number of connections whose health is read."""


class EventLoops:
    """Runs the coroutines of readings: on the event loop of a service that needs one, or without an event loop."""

    def __init__(self, service: ScimService) -> None:
        self._is_async = service.is_async
        self._loop: asyncio.AbstractEventLoop | None = None

    def note(self) -> None:
        """Remember the event loop that runs a request now."""
        if self._is_async and (self._loop is None or self._loop.is_closed()):
            self._loop = _running_loop()

    def run(self, work: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """Return the result of a coroutine.

        Raises:
            RuntimeError: No request has been served yet, or the event loop itself asks, which would wait for itself.
            TimeoutError: The event loop does not answer.
        """
        token = context.attach(context.set_value(SUPPRESSED, True))
        try:
            return self._run(work)
        finally:
            context.detach(token)

    def _run(self, work: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        if not self._is_async:
            return run_sync(work())
        loop = self._loop
        if loop is None or not loop.is_running() or _running_loop() is loop:
            raise RuntimeError("there is no event loop to read from")
        future = asyncio.run_coroutine_threadsafe(work(), loop)
        try:
            return future.result(_PATIENCE)
        finally:
            future.cancel()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class _Cached(Generic[Value]):
    """A value that is read at most once in some seconds, because several gauges use it."""

    def __init__(self, loops: EventLoops, read: Callable[[], Coroutine[Any, Any, Value]], seconds: float) -> None:
        self._loops = loops
        self._read = read
        self._seconds = seconds
        self._until = 0.0
        self._value: Value | None = None

    def value(self) -> Value | None:
        """Return the value, or None if it cannot be read."""
        if monotonic() < self._until:
            return self._value
        self._until = monotonic() + self._seconds
        try:
            self._value = self._loops.run(self._read)
        except RuntimeError:
            self._value, self._until = None, 0.0
        except Exception as error:
            self._value = None
            _log.warning("telemetry: a gauge cannot be read (%s)", type(error).__name__)
        return self._value


async def _awaited(answer: Value | Awaitable[Value]) -> Value:
    """Return the answer of a method that may be a coroutine function."""
    given: Any = answer
    result: Value = await given if isawaitable(given) else given
    return result


def add_gauges(
    service: ScimService,
    meter: metrics.Meter,
    loops: EventLoops,
    *,
    tokens: AnyRegistry | None,
    tenants: Tenants,
    records_tenant: bool,
) -> None:
    """Create the gauges of a service.

    Args:
        service: The service.
        meter: Makes the gauges.
        loops: Runs the readings.
        tokens: The registry whose tokens make the connections, or None for no gauge of connections.
        tenants: The tenants whose connections are read, or a function that returns them.
        records_tenant: True to count the connections of each tenant separately.
    """

    async def ready() -> bool:
        return (await awaited_health(service) if service.is_async else health(service)).ready

    readiness = _Cached(loops, ready, 0.0)
    instruments.gauge(meter, instruments.READY, lambda: _observed(readiness.value(), float))
    outbox = getattr(service.store, "outbox", None)
    if outbox is not None:

        async def backlog() -> OutboxBacklog:
            return await _awaited(outbox.backlog())

        found = _Cached(loops, backlog, _OUTBOX_SECONDS)
        instruments.gauge(meter, instruments.OUTBOX_PENDING, lambda: _observed(found.value(), lambda it: it.pending))
        instruments.gauge(meter, instruments.OUTBOX_DEAD, lambda: _observed(found.value(), lambda it: it.dead))
        instruments.gauge(meter, instruments.OUTBOX_LAG, lambda: _observed(found.value(), _lag))
    if tokens is not None and service.provisioning_log is not None:
        counts = _Cached(loops, lambda: _count(service, tokens, tenants), _CONNECTION_SECONDS)
        instruments.gauge(
            meter, instruments.CONNECTIONS, lambda: _connections(counts.value(), by_tenant=records_tenant)
        )


def _observed(value: Value | None, number: Callable[[Value], float]) -> Iterable[Observation]:
    return [] if value is None else [Observation(number(value))]


def _lag(backlog: OutboxBacklog) -> float:
    if backlog.oldest is None:
        return 0.0
    return max(0.0, (datetime.now(UTC) - backlog.oldest).total_seconds())


async def _count(service: ScimService, tokens: AnyRegistry, tenants: Tenants) -> Counter[tuple[str, HealthStatus]]:
    """Count the connections of active tokens by tenant and status."""
    assert service.provisioning_log is not None
    log, now = as_async_log(service.provisioning_log), datetime.now(UTC)
    counts: Counter[tuple[str, HealthStatus]] = Counter()
    for tenant in tenants() if callable(tenants) else tenants:
        counts.update({(tenant, each): 0 for each in get_args(HealthStatus)})
        for record in await _awaited(tokens.list(tenant)):
            if record.status(now) == "Active" and counts.total() < _MAX_CONNECTIONS:
                found = await async_connection_health(log, tenant, record.id, now)
                counts[tenant, found.status] += 1
    return counts


def _connections(counts: Counter[tuple[str, HealthStatus]] | None, *, by_tenant: bool) -> Iterable[Observation]:
    if counts is None:
        return []
    if by_tenant:
        return [
            Observation(count, {TENANT: tenant, CONNECTION_STATUS: status})
            for (tenant, status), count in counts.items()
        ]
    sums: Counter[str] = Counter()
    for (_, status), count in counts.items():
        sums[status] += count
    return [Observation(count, {CONNECTION_STATUS: status}) for status, count in sums.items()]
