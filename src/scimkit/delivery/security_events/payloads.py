"""The event payloads of security event tokens (RFC 9967 sections 2.2 to 2.4). This module does no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from scimkit.delivery.security_events import uris
from scimkit.delivery.security_events.feeds import Feed, Membership
from scimkit.delivery.security_events.streams import EventStream
from scimkit.documents import Document
from scimkit.events.resource_events import (
    MembersAdded,
    MembersRemoved,
    ResourceCreated,
    ResourceDeleted,
    ResourceEvent,
    ResourceLinked,
    ResourceUpdated,
    UserActivated,
    UserDeactivated,
)
from scimkit.events.visible_attributes import VisibleAttributes
from scimkit.schema.resource_types import ResourceType

PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

Events = dict[str, dict[str, Any]]
"""The `events` claim: the payload of each event by its URI."""


class Payloads:
    """Makes the payloads for one stream and one resource type."""

    def __init__(self, stream: EventStream, feed: Feed, resource_type: ResourceType) -> None:
        self._mode: uris.Mode = stream.mode
        self._feed = feed
        self._resource_type = resource_type
        self._visible = VisibleAttributes(resource_type)

    def of(self, event: ResourceEvent) -> Events:
        """Return the `events` claim for a resource event, or an empty object if the stream has no such event."""
        membership = self._feed.membership(event, self._resource_type)
        if not any(membership):
            return {}
        match event:
            case ResourceCreated():
                return self._changed("create", event) if membership.after else {}
            case ResourceDeleted():
                return {uris.DELETE: {}}
            case UserActivated():
                return {uris.ACTIVATE: {}}
            case UserDeactivated():
                return {uris.DEACTIVATE: {}}
            case ResourceLinked():
                return {uris.FEED_ADD: {}} if membership.after else {}
            case ResourceUpdated():
                return self._updated(event, membership)
            case MembersAdded() | MembersRemoved():
                return self._members(event)
        return {}

    def _updated(self, event: ResourceEvent, membership: Membership) -> Events:
        """Return the events of a changed resource, which may enter or leave the feed (RFC 9967 section 2.3).

        In `full` mode, a resource that enters the feed is sent as a whole, because the receiver does not know it.
        """
        if not membership.after:
            return {uris.FEED_REMOVE: {}}
        if not membership.before:
            whole = self._changed("put", event) if self._mode == "full" else {}
            return {uris.FEED_ADD: {}, **whole}
        return self._changed("patch" if event.operation == "patch" else "put", event)

    def _changed(self, name: Any, event: ResourceEvent) -> Events:
        """Return an event with the attributes or the data of a change."""
        if self._mode == "full":
            payload: dict[str, Any] = {"data": self._patch(event) if name == "patch" else self.data(event.document)}
            is_empty = name == "patch" and not payload["data"]["Operations"]
        else:
            names = [each for each in event.document if each != "schemas"] if name == "create" else event.changes
            payload = {"attributes": list(filter(self._visible.shows, names))}
            is_empty = not payload["attributes"]
        if is_empty:
            return {}
        return {uris.changed(name, self._mode): self._with_version(payload, event)}

    def _members(self, event: MembersAdded | MembersRemoved) -> Events:
        """Return a change of members as a PATCH (RFC 9967 figures 6 and 7)."""
        payload: dict[str, Any] = {"attributes": ["members"]}
        if self._mode == "full":
            payload = {"data": {"schemas": [PATCH_OP], "Operations": list(_member_operations(event))}}
        return {uris.changed("patch", self._mode): self._with_version(payload, event)}

    def data(self, document: Document) -> dict[str, Any]:
        """Return the `data` of a whole resource: its attributes, except those that are never returned."""
        shown = self._visible.of(document)
        return {"schemas": self._resource_type.schemas_of(shown), **shown}

    def _patch(self, event: ResourceEvent) -> dict[str, Any]:
        """Return a PATCH request that has the effect of a change. Values are those of the visible document."""
        document = self._visible.of(event.document)
        operations: list[dict[str, Any]] = []
        for path in filter(self._visible.shows, event.changes):
            value = self._value_at(document, path)
            if value is None:
                operations.append({"op": "remove", "path": path})
            else:
                operations.append({"op": "replace", "path": path, "value": value})
        return {"schemas": [PATCH_OP], "Operations": operations}

    def _value_at(self, document: Document, text: str) -> Any:
        """Return the value of a path, or None if it is unassigned."""
        path = self._resource_type.resolve(text)
        value: Any = document
        for name in path.names if path is not None else ():
            value = value.get(name) if isinstance(value, Mapping) else None
        return None if value in ([], {}) else value

    @staticmethod
    def _with_version(payload: dict[str, Any], event: ResourceEvent) -> dict[str, Any]:
        return payload if event.resource_version is None else {**payload, "version": event.resource_version}


def _member_operations(event: MembersAdded | MembersRemoved) -> Iterator[dict[str, Any]]:
    """Yield the operations of a PATCH that adds or removes the members."""
    if isinstance(event, MembersAdded):
        yield {"op": "add", "path": "members", "value": [{"value": each} for each in event.members]}
        return
    for each in event.members:
        quoted = each.replace("\\", "\\\\").replace('"', '\\"')
        yield {"op": "remove", "path": f'members[value eq "{quoted}"]'}
