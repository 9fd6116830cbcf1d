"""`async_deliver`: a worker that awaits a handler for the events of an async outbox. It starts no thread."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from scimkit.delivery.retries import (
    DeliveryFailed,
    Failure,
    RetryPolicy,
    check_worker_options,
    failure_of,
    jittered,
)
from scimkit.delivery.worker import PURGE_INTERVAL
from scimkit.errors import ScimError
from scimkit.events.outbox import Outbox, OutboxEntry
from scimkit.events.resource_events import ResourceEvent

_log: Final = logging.getLogger("scimkit")


class AsyncStopSignal(Protocol):
    """A signal that stops a worker, such as `asyncio.Event`."""

    def is_set(self) -> bool:
        """Report whether the worker must stop."""
        ...

    def wait(self) -> Awaitable[object]:
        """Return an awaitable that ends when the signal is set."""
        ...


async def async_deliver(
    outbox: Outbox,
    handler: Callable[[ResourceEvent], Awaitable[None]],
    *,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # RetryPolicy is immutable
    batch: int = 10,
    lease: float = 60.0,
    poll: float = 1.0,
    retention: timedelta | None = None,
    stop: AsyncStopSignal | None = None,
    until_empty: bool = False,
) -> int:
    """Await a handler for the events of an outbox, as `deliver` calls one.

    The events of a batch belong to different resources, and their handlers run at the same time. A handler that has
    not ended within half of `lease` is cancelled, and its event is tried again.

    Args:
        outbox: The outbox of an async store.
        handler: A coroutine function of an event.
        retry: The number of attempts and the delays between them.
        batch: The largest number of events that the worker handles at the same time.
        lease: Seconds until other workers take the events of a worker that was killed.
        poll: Seconds between two looks at an outbox without events.
        retention: The time for which delivered events are kept. By default, they are kept until `purge` is called.
        stop: A signal that ends the worker after the current batch, such as `asyncio.Event`.
        until_empty: Return as soon as no event is due.

    Returns:
        The number of delivered events.
    """
    check_worker_options(batch, lease, poll)
    stop = asyncio.Event() if stop is None else stop
    delivered, next_purge = 0, time.monotonic()
    while not stop.is_set():
        try:
            if retention is not None and time.monotonic() >= next_purge:
                await outbox.purge(datetime.now(UTC) - retention)
                next_purge = time.monotonic() + PURGE_INTERVAL
            entries = await outbox.claim(batch, lease)
        except ScimError:
            if until_empty:
                raise
            _log.exception("the outbox cannot be read")
            await _wait(stop, poll)
            continue
        if entries:
            delivered += await _deliver_entries(outbox, entries, handler, retry, lease)
        elif until_empty:
            break
        else:
            await _wait(stop, poll)
    return delivered


async def _deliver_entries(
    outbox: Outbox,
    entries: Sequence[OutboxEntry],
    handler: Callable[[ResourceEvent], Awaitable[None]],
    retry: RetryPolicy,
    lease: float,
) -> int:
    """Deliver claimed entries at the same time. Return the number of delivered entries."""
    running = set(entries_by_id := {each.event_id: each for each in entries})

    async def one(entry: OutboxEntry) -> bool:
        failure = await _attempt(entry, handler, retry, lease / 2)
        running.discard(entry.event_id)
        try:
            return await _settle(outbox, entry, failure)
        except ScimError:
            _log.exception("the outbox cannot note the delivery of event %s, which comes again", entry.event_id)
            return False

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(each)) for each in entries]
        return sum(each.result() for each in tasks)
    finally:
        if running:  # the worker was cancelled
            with suppress(ScimError):  # the leases end by themselves
                await asyncio.shield(outbox.release([entries_by_id[each] for each in running]))


async def _attempt(
    entry: OutboxEntry, handler: Callable[[ResourceEvent], Awaitable[None]], retry: RetryPolicy, seconds: float
) -> Failure | None:
    """Await the handler for some seconds at most. Return None if it delivered the entry."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            await handler(entry.event)
    except Exception as raised:
        too_long = DeliveryFailed("The handler took longer than half of the lease.")
        return failure_of(too_long if limit.expired() else raised, entry, retry)
    return None


async def _settle(outbox: Outbox, entry: OutboxEntry, failure: Failure | None) -> bool:
    """Note the outcome of an attempt in the outbox. Return True if the entry was delivered."""
    if failure is None:
        await outbox.succeed(entry)
    elif failure.delay is None:
        await outbox.dead_letter(entry, failure.detail)
    else:
        await outbox.fail(entry, failure.detail, failure.delay)
    return failure is None


async def _wait(stop: AsyncStopSignal, poll: float) -> None:
    """Wait until the signal is set, or for about `poll` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(jittered(poll)):
            await stop.wait()
