"""The tables of the memory store: the resources of each tenant and resource type, with their indexes.

This module takes no lock and reads no clock. `scimkit.stores.memory` does both.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias

from scimkit.documents import Document
from scimkit.errors import NotFound, Uniqueness
from scimkit.patch.changes import ChangeSet, ReferenceChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.index_lookup import keys_at
from scimkit.stores.metadata import has_members, is_computed, membership, meta_of
from scimkit.stores.protocol import GROUPS, MEMBERS, META, RequestedAttributes

NO_IDS: Final[Collection[str]] = frozenset()
_NO_MEMBERS: Final[dict[str, Mapping[str, Any]]] = {}
"""The members of a resource whose type has no members. This dict stays empty."""
_NOTHING: Final[Document] = {}


class Entry:
    """A stored resource: its document without members and `meta`, its members by id, and its sequence number."""

    __slots__ = ("created", "document", "members", "modified", "sequence", "version")

    def __init__(self, sequence: int, document: dict[str, Any], created: str) -> None:
        self.sequence: int = sequence
        self.version: int = 1
        self.created: str = created
        self.modified: str = created
        self.document: dict[str, Any] = document
        self.members: dict[str, Mapping[str, Any]] = _NO_MEMBERS

    def replace_members(self, members: Mapping[str, Mapping[str, Any]]) -> bool:
        """Update the present members with new values, such as another `display`. Return True if a member changed."""
        other = {id: member for id, member in members.items() if self.members.get(id, member) != member}
        self.members.update(other)
        return bool(other)


class Index:
    """An index of ids by comparison key.

    A key with a single id maps to this id, and a key with several ids maps to a set.
    """

    __slots__ = ("ids", "is_unique", "keys_of", "path", "top")

    def __init__(self, resource_type: ResourceType, text: str) -> None:
        path = resource_type.resolve(text)
        assert path is not None
        self.path: str = text
        self.is_unique: bool = text in resource_type.unique
        self.keys_of: Callable[[Document], Collection[Any]] = keys_at(path)
        self.top: str = path.names[0]
        """The top-level attribute that contains the indexed value."""
        self.ids: dict[Any, str | set[str]] = {}
        """The ids by key. In an index of a unique attribute, each key has exactly one id."""

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, key: Any, id: str) -> None:
        """Add the id of a resource at a key."""
        ids = self.ids.setdefault(key, id)
        if ids is id:
            return
        if isinstance(ids, str):
            self.ids[key] = {ids, id}
        else:
            ids.add(id)

    def discard(self, key: Any, id: str) -> None:
        """Remove the id of a resource from a key."""
        ids = self.ids[key]
        if isinstance(ids, set):
            ids.discard(id)
        if ids in (id, set()):
            del self.ids[key]


Move: TypeAlias = tuple[Index, Collection[Any], Collection[Any]]
"""An index, the keys at which a write removes a resource, and the keys at which the write adds the resource."""


class Table:
    """The resources of one type and tenant, with the indexes of the type."""

    def __init__(self, tenant: Tenant, resource_type: ResourceType) -> None:
        self.tenant = tenant
        self.resource_type = resource_type
        self.entries: dict[str, Entry] = {}
        self.order: list[str] = []
        self.has_members: bool = has_members(resource_type)
        self.has_groups: bool = is_computed(resource_type, GROUPS)
        self.indexes: dict[str, Index] = {path: Index(resource_type, path) for path in resource_type.indexed}
        self._indexed = frozenset(index.top for index in self.indexes.values())
        self.sequences: array[int] = array("q")
        self._next_sequence = 0

    def find(self, id: str) -> Entry:
        """Return the resource with an id.

        Raises:
            NotFound: The table has no resource with this id.
        """
        entry = self.entries.get(id)
        if entry is None:
            raise NotFound(f"This {self.resource_type.name} does not exist.")
        return entry

    def whole(self, entry: Entry, requested: RequestedAttributes) -> Document:
        """Return the document with `meta`, and with members or groups if they are requested."""
        whole = entry.document.copy()
        if self.has_members and entry.members and requested(MEMBERS):
            whole[MEMBERS] = list(entry.members.values())
        elif self.has_groups and (groups := self.tenant.groups_of.get(whole["id"])) and requested(GROUPS):
            whole[GROUPS] = [membership(each.entries[id].document) for id, each in groups.items()]
        whole[META] = meta_of(self.resource_type, entry.created, entry.modified, entry.version)
        return whole

    def look_up(self, path: str, key: Any) -> Collection[str] | None:
        """Return the ids of resources with a key at a canonical path, or None if the path has no index.

        A tuple contains ids of this resource type only. Other collections may contain ids of other resource types.
        """
        index = self.indexes.get(path)
        if index is not None:
            ids = index.ids.get(key, NO_IDS)
            return (ids,) if type(ids) is str else ids
        if path == "id":
            return (key,) if key in self.entries else NO_IDS
        if path == "members.value" and self.has_members:
            return [id for id, groups in self.tenant.groups_of.get(key, {}).items() if groups is self]
        if path == "groups.value" and self.has_groups:
            for groups in self.tenant.tables.values():
                if groups.has_members and key in groups.entries:
                    return groups.entries[key].members
            return NO_IDS
        return None

    def indexes_any(self, changes: ChangeSet) -> bool:
        """Report whether changes touch an attribute that an index contains."""
        touched = changes.assigned, changes.unassigned, changes.references
        return not all(map(self._indexed.isdisjoint, touched))

    def moves(self, own_id: str, old: Document, new: Document) -> list[Move]:
        """Return the changes to the indexes when `new` replaces `old`.

        Raises:
            Uniqueness: Another resource has the same value of a unique attribute.
        """
        moves: list[Move] = []
        for index in self.indexes.values():
            if old.get(index.top) is new.get(index.top):
                continue
            before, after = index.keys_of(old) if old else (), index.keys_of(new)
            if before == after:
                continue
            if index.is_unique and any(index.ids.get(key, own_id) != own_id for key in after):
                raise Uniqueness(index.path)
            moves.append((index, before, after))
        return moves

    def arrivals(self, new: Document) -> list[Move]:
        """Return the changes to the indexes when a resource is created.

        Raises:
            Uniqueness: Another resource has the same value of a unique attribute.
        """
        moves: list[Move] = []
        for index in self.indexes.values():
            if index.top in new:
                keys = index.keys_of(new)
                if index.is_unique and any([key in index.ids for key in keys]):  # noqa: C419  # a list is faster
                    raise Uniqueness(index.path)
                moves.append((index, (), keys))
        return moves

    def append(self, id: str, document: dict[str, Any], moves: list[Move], created: str) -> Entry:
        """Add a new resource at the end of the order."""
        entry = self.entries[id] = Entry(self._next_sequence, document, created)
        if self.has_members:
            entry.members = {}
        self._next_sequence += 1
        self.order.append(id)
        self.sequences.append(entry.sequence)
        _apply_moves(moves, id)
        return entry

    def put(self, id: str, entry: Entry, document: dict[str, Any], moves: list[Move], modified: str) -> None:
        """Store the next version of a resource."""
        entry.version += 1
        entry.modified = max(modified, entry.modified)  # lastModified never goes back, even if the clock does
        entry.document = document
        _apply_moves(moves, id)

    def remove(self, id: str, entry: Entry) -> None:
        """Delete a resource."""
        place = bisect_left(self.sequences, entry.sequence)
        del self.order[place], self.sequences[place], self.entries[id]
        self.index(id, entry.document, _NOTHING)

    def put_back(self, id: str, entry: Entry) -> None:
        """Restore a deleted resource at its former place in the order."""
        place = bisect_left(self.sequences, entry.sequence)
        self.order.insert(place, id)
        self.sequences.insert(place, entry.sequence)
        self.entries[id] = entry
        self.index(id, _NOTHING, entry.document)

    def index(self, id: str, old: Document, new: Document) -> None:
        """Update the indexes for a state of a resource that cannot violate uniqueness."""
        _apply_moves(self.moves(id, old, new), id)

    def add_members(self, id: str, entry: Entry, members: Mapping[str, Mapping[str, Any]]) -> bool:
        """Add members to a group. Return False if the group had all of them before."""
        fresh = {each: member for each, member in members.items() if each not in entry.members}
        entry.members.update(fresh)
        for each in fresh:
            self.tenant.groups_of.setdefault(each, {})[id] = self
        return bool(fresh)

    def remove_members(self, id: str, entry: Entry, members: Iterable[str]) -> bool:
        """Remove members from a group. Return False if the group had none of them."""
        removed = False
        for each in members:
            if entry.members.pop(each, None) is not None:
                removed = True
                groups = self.tenant.groups_of[each]
                del groups[id]
                if not groups:
                    del self.tenant.groups_of[each]
        return removed

    def change_members(
        self, id: str, entry: Entry, changes: ReferenceChanges, added: Mapping[str, Mapping[str, Any]]
    ) -> bool:
        """Apply changes to the members of a group. Return False if nothing changed.

        Args:
            id: The id of the group.
            entry: The group.
            changes: The requested changes.
            added: The added members that exist, by id.
        """
        gone = [each for each in entry.members if each not in added] if changes.cleared else changes.removed
        removed = self.remove_members(id, entry, gone)
        if changes.cleared:
            removed = entry.replace_members(added) or removed
        return self.add_members(id, entry, added) or removed


def _apply_moves(moves: list[Move], id: str) -> None:
    """Apply the changes to the indexes for a resource."""
    for index, before, after in moves:
        for key in before:
            index.discard(key, id)
        for key in after:
            index.add(key, id)


class Tenant:
    """The tables of one tenant, and the groups of each resource."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.groups_of: dict[str, dict[str, Table]] = {}

    def table(self, resource_type: ResourceType) -> Table:
        """Return the table of a resource type. The table is created at the first use."""
        table = self.tables.get(resource_type.name)
        if table is None:
            table = self.tables[resource_type.name] = Table(self, resource_type)
        return table

    def type_of(self, id: str) -> str | None:
        """Return the name of the resource type of an id, or None if the tenant has no such resource."""
        return next((name for name, table in self.tables.items() if id in table.entries), None)
