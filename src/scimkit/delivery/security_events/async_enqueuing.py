"""`AsyncEventEnqueuer`: a handler for `async_deliver` that adds tokens to the queue of polling receivers."""

from __future__ import annotations

import asyncio

from scimkit.delivery.security_events.enqueuing import EventEnqueuer
from scimkit.events.pending_requests import RequestOutcome
from scimkit.events.resource_events import ResourceEvent


class AsyncEventEnqueuer:
    """Adds the tokens of an event to the queue in a thread, awaited.

    Args:
        enqueuer: The enqueuer with the queue, the issuer and the streams.
    """

    def __init__(self, enqueuer: EventEnqueuer) -> None:
        self._enqueuer = enqueuer

    async def __call__(self, event: ResourceEvent | RequestOutcome) -> None:
        """Add the tokens of an event. Raises the errors of `EventEnqueuer`."""
        await asyncio.to_thread(self._enqueuer, event)
