"""The message of a webhook: an event as JSON, with the headers of Standard Webhooks. This module sends nothing."""

from __future__ import annotations

import time

from scimkit.delivery.messages import Message
from scimkit.delivery.signatures import Signer
from scimkit.documents import write_json
from scimkit.events.resource_events import ResourceEvent
from scimkit.events.serialization import event_to_json


def signed_message(event: ResourceEvent, signer: Signer) -> Message:
    """Return the message of an event, with the headers of Standard Webhooks."""
    body, timestamp = write_json(event_to_json(event)), int(time.time())
    headers = {
        "content-type": "application/json",
        "webhook-id": event.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signer.sign(event.event_id, timestamp, body),
    }
    return Message(body, headers)
