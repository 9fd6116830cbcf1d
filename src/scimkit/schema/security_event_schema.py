"""The attribute `securityEvents` of the ServiceProviderConfig (RFC 9967 section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

SECURITY_EVENTS: Final = "securityEvents"


def announced_security_events(event_uris: Sequence[str], async_request: Literal["none", "request"]) -> dict[str, Any]:
    """Return the value of `securityEvents`.

    Args:
        event_uris: The URIs of the events that streams can carry.
        async_request: `request` if the service answers requests asynchronously when the client prefers that.
    """
    return {"asyncRequest": async_request, "eventUris": list(event_uris)}


def security_events_schema() -> dict[str, Any]:
    """Return the definition of `securityEvents`. All attributes are readOnly."""
    return {
        "name": SECURITY_EVENTS,
        "type": "complex",
        "description": "Security events (RFC 9967).",
        "mutability": "readOnly",
        "subAttributes": [
            {
                "name": "asyncRequest",
                "type": "string",
                "description": "Support of asynchronous requests: none, long or request.",
                "mutability": "readOnly",
                "canonicalValues": ["none", "long", "request"],
            },
            {
                "name": "eventUris",
                "type": "string",
                "multiValued": True,
                "description": "The URIs of the events that streams can carry.",
                "mutability": "readOnly",
            },
        ],
    }
