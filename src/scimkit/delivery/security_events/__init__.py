"""Security event tokens of SCIM (RFC 9967), delivered by push (RFC 8935) or by poll (RFC 8936).

Needs `scimkit[oauth]`.
"""

from typing import TYPE_CHECKING, Any

from scimkit.delivery.security_events.enqueuing import EventEnqueuer
from scimkit.delivery.security_events.issuer import SecurityEventIssuer, SecurityEventToken
from scimkit.delivery.security_events.polling import PollEndpoint, PollStream
from scimkit.delivery.security_events.push import EventPush
from scimkit.delivery.security_events.request_worker import process_requests
from scimkit.delivery.security_events.streams import EventStream
from scimkit.delivery.security_events.uris import event_uris

if TYPE_CHECKING:
    from scimkit.delivery.security_events.async_enqueuing import AsyncEventEnqueuer
    from scimkit.delivery.security_events.async_push import AsyncEventPush

__all__ = [
    "AsyncEventEnqueuer", "AsyncEventPush", "EventEnqueuer", "EventPush", "EventStream", "PollEndpoint", "PollStream",
    "SecurityEventIssuer", "SecurityEventToken", "event_uris", "process_requests",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import the async classes on first use, because they need asyncio."""
    if name == "AsyncEventEnqueuer":
        from scimkit.delivery.security_events.async_enqueuing import AsyncEventEnqueuer

        return AsyncEventEnqueuer
    if name == "AsyncEventPush":
        from scimkit.delivery.security_events.async_push import AsyncEventPush

        return AsyncEventPush
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
