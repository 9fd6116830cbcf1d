"""Derive resource events from the effective changes of a write."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scimkit.documents import Document
from scimkit.events.resource_events import (
    EVENT_TYPES,
    MAX_MEMBERS,
    AttributeChange,
    Change,
    LazyChanges,
    MembersAdded,
    MembersRemoved,
    ResourceCreated,
    ResourceDeleted,
    ResourceEvent,
    ResourceLinked,
    ResourceUpdated,
    UserActivated,
    UserDeactivated,
    ValuesChange,
)
from scimkit.events.visible_attributes import VisibleAttributes
from scimkit.patch.changes import EffectiveChanges
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType
from scimkit.uuid7 import new_uuid7

_SET_BY_STORE = frozenset({"id", "meta", "members", "groups", "schemas"})
_ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class EventSource:
    """The request that an event comes from."""

    tenant: str
    token_id: str = ""
    request_id: str = ""
    quirks: tuple[str, ...] = ()
    operation: str | None = None
    resource_version: str | None = None
    transaction_id: str | None = None
    """The id that all events of the write get. None for a new id."""


class EventDerivation:
    """Derives the events of one resource type.

    Args:
        resource_type: The resource type.
        sensitive: Paths of attributes that must not appear in an event, besides those that are never returned.
        wanted: The classes of events that somebody hears. Other events are not made.
    """

    def __init__(
        self,
        resource_type: ResourceType,
        sensitive: Collection[str] = (),
        wanted: Collection[type[ResourceEvent]] = tuple(EVENT_TYPES.values()),
    ) -> None:
        self.resource_type = resource_type
        self._wanted = frozenset(wanted)
        self._visible = VisibleAttributes(resource_type, sensitive).of
        self._is_user = _is_boolean(resource_type.attributes.find(_ACTIVE)) and "userName" in resource_type.attributes

    def events(self, changes: EffectiveChanges, source: EventSource, *, is_linked: bool = False) -> list[ResourceEvent]:
        """Return the events of a write, in the order in which handlers receive them.

        Args:
            changes: The effective changes of the write.
            source: The request of the write.
            is_linked: True if a POST took over an account of the application.
        """
        before, after = self._visible(changes.before), self._visible(changes.after)
        kinds = list(self._kinds(changes, before, after, is_linked=is_linked))
        if not kinds and not changes.added_members and not changes.removed_members and not changes.left_groups:
            return []
        shown = after or before
        transaction_id = source.transaction_id or new_uuid7()
        made = LazyChanges(lambda: dict(self._between(self.resource_type.attributes, before, after)))
        common: dict[str, Any] = {
            "resource_type": self.resource_type.name,
            "id": shown["id"],
            "tenant": source.tenant,
            "token_id": source.token_id,
            "request_id": source.request_id,
            "external_id": shown.get("externalId"),
            "label": shown.get("userName") or shown.get("displayName") or shown.get("agentUserName"),
            "document": shown,
            "quirks": source.quirks,
            "operation": source.operation,
            "transaction_id": transaction_id,
            "resource_version": source.resource_version,
        }
        events: list[ResourceEvent] = [kind(changes=made, **common) for kind in kinds]
        if MembersRemoved in self._wanted:
            events += [MembersRemoved(members=some, **common) for some in _parts(changes.removed_members)]
        if MembersAdded in self._wanted:
            events += [MembersAdded(members=some, **common) for some in _parts(changes.added_members)]
        if MembersRemoved in self._wanted:
            events += _departures(changes, source, transaction_id)
        return events

    def changed_attributes(self, changes: EffectiveChanges) -> dict[str, Change]:
        """Return the changed attributes by path, without attributes that must not appear."""
        before, after = self._visible(changes.before), self._visible(changes.after)
        return dict(self._between(self.resource_type.attributes, before, after))

    def _kinds(
        self, changes: EffectiveChanges, before: Document, after: Document, *, is_linked: bool
    ) -> Iterator[type[ResourceEvent]]:
        """Yield the wanted classes of events that have the changed attributes."""
        if not changes.before:
            kinds: tuple[type[ResourceEvent], ...] = (ResourceCreated,)
        elif not changes.after:
            kinds = (ResourceDeleted,)
        else:
            kinds = ()
            if self._is_user:
                was, is_now = (each.get(_ACTIVE) is not False for each in (changes.before, changes.after))
                if was != is_now:
                    kinds = (UserActivated if is_now else UserDeactivated,)
            if ResourceUpdated in self._wanted and (kinds or self._differ(before, after)):
                kinds = (ResourceUpdated, *kinds)
            if is_linked:
                kinds = (ResourceLinked, *kinds)
        yield from (each for each in kinds if each in self._wanted)

    def _differ(self, before: Document, after: Document) -> bool:
        """Report whether an attribute that an event may show changed."""
        return any(True for _ in self._between(self.resource_type.attributes, before, after))

    def _between(
        self, table: Mapping[str, Attribute], before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[tuple[str, Change]]:
        for name in {**before, **after}:
            old, new = before.get(name), after.get(name)
            if old is new or old == new:  # versions share what did not change
                continue
            attribute = table.get(name)
            if attribute is None or attribute.path in _SET_BY_STORE:
                continue
            if attribute.multi_valued:
                yield attribute.path, ValuesChange(_without(new, old), _without(old, new))
            elif attribute.type == "complex":
                yield from self._between(attribute.children, old or {}, new or {})
            else:
                yield attribute.path, AttributeChange(old, new)


def _without(values: Sequence[Any] | None, others: Sequence[Any] | None) -> tuple[Any, ...]:
    """Return the values that are not among others. None stands for no values."""
    if not values or not others:
        return tuple(values or ())
    return tuple(each for each in values if each not in others)


def _is_boolean(attribute: Attribute | None) -> bool:
    return attribute is not None and attribute.type == "boolean" and not attribute.multi_valued


def _departures(changes: EffectiveChanges, source: EventSource, transaction_id: str) -> Iterator[ResourceEvent]:
    """Yield an event for each group that a deleted resource left."""
    for kind, group in changes.left_groups:
        yield MembersRemoved(
            resource_type=kind,
            id=group,
            tenant=source.tenant,
            token_id=source.token_id,
            request_id=source.request_id,
            quirks=source.quirks,
            operation=source.operation,
            transaction_id=transaction_id,
            members=(str(changes.before["id"]),),
        )


def _parts(ids: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(ids), MAX_MEMBERS):
        yield ids[start : start + MAX_MEMBERS]
