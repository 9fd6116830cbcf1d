from typing import Any

from scimkit.delivery import deliver
from scimkit.delivery.security_events import EventEnqueuer, EventPush, EventStream, SecurityEventIssuer
from scimkit.events import PollQueue, ResourceEvent, SyncOutbox


def run_worker(
    outbox: SyncOutbox,
    queue: PollQueue,
    issuer: SecurityEventIssuer,
    pushed: EventStream,
    polled: EventStream,
    url: str,
    **options: Any,
) -> int:
    """Push the events of one stream, and keep the events of another one until its receiver polls."""
    enqueue = EventEnqueuer(queue, issuer, [polled])
    with EventPush(url, issuer, pushed, authorization="Bearer s3cr3t", **options) as push:

        def send(event: ResourceEvent) -> None:
            enqueue(event)
            push(event)

        return deliver(outbox, send, until_empty=True)
