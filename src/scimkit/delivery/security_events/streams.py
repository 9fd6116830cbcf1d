"""Event streams: the receiver of the events of one tenant, and the resources that the receiver hears of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStream:
    """A series of security events for one receiver (RFC 9967 section 1.3, "Event Stream").

    Raises:
        ValueError: The id has other characters than letters, digits, `.`, `_` and `-`, or there is no audience.
    """

    id: str
    """The name of the stream in URLs and in the queue, unique in your application."""
    audience: str | Sequence[str]
    """The receivers that accept the tokens (`aud`), such as `https://siem.example.com/scim`."""
    tenant: str = "default"
    """The tenant whose events the stream carries. Events of other tenants are never in the stream."""
    mode: Literal["notice", "full"] = "notice"
    """`notice` sends the names of changed attributes. `full` sends their values."""
    feed: Mapping[str, str | None] = field(default_factory=dict)
    """The resources in the stream, as a SCIM filter for each resource type, such as `{"User": "active eq true"}`.

    None stands for every resource of the type. Types that the mapping lacks are not in the stream. An empty mapping
    stands for all resources.
    """

    async_responses: bool = False
    """True if the stream has the outcomes of accepted requests too, for the client that sent the requests."""

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise ValueError("the id of a stream must have 1 to 64 letters, digits, dots, underscores and hyphens")
        if not self.audience or "" in ([self.audience] if isinstance(self.audience, str) else self.audience):
            raise ValueError("a stream needs an audience")
        if self.mode not in ("notice", "full"):
            raise ValueError("the mode of a stream must be notice or full")
