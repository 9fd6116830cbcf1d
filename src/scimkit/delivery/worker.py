"""`deliver`: a worker that passes the events of an outbox to a handler. It starts no thread.

Any number of workers may run at once, in threads, processes and on machines.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from scimkit.delivery.retries import Failure, RetryPolicy, check_worker_options, failure_of, jittered
from scimkit.errors import ScimError
from scimkit.events.outbox import OutboxEntry, SyncOutbox
from scimkit.events.resource_events import ResourceEvent

PURGE_INTERVAL: Final = 3600.0
"""Seconds between two deletions of entries that are past their retention."""

_log: Final = logging.getLogger("scimkit")


class StopSignal(Protocol):
    """A signal that stops a worker, such as `threading.Event`."""

    def is_set(self) -> bool:
        """Report whether the worker must stop."""
        ...

    def wait(self, timeout: float) -> object:
        """Wait until the signal is set, or for some seconds."""
        ...


class NeverStop:
    """A signal that is never set."""

    def is_set(self) -> bool:
        """Return False."""
        return False

    def wait(self, timeout: float) -> None:
        """Wait for some seconds."""
        time.sleep(timeout)


def deliver(
    outbox: SyncOutbox,
    handler: Callable[[ResourceEvent], None],
    *,
    retry: RetryPolicy = RetryPolicy(),  # noqa: B008  # RetryPolicy is immutable
    batch: int = 10,
    lease: float = 60.0,
    poll: float = 1.0,
    retention: timedelta | None = None,
    stop: StopSignal | None = None,
    until_empty: bool = False,
) -> int:
    """Pass the events of an outbox to a handler, each at least once, in order for each resource.

    A handler that returns has delivered the event. A handler that raises is called again later, up to `retry.tries`
    times. An event can come twice, because a worker may be killed between the delivery and its confirmation. The
    `event_id` is the same each time. A failure of the database is logged, and the worker goes on.

    Args:
        outbox: The outbox of a store.
        handler: A function of an event. It must end within half of `lease`, because another worker then takes the
            event.
        retry: The number of attempts and the delays between them.
        batch: The largest number of events that the worker claims at once.
        lease: Seconds until other workers take the events of a worker that was killed.
        poll: Seconds between two looks at an outbox without events.
        retention: The time for which delivered events are kept. By default, they are kept until `purge` is called.
        stop: A signal that ends the worker after the current event, such as `threading.Event`.
        until_empty: Return as soon as no event is due.

    Returns:
        The number of delivered events.
    """
    check_worker_options(batch, lease, poll)
    stop = NeverStop() if stop is None else stop
    delivered, next_purge = 0, time.monotonic()
    while not stop.is_set():
        ends = time.monotonic() + lease / 2
        try:
            if retention is not None and time.monotonic() >= next_purge:
                outbox.purge(datetime.now(UTC) - retention)
                next_purge = time.monotonic() + PURGE_INTERVAL
            entries = outbox.claim(batch, lease)
        except ScimError:
            if until_empty:
                raise
            _log.exception("the outbox cannot be read")
            stop.wait(jittered(poll))
            continue
        if entries:
            delivered += _deliver_entries(outbox, list(entries), handler, retry, ends, stop)
        elif until_empty:
            break
        else:
            stop.wait(jittered(poll))
    return delivered


def _deliver_entries(
    outbox: SyncOutbox,
    entries: list[OutboxEntry],
    handler: Callable[[ResourceEvent], None],
    retry: RetryPolicy,
    ends: float,
    stop: StopSignal,
) -> int:
    """Deliver claimed entries until `ends`, and give back the rest. Return the number of delivered entries."""
    delivered = 0
    try:
        while entries and time.monotonic() < ends and not stop.is_set():
            failure = _attempt(entries[0], handler, retry)
            entry = entries.pop(0)
            try:
                delivered += _settle(outbox, entry, failure)
            except ScimError:
                _log.exception("the outbox cannot note the delivery of event %s, which comes again", entry.event_id)
    finally:
        if entries:
            with suppress(ScimError):  # the leases end by themselves
                outbox.release(entries)
    return delivered


def _attempt(entry: OutboxEntry, handler: Callable[[ResourceEvent], None], retry: RetryPolicy) -> Failure | None:
    """Call the handler. Return None if it delivered the entry."""
    try:
        handler(entry.event)
    except Exception as error:
        return failure_of(error, entry, retry)
    return None


def _settle(outbox: SyncOutbox, entry: OutboxEntry, failure: Failure | None) -> bool:
    """Note the outcome of an attempt in the outbox. Return True if the entry was delivered."""
    if failure is None:
        outbox.succeed(entry)
    elif failure.delay is None:
        outbox.dead_letter(entry, failure.detail)
    else:
        outbox.fail(entry, failure.detail, failure.delay)
    return failure is None
