"""`EventEnqueuer`: a handler for `deliver` that adds security event tokens to the queue of polling receivers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from scimkit.delivery.security_events.issuer import SecurityEventIssuer
from scimkit.delivery.security_events.streams import EventStream
from scimkit.delivery.worker import PURGE_INTERVAL
from scimkit.events.pending_requests import RequestOutcome
from scimkit.events.poll_queue import PollQueue
from scimkit.events.resource_events import ResourceEvent


class EventEnqueuer:
    """Adds the tokens of an event to the queue, once for each stream that carries the event.

        deliver(store.outbox, EventEnqueuer(SqlPollQueue(store.engine), issuer, streams))

    Args:
        queue: The queue that the poll endpoint serves.
        issuer: The issuer that signs the tokens.
        streams: The streams. Each carries the events of its tenant.
        retention: The time after which a token is removed although no receiver acknowledged it.

    Raises:
        ValueError: Two streams have the same id, or the feed of a stream is not valid.
    """

    def __init__(
        self,
        queue: PollQueue,
        issuer: SecurityEventIssuer,
        streams: Sequence[EventStream],
        *,
        retention: timedelta = timedelta(days=30),
    ) -> None:
        if len({each.id for each in streams}) != len(streams):
            raise ValueError("each stream needs an id of its own")
        for each in streams:
            issuer.check(each)
        self._queue = queue
        self._issuer = issuer
        self._streams = tuple(streams)
        self._retention = retention
        self._next_purge = time.monotonic()

    def __call__(self, event: ResourceEvent | RequestOutcome) -> None:
        """Add the tokens of an event.

        Raises:
            Unavailable: The database failed.
            Undeliverable: The resource type of the event is not known.
        """
        for stream in self._streams:
            token = self._issuer.token(event, stream)
            if token is not None:
                self._queue.add(stream.id, token.jti, token.text)
        if time.monotonic() >= self._next_purge:
            self._next_purge = time.monotonic() + PURGE_INTERVAL
            for stream in self._streams:
                self._queue.purge(stream.id, datetime.now(UTC) - self._retention)
