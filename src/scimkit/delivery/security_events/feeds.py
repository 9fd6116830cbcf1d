"""The resources in a stream, before and after a change. This module does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from scimkit import filters
from scimkit.delivery.security_events.streams import EventStream
from scimkit.documents import Document
from scimkit.events.resource_events import AttributeChange, Change, ResourceCreated, ResourceDeleted, ResourceEvent
from scimkit.filters.ast import paths_of
from scimkit.filters.filter import Filter
from scimkit.schema.resource_types import ResourceType

_NOT_IN_EVENTS: Final = frozenset({"members", "groups", "meta"})
"""Attributes that a filter of a feed cannot name, because the document of an event has none of them."""


class Membership(NamedTuple):
    """The places of a resource before and after a change: in a feed, or not."""

    before: bool
    after: bool


class Feed:
    """The resources of a stream.

    Args:
        stream: The stream.
        resource_types: The known resource types by name.

    Raises:
        ValueError: The stream names an unknown resource type.
        InvalidFilter: A filter is not valid, or names an attribute that events do not have.
    """

    def __init__(self, stream: EventStream, resource_types: Mapping[str, ResourceType]) -> None:
        self._filters: dict[str, Filter | None] | None = {} if stream.feed else None
        for name, text in stream.feed.items():
            resource_type = resource_types.get(name)
            if resource_type is None:
                raise ValueError(f"the feed of stream {stream.id} names the resource type {name}, which is not known")
            assert self._filters is not None
            self._filters[name] = None if text is None else _checked(text, resource_type, stream)

    def membership(self, event: ResourceEvent, resource_type: ResourceType) -> Membership:
        """Return whether the resource of an event was in the feed, and whether it is there now.

        The group in the `MembersRemoved` of a deleted user has no document. Such a group is in a feed only if the
        feed has no filter for its type.
        """
        if self._filters is None:
            return Membership(True, True)
        if event.resource_type not in self._filters:
            return Membership(False, False)
        wanted = self._filters[event.resource_type]
        if wanted is None:
            return Membership(True, True)
        if not event.document:
            return Membership(False, False)
        is_in = wanted.matches(event.document, resource_type)
        if isinstance(event, ResourceCreated):
            return Membership(False, is_in)
        if isinstance(event, ResourceDeleted):
            return Membership(is_in, False)
        return Membership(wanted.matches(document_before(event, resource_type), resource_type), is_in)


def document_before(event: ResourceEvent, resource_type: ResourceType) -> Document:
    """Return the document before a change, from the document after it and the changes. The order of values is lost."""
    document: dict[str, Any] = dict(event.document)
    for text, change in event.changes.items():
        path = resource_type.resolve(text)
        if path is not None:
            _restore(document, path.names, change)
    return document


def _restore(document: dict[str, Any], names: tuple[str, ...], change: Change) -> None:
    """Undo a change in a document. Touched parts of the document are copied."""
    name, *below = names
    if below:
        value: Any = dict(document.get(name) or {})
        _restore(value, tuple(below), change)
    elif isinstance(change, AttributeChange):
        value = change.before
    else:
        value = [*(each for each in document.get(name) or () if each not in change.added), *change.removed]
    if value in (None, {}, []):
        document.pop(name, None)
    else:
        document[name] = value


def _checked(text: str, resource_type: ResourceType, stream: EventStream) -> Filter:
    """Return a filter of a feed. Raises InvalidFilter or ValueError."""
    found = filters.parse(text)
    found.check(resource_type)
    for path in paths_of(found.node):
        resolved = resource_type.resolve(path)
        if resolved is not None and resolved.names[0] in _NOT_IN_EVENTS:
            raise ValueError(f"the feed of stream {stream.id} names {path}, which events do not have")
    return found
