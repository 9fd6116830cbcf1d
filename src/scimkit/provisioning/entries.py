"""The entries of the provisioning log: one for each write and each failure, in the words of Entra's own log.

This module never does I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

Action: TypeAlias = Literal[
    "Create", "Update", "Disable", "Enable", "Delete", "AddMembers", "RemoveMembers", "RequestToken", "EndAccess",
    "Other",
]  # fmt: skip
"""What a request did, or was about to do.

- `RequestToken`: a request to the token endpoint that failed.
- `EndAccess`: the beginning, the failure or the end of a revocation, which a `Revoker` of `scimkit.safeguards` makes.
- `Other`: another request that failed and does not write.
"""

LogResult: TypeAlias = Literal["Success", "Warning", "Skipped", "Failure"]
"""The outcome of a request.

- `Success`: the request did what it asked for.
- `Warning`: the request succeeded, but needed a quirk, named members that do not exist, or sent attributes that the
  store does not keep.
- `Skipped`: the request changed nothing, because the resource was already as requested. A resource to delete was gone.
- `Failure`: the request was refused or failed.
"""

REDACTED: Final[Mapping[str, Any]] = {"redacted": True}
"""Stands for the values of an attribute that the log does not keep."""
MAX_IDS: Final = 100
"""The largest number of member ids in one entry. `added_count` and `removed_count` count all members."""


@dataclass(frozen=True, slots=True)
class QuirkUse:
    """A quirk that a request needed, with what it rewrote.

    `before` and `after` are JSON or SCIM text. Both are None if the log keeps no values.
    """

    name: str
    """The name of the quirk, as on the page of quirks."""
    attribute: str | None = None
    """The attribute or path, if the quirk concerns one."""
    before: str | None = field(default=None, repr=False)
    """The text that the client sent."""
    after: str | None = field(default=None, repr=False)
    """The text in RFC form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One entry of the provisioning log. It has no secret, and no personal data beyond what `LogOptions` allows."""

    id: str
    """A UUIDv7: entries in the order of their ids are in the order of time."""
    tenant: str
    """The tenant of the token."""
    action: Action
    """The kind of the request."""
    result: LogResult
    """The outcome."""
    started: datetime
    """The time at which the request began, in UTC."""
    token_id: str = ""
    """The id of the token. For `RequestToken`, the id of the OAuth client."""
    cycle_id: str = ""
    """The id of the cycle that the request belongs to."""
    error_code: str = ""
    """The `scimType` of the error, or the HTTP status if the error has none. Empty if there was no error.

    For `RequestToken`, the `error` of RFC 6749 section 5.2.
    """
    detail: str = ""
    """The detail of the error, as the identity provider received it. For `RequestToken`, the reason."""
    duration: float = 0.0
    """The duration in milliseconds until the entry was made."""
    request_id: str = ""
    """The id of the request, which the response and the log lines have too."""
    user_agent: str = ""
    """The `User-Agent` header, shortened."""
    identity_provider: str = ""
    """The identity provider that sent the request, guessed from `user_agent`. Empty if there is no guess."""
    method: str = ""
    """The HTTP method, or the method of the operation of a bulk request."""
    resource_type: str = ""
    """The name of the resource type, such as `User`."""
    resource_id: str = ""
    """The id of the resource. Empty for a failed POST."""
    external_id: str | None = field(default=None, repr=False)
    """The `externalId` of the resource."""
    label: str | None = field(default=None, repr=False)
    """The `userName` or `displayName` of the resource. For `RequestToken`, the description of the client."""
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    """The changed attributes by path.

    A change is `{"before": ..., "after": ...}` for one value, `{"added": [...], "removed": [...]}` for several values,
    or `REDACTED`.
    """
    added_members: tuple[str, ...] = field(default=(), repr=False)
    """The ids of members that a group got, at most `MAX_IDS`."""
    removed_members: tuple[str, ...] = field(default=(), repr=False)
    """The ids of members that a group lost, at most `MAX_IDS`."""
    added_count: int = 0
    """The number of members that a group got."""
    removed_count: int = 0
    """The number of members that a group lost."""
    missing_members: tuple[str, ...] = field(default=(), repr=False)
    """The ids of members that do not exist and were skipped, at most `MAX_IDS`."""
    missing_count: int = 0
    """The number of members that do not exist and were skipped."""
    quirks: tuple[QuirkUse, ...] = ()
    """The quirks that the request needed."""
    dropped: tuple[str, ...] = ()
    """The paths of attributes that the client sent and the store does not keep."""
    revoker: str = ""
    """The name of the revoker, for `EndAccess`."""
    within: float = 0.0
    """The seconds in which the access must end, for an entry with which a revocation began. Otherwise 0."""
    begun: str = ""
    """The id of the entry with which the revocation began, for an entry with which it failed or ended."""
    is_forgotten: bool = False
    """True if the personal data of the entry was erased by `forget`."""
