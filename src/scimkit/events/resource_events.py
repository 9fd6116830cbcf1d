"""Resource events: values that say what a write did to a user, a group or another resource.

A handler takes an event apart with `match`:

    match event:
        case UserDeactivated(id=agent):
            ...
        case MembersAdded(id=team, members=agents):
            ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from scimkit.documents import Document
from scimkit.uuid7 import new_uuid7

MAX_MEMBERS: Final = 1_000
"""The largest number of members in one event. A change of more members becomes several events."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """The change of an attribute with one value. None stands for no value."""

    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ValuesChange:
    """The change of a multi-valued attribute: the values that were added and removed."""

    added: tuple[Any, ...] = ()
    removed: tuple[Any, ...] = ()


Change: TypeAlias = AttributeChange | ValuesChange


class LazyChanges(Mapping[str, Change]):
    """A mapping of changes that is computed on first use, because many handlers never look."""

    __slots__ = ("_compute", "_found")

    def __init__(self, compute: Callable[[], dict[str, Change]]) -> None:
        self._compute: Callable[[], dict[str, Change]] = compute
        self._found: dict[str, Change] | None = None

    def _changes(self) -> dict[str, Change]:
        if self._found is None:
            self._found = self._compute()
        return self._found

    def __getitem__(self, path: str) -> Change:
        return self._changes()[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._changes())

    def __len__(self) -> int:
        return len(self._changes())

    def __repr__(self) -> str:
        return repr(self._changes())


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceEvent:
    """Base class of the events of resources. Attributes that the service never returns are in no event."""

    resource_type: str
    """The name of the resource type, such as `User`."""
    id: str
    """The id of the resource."""
    tenant: str
    """The tenant that the resource belongs to."""
    token_id: str = ""
    """The id of the token of the request."""
    request_id: str = ""
    """The id of the request, which the response and the log lines have too."""
    external_id: str | None = None
    """The `externalId` of the resource."""
    label: str | None = field(default=None, repr=False)
    """The `userName` of a user or the `displayName` of another resource, for people who read a log.

    An agent without a `displayName` has its `agentUserName`.
    """
    changes: Mapping[str, Change] = field(default_factory=dict, repr=False)
    """The changed attributes by path: `name.givenName`, `emails`, or the URN of an extension, `:` and a name."""
    document: Document = field(default_factory=dict, repr=False)
    """The resource after the write, without `meta`, members and groups. For a deletion, the resource before it."""
    quirks: tuple[str, ...] = ()
    """The names of the quirks that the request needed."""
    operation: str | None = None
    """The operation of the request: `create`, `replace`, `patch` or `delete`. None if no request made the event."""
    transaction_id: str | None = None
    """The id that all events of one write have."""
    resource_version: str | None = None
    """The version (ETag) of the resource after the write. None for a deletion."""
    event_id: str = field(default_factory=new_uuid7)
    """A UUIDv7."""
    time: datetime = field(default_factory=_utc_now)
    """The time of the write, in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceCreated(ResourceEvent):
    """A resource was created."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUpdated(ResourceEvent):
    """At least one attribute of a resource changed. A change of members only has events of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDeleted(ResourceEvent):
    """A resource was deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserActivated(ResourceEvent):
    """The `active` attribute of a user changed from false. A `ResourceUpdated` precedes this event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDeactivated(ResourceEvent):
    """The `active` attribute of a user changed to false. A `ResourceUpdated` precedes this event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersAdded(ResourceEvent):
    """Members were added to a group."""

    members: tuple[str, ...] = ()
    """The ids of at most `MAX_MEMBERS` members that the group did not have before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersRemoved(ResourceEvent):
    """Members were removed from a group, or a member of the group was deleted."""

    members: tuple[str, ...] = ()
    """The ids of at most `MAX_MEMBERS` members that the group had before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceLinked(ResourceEvent):
    """A POST took over an account of the application (`link_by`). A `ResourceUpdated` follows this event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerTripped(ResourceEvent):
    """A breaker tripped: deactivations and deletions of users are refused until an administrator releases it.

    The event goes to `after_commit` listeners only, because the write that tripped the breaker was refused. `id` is the
    id of the user in that write.
    """

    deactivations: int = 0
    """The number of deactivations and deletions in the window, with the refused one."""
    limit: int = 0
    """The number that the breaker allows in the window."""


EVENT_TYPES: Final[Mapping[str, type[ResourceEvent]]] = {
    each.__name__: each
    for each in (
        ResourceCreated, ResourceUpdated, ResourceDeleted, UserActivated, UserDeactivated, MembersAdded, MembersRemoved,
        ResourceLinked, BreakerTripped,
    )
}  # fmt: skip
"""The classes of resource events by name."""
