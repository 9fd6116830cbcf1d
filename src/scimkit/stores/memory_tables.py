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
from scimkit.patch.changes import ReferenceChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.probes import keys_at
from scimkit.stores.protocol import GROUPS
from scimkit.stores.stamps import has_members, is_computed

NO_IDS: Final[Collection[str]] = frozenset()
_NO_MEMBERS: Final[dict[str, Mapping[str, Any]]] = {}
"""The members of a resource whose type has none; never added to."""
_NOTHING: Final[Document] = {}


class Entry:
    """One resource: its document without members and `meta`, its members by id, its place in the order."""

    __slots__ = ("created", "document", "members", "modified", "sequence", "version")

    def __init__(self, sequence: int, document: dict[str, Any], created: str) -> None:
        self.sequence = sequence
        self.version = 1
        self.created = self.modified = created
        self.document = document
        self.members: dict[str, Mapping[str, Any]] = _NO_MEMBERS

    def replace_members(self, members: Mapping[str, Mapping[str, Any]]) -> bool:
        """Take over what is said of members that stay, such as another `display`."""
        other = {id: member for id, member in members.items() if self.members.get(id, member) != member}
        self.members.update(other)
        return bool(other)


class Index:
    """Ids by key. A key of one resource alone keeps its id without a set around it."""

    __slots__ = ("_ids", "is_unique", "keys_of", "path", "top")

    def __init__(self, resource_type: ResourceType, text: str) -> None:
        path = resource_type.resolve(text)
        assert path is not None
        self.path = text
        self.is_unique = text in resource_type.unique
        self.keys_of: Callable[[Document], Collection[Any]] = keys_at(path)
        self.top = path.names[0]
        """The top-level attribute that holds what is indexed."""
        self._ids: dict[Any, str | set[str]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, key: Any) -> Collection[str]:
        ids = self._ids.get(key, NO_IDS)
        return (ids,) if type(ids) is str else ids

    def add(self, key: Any, id: str) -> None:
        ids = self._ids.setdefault(key, id)
        if ids is id:
            return
        if isinstance(ids, str):
            self._ids[key] = {ids, id}
        else:
            ids.add(id)

    def discard(self, key: Any, id: str) -> None:
        ids = self._ids[key]
        if isinstance(ids, set):
            ids.discard(id)
        if ids in (id, set()):
            del self._ids[key]


Move: TypeAlias = tuple[Index, Collection[Any], Collection[Any]]
"""The keys that a write takes a resource from in an index, and those it puts it at."""


class Table:
    """The resources of one type and tenant, with the indexes of the type."""

    def __init__(self, resource_type: ResourceType) -> None:
        self.resource_type = resource_type
        self.entries: dict[str, Entry] = {}
        self.order: list[str] = []
        self.has_members = has_members(resource_type)
        self.has_groups = is_computed(resource_type, GROUPS)
        self.indexes = {path: Index(resource_type, path) for path in resource_type.indexed}
        self.sequences = array("q")
        self._next_sequence = 0

    def find(self, id: str) -> Entry:
        """The resource of that id. Raises: NotFound."""
        entry = self.entries.get(id)
        if entry is None:
            raise NotFound(f"This {self.resource_type.name} does not exist.")
        return entry

    def moves(self, own_id: str | None, old: Document, new: Document) -> list[Move]:
        """What a write of `new` in the place of `old` does to the indexes. Raises: Uniqueness."""
        moves: list[Move] = []
        for index in self.indexes.values():
            if old.get(index.top) is new.get(index.top):
                continue
            before, after = index.keys_of(old) if old else (), index.keys_of(new)
            if before == after:
                continue
            if index.is_unique and any(id != own_id for key in after for id in index.find(key)):
                raise Uniqueness(index.path)
            moves.append((index, before, after))
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
        entry.modified = modified
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
            table = self.tables[resource_type.name] = Table(resource_type)
        return table

    def type_of(self, id: str) -> str | None:
        """The name of the type of the resource with that id, if there is one."""
        return next((name for name, table in self.tables.items() if id in table.entries), None)

    def add_members(self, table: Table, id: str, entry: Entry, members: Mapping[str, Mapping[str, Any]]) -> bool:
        """Add members to a resource; False when all were there."""
        fresh = {each: member for each, member in members.items() if each not in entry.members}
        entry.members.update(fresh)
        for each in fresh:
            self.groups_of.setdefault(each, {})[id] = table
        return bool(fresh)

    def remove_members(self, id: str, entry: Entry, members: Iterable[str]) -> bool:
        """Remove members from a resource; False when none was there."""
        removed = False
        for each in members:
            if entry.members.pop(each, None) is not None:
                removed = True
                groups = self.groups_of[each]
                del groups[id]
                if not groups:
                    del self.groups_of[each]
        return removed

    def change_members(
        self, table: Table, id: str, entry: Entry, changes: ReferenceChanges, added: Mapping[str, Mapping[str, Any]]
    ) -> bool:
        """Change the members of a resource; `added` are those of the changes that exist. False when nothing changed."""
        gone = [each for each in entry.members if each not in added] if changes.cleared else changes.removed
        removed = self.remove_members(id, entry, gone)
        if changes.cleared:
            removed = entry.replace_members(added) or removed
        return self.add_members(table, id, entry, added) or removed
