"""What a store in memory keeps: the resources of each tenant and type, with their indexes.

This module takes no lock, sees no request and asks no clock; `scimkit.stores.memory` does.
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
"""The members of a resource whose type has none; never added to."""
_NOTHING: Final[Document] = {}


class Entry:
    """One resource: its document without members and `meta`, its members by id, its place in the order."""

    __slots__ = ("created", "document", "members", "modified", "sequence", "version")

    def __init__(self, sequence: int, document: dict[str, Any], created: str) -> None:
        self.sequence: int = sequence
        self.version: int = 1
        self.created: str = created
        self.modified: str = created
        self.document: dict[str, Any] = document
        self.members: dict[str, Mapping[str, Any]] = _NO_MEMBERS

    def replace_members(self, members: Mapping[str, Mapping[str, Any]]) -> bool:
        """Take over what is said of members that stay, such as another `display`."""
        other = {id: member for id, member in members.items() if self.members.get(id, member) != member}
        self.members.update(other)
        return bool(other)


class Index:
    """Ids by key. A key of one resource alone keeps its id without a set around it."""

    __slots__ = ("ids", "is_unique", "keys_of", "path", "top")

    def __init__(self, resource_type: ResourceType, text: str) -> None:
        path = resource_type.resolve(text)
        assert path is not None
        self.path: str = text
        self.is_unique: bool = text in resource_type.unique
        self.keys_of: Callable[[Document], Collection[Any]] = keys_at(path)
        self.top: str = path.names[0]
        """The top-level attribute that holds what is indexed."""
        self.ids: dict[Any, str | set[str]] = {}
        """Of an index of unique values each key has one."""

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, key: Any, id: str) -> None:
        ids = self.ids.setdefault(key, id)
        if ids is id:
            return
        if isinstance(ids, str):
            self.ids[key] = {ids, id}
        else:
            ids.add(id)

    def discard(self, key: Any, id: str) -> None:
        ids = self.ids[key]
        if isinstance(ids, set):
            ids.discard(id)
        if ids in (id, set()):
            del self.ids[key]


Move: TypeAlias = tuple[Index, Collection[Any], Collection[Any]]
"""The keys that a write takes a resource from in an index, and those it puts it at."""


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
        """The resource of that id. Raises: NotFound."""
        entry = self.entries.get(id)
        if entry is None:
            raise NotFound(f"This {self.resource_type.name} does not exist.")
        return entry

    def whole(self, entry: Entry, requested: RequestedAttributes) -> Document:
        """The document with its `meta`, and its members or its groups, where they are wanted."""
        whole = entry.document.copy()
        if self.has_members and entry.members and requested(MEMBERS):
            whole[MEMBERS] = list(entry.members.values())
        elif self.has_groups and (groups := self.tenant.groups_of.get(whole["id"])) and requested(GROUPS):
            whole[GROUPS] = [membership(each.entries[id].document) for id, each in groups.items()]
        whole[META] = meta_of(self.resource_type, entry.created, entry.modified, entry.version)
        return whole

    def look_up(self, path: str, key: Any) -> Collection[str] | None:
        """The ids that have a key at a canonical path; None when the path has no index.

        Others than a tuple's may be those of other types.
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
        """Whether changes are to what an index holds."""
        touched = changes.assigned, changes.unassigned, changes.references
        return not all(map(self._indexed.isdisjoint, touched))

    def moves(self, own_id: str, old: Document, new: Document) -> list[Move]:
        """What a write of `new` in the place of `old` does to the indexes. Raises: Uniqueness."""
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
        """What the creation of `new` does to the indexes. Raises: Uniqueness."""
        moves: list[Move] = []
        for index in self.indexes.values():
            if index.top in new:
                keys = index.keys_of(new)
                if index.is_unique and any([key in index.ids for key in keys]):  # noqa: C419  # a list is quicker
                    raise Uniqueness(index.path)
                moves.append((index, (), keys))
        return moves

    def append(self, id: str, document: dict[str, Any], moves: list[Move], created: str) -> Entry:
        """Keep a new resource, last in the order."""
        entry = self.entries[id] = Entry(self._next_sequence, document, created)
        if self.has_members:
            entry.members = {}
        self._next_sequence += 1
        self.order.append(id)
        self.sequences.append(entry.sequence)
        _make(moves, id)
        return entry

    def put(self, id: str, entry: Entry, document: dict[str, Any], moves: list[Move], modified: str) -> None:
        """Keep another state of a resource: the next version."""
        entry.version += 1
        entry.modified = max(modified, entry.modified)  # whatever the clock does
        entry.document = document
        _make(moves, id)

    def remove(self, id: str, entry: Entry) -> None:
        """Forget a resource."""
        place = bisect_left(self.sequences, entry.sequence)
        del self.order[place], self.sequences[place], self.entries[id]
        self.index(id, entry.document, _NOTHING)

    def put_back(self, id: str, entry: Entry) -> None:
        """Give a resource that was removed its place in the order again."""
        place = bisect_left(self.sequences, entry.sequence)
        self.order.insert(place, id)
        self.sequences.insert(place, entry.sequence)
        self.entries[id] = entry
        self.index(id, _NOTHING, entry.document)

    def index(self, id: str, old: Document, new: Document) -> None:
        """Bring the indexes from one state of a resource to another that cannot be refused."""
        _make(self.moves(id, old, new), id)

    def add_members(self, id: str, entry: Entry, members: Mapping[str, Mapping[str, Any]]) -> bool:
        """Add members to a resource; False when all were there."""
        fresh = {each: member for each, member in members.items() if each not in entry.members}
        entry.members.update(fresh)
        for each in fresh:
            self.tenant.groups_of.setdefault(each, {})[id] = self
        return bool(fresh)

    def remove_members(self, id: str, entry: Entry, members: Iterable[str]) -> bool:
        """Remove members from a resource; False when none was there."""
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
        """Change the members of a resource; `added` are those of the changes that exist. False when nothing changed."""
        gone = [each for each in entry.members if each not in added] if changes.cleared else changes.removed
        removed = self.remove_members(id, entry, gone)
        if changes.cleared:
            removed = entry.replace_members(added) or removed
        return self.add_members(id, entry, added) or removed


def _make(moves: list[Move], id: str) -> None:
    for index, before, after in moves:
        for key in before:
            index.discard(key, id)
        for key in after:
            index.add(key, id)


class Tenant:
    """The tables of one tenant, and which groups each resource is a member of."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.groups_of: dict[str, dict[str, Table]] = {}

    def table(self, resource_type: ResourceType) -> Table:
        table = self.tables.get(resource_type.name)
        if table is None:
            table = self.tables[resource_type.name] = Table(self, resource_type)
        return table

    def type_of(self, id: str) -> str | None:
        """The name of the type of the resource with that id, if there is one."""
        return next((name for name, table in self.tables.items() if id in table.entries), None)
