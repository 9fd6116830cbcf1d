"""Derive resource events from the effective changes of a write."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scimkit.documents import Document
from scimkit.events.resource_events import (
    MAX_MEMBERS,
    AttributeChange,
    Change,
    MembersAdded,
    MembersRemoved,
    ResourceCreated,
    ResourceDeleted,
    ResourceEvent,
    ResourceUpdated,
    UserActivated,
    UserDeactivated,
    ValuesChange,
)
from scimkit.patch.changes import EffectiveChanges
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType

_SET_BY_STORE = frozenset({"id", "meta", "members", "groups", "schemas"})
_NOT_SHOWN = _SET_BY_STORE - {"id", "schemas"}
_ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class EventSource:
    """The request that an event comes from."""

    tenant: str
    token_id: str = ""
    request_id: str = ""
    quirks: tuple[str, ...] = ()


class EventDerivation:
    """Derives the events of one resource type.

    Args:
        resource_type: The resource type.
        sensitive: Paths of attributes that must not appear in an event, besides those that are never returned.
    """

    def __init__(self, resource_type: ResourceType, sensitive: Collection[str] = ()) -> None:
        self.resource_type = resource_type
        self._hidden = frozenset(path.text for path in map(resource_type.resolve, sensitive) if path is not None)
        self._partly_hidden = {each.name: each for each in resource_type.attributes.values() if self._hides_part(each)}
        active = resource_type.attributes.find(_ACTIVE)
        self._has_active = active is not None and active.type == "boolean" and not active.multi_valued
        self._is_user = self._has_active and resource_type.attributes.find("userName") is not None

    def events(self, changes: EffectiveChanges, source: EventSource) -> list[ResourceEvent]:
        """Return the events of a write, in the order in which handlers receive them."""
        before, after = self._visible(changes.before), self._visible(changes.after)
        made = self.changes(before, after)
        shown = after or before
        common: dict[str, Any] = {
            "resource_type": self.resource_type.name,
            "id": str((changes.after or changes.before)["id"]),
            "tenant": source.tenant,
            "token_id": source.token_id,
            "request_id": source.request_id,
            "external_id": shown.get("externalId"),
            "label": shown.get("userName") or shown.get("displayName"),
            "document": shown,
            "quirks": source.quirks,
        }
        events: list[ResourceEvent] = []
        if not changes.before:
            events.append(ResourceCreated(changes=made, **common))
        elif not changes.after:
            events.append(ResourceDeleted(changes=made, **common))
        elif made:
            events.append(ResourceUpdated(changes=made, **common))
            if self._is_user:
                events += self._activation(changes, made, common)
        for kind, ids in ((MembersRemoved, changes.removed_members), (MembersAdded, changes.added_members)):
            events += [kind(members=some, **common) for some in _parts(ids)]
        return [*events, *_departures(changes, source)]

    def changes(self, before: Document, after: Document) -> dict[str, Change]:
        """Return the changes between two visible documents by path."""
        return dict(self._between(self.resource_type.attributes, before, after))

    def _activation(
        self, changes: EffectiveChanges, made: Mapping[str, Change], common: dict[str, Any]
    ) -> Iterator[ResourceEvent]:
        was, is_now = (each.get(_ACTIVE) is not False for each in (changes.before, changes.after))
        if was != is_now:
            yield (UserActivated if is_now else UserDeactivated)(changes=made, **common)

    def _visible(self, document: Document) -> Document:
        """Return the attributes of a document that an event may show."""
        partly_hidden = self._partly_hidden
        shown = {name: value for name, value in document.items() if name not in _NOT_SHOWN}
        for name in partly_hidden.keys() & shown.keys():
            attribute = partly_hidden[name]
            if self._is_hidden(attribute):
                del shown[name]
            else:
                shown[name] = self._shown_value(attribute, shown[name])
        return shown

    def _shown(self, table: Mapping[str, Attribute], values: Mapping[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for name, value in values.items():
            attribute = table.get(name)
            if attribute is None:
                shown[name] = value
            elif not self._is_hidden(attribute):
                shown[name] = self._shown_value(attribute, value)
        return shown

    def _shown_value(self, attribute: Attribute, value: Any) -> Any:
        if attribute.type != "complex":
            return value
        if attribute.multi_valued:
            return [self._shown(attribute.children, each) for each in value]
        return self._shown(attribute.children, value)

    def _hides_part(self, attribute: Attribute) -> bool:
        """Report whether an attribute or one of its sub-attributes is hidden."""
        return self._is_hidden(attribute) or any(self._hides_part(each) for each in attribute.children.values())

    def _is_hidden(self, attribute: Attribute) -> bool:
        return attribute.returned == "never" or attribute.mutability == "writeOnly" or attribute.path in self._hidden

    def _between(
        self, table: Mapping[str, Attribute], before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[tuple[str, Change]]:
        for name in {**before, **after}:
            old, new = before.get(name), after.get(name)
            if old is new or old == new:
                continue
            attribute = table.get(name)
            if attribute is None or (name in _SET_BY_STORE and attribute.path == name):
                continue
            if attribute.multi_valued:
                added = tuple(each for each in new or () if each not in (old or ()))
                removed = tuple(each for each in old or () if each not in (new or ()))
                yield attribute.path, ValuesChange(added, removed)
            elif attribute.type == "complex":
                yield from self._between(attribute.children, old or {}, new or {})
            else:
                yield attribute.path, AttributeChange(old, new)


def _departures(changes: EffectiveChanges, source: EventSource) -> Iterator[ResourceEvent]:
    """Yield an event for each group that a deleted resource left."""
    for kind, group in changes.left_groups:
        yield MembersRemoved(
            resource_type=kind,
            id=group,
            tenant=source.tenant,
            token_id=source.token_id,
            request_id=source.request_id,
            quirks=source.quirks,
            members=(str(changes.before["id"]),),
        )


def _parts(ids: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(ids), MAX_MEMBERS):
        yield ids[start : start + MAX_MEMBERS]
