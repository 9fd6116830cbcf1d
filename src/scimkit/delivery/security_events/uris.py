"""The URIs of SCIM events (RFC 9967 section 7.4), and the URIs that streams can carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from scimkit.delivery.security_events.streams import EventStream

Mode: TypeAlias = Literal["notice", "full"]

_PREFIX: Final = "urn:ietf:params:scim:event"
FEED_ADD: Final = f"{_PREFIX}:feed:add"
FEED_REMOVE: Final = f"{_PREFIX}:feed:remove"
DELETE: Final = f"{_PREFIX}:prov:delete"
ACTIVATE: Final = f"{_PREFIX}:prov:activate"
DEACTIVATE: Final = f"{_PREFIX}:prov:deactivate"
ASYNC_RESPONSE: Final = f"{_PREFIX}:misc:asyncresp"


def changed(name: Literal["create", "patch", "put"], mode: Mode) -> str:
    """Return the URI of an event that says what changed. Only these URIs end with the mode (section 2.4)."""
    return f"{_PREFIX}:prov:{name}:{mode}"


def event_uris(streams: Iterable[EventStream]) -> tuple[str, ...]:
    """Return the URIs of the events that streams can carry, for `ScimService(security_events=...)`.

    Args:
        streams: The streams of the application.
    """
    found: dict[str, None] = {}
    for stream in streams:
        mode: Mode = stream.mode
        found |= dict.fromkeys((FEED_ADD, FEED_REMOVE) if stream.feed else (FEED_ADD,))
        found |= dict.fromkeys(
            (
                changed("create", mode), changed("patch", mode), changed("put", mode), DELETE, ACTIVATE, DEACTIVATE,
            )
        )  # fmt: skip
        found |= dict.fromkeys((ASYNC_RESPONSE,) if stream.async_responses else ())
    return tuple(found)
