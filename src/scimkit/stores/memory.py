"""A store in memory: equality indexes, members as rows, one lock. It never blocks and never does I/O.

For tests, demos and small services whose people may be gone after a restart. Every method runs under
one lock, so threads and coroutines see each write whole.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from threading import RLock
from typing import Any, Final, Literal

from scimkit.documents import Document
from scimkit.errors import InvalidValue, NotFound, Uniqueness
from scimkit.filters.ast import paths_of
from scimkit.patch.changes import ChangeSet, ReferenceChanges, apply_changes
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.paging import Position, window
from scimkit.stores.probes import keys_at, probe
from scimkit.stores.protocol import (
    GROUPS,
    MEMBERS,
    META,
    Lack,
    Page,
    Query,
    Result,
    Scope,
    SyncStore,
    UnknownMembers,
    Wants,
    Written,
    everything,
)
from scimkit.stores.sorting import Sort, sort_key
from scimkit.stores.stamps import (
    check_version,
    has_members,
    identified,
    is_computed,
    member_entry,
    membership,
    meta_of,
    new_id,
    now,
    replacement,
    version_tag,
)

_NO_IDS: Final[Collection[str]] = frozenset()
_NO_MEMBERS: Final[dict[str, Mapping[str, Any]]] = {}
"""The members of a resource whose type has none; never added to."""


class _Entry:
    """One resource: its document without members and `meta`, its members by id, its place in the order."""

    __slots__ = ("created", "document", "members", "modified", "sequence", "version")

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.version = 1
        self.created = self.modified = now()
        self.document: dict[str, Any] = {}
        self.members: dict[str, Mapping[str, Any]] = _NO_MEMBERS


class _Index:
    """Ids by key. A key of one resource alone keeps its id without a set around it."""

    __slots__ = ("_ids",)

    def __init__(self) -> None:
        self._ids: dict[Any, str | set[str]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, key: Any) -> Collection[str]:
        ids = self._ids.get(key, _NO_IDS)
        return (ids,) if type(ids) is str else ids

    def add(self, key: Any, id: str) -> None:
        ids = self._ids.get(key)
        if ids is None:
            self._ids[key] = id
        elif isinstance(ids, str):
            self._ids[key] = {ids, id}
        else:
            ids.add(id)

    def discard(self, key: Any, id: str) -> None:
        ids = self._ids[key]
        if isinstance(ids, set):
            ids.discard(id)
        if ids in (id, set()):
            del self._ids[key]


class _Table:
    """The resources of one type and tenant, with the indexes of the type."""

    def __init__(self, resource_type: ResourceType) -> None:
        self.resource_type = resource_type
        self.entries: dict[str, _Entry] = {}
        self.order: list[str] = []
        self.sequences = array("q")
        self.next_sequence = 0
        self.has_members = has_members(resource_type)
        self.has_groups = is_computed(resource_type, GROUPS)
        self.indexes = {path: _Index() for path in resource_type.indexed}
        self.keys: dict[str, Callable[[Document], Collection[Any]]] = {}
        self.tops: dict[str, str] = {}
        for text in resource_type.indexed:
            path = resource_type.resolve(text)
            assert path is not None
            self.keys[text] = keys_at(path)
            self.tops[text] = path.names[0]

    def find(self, id: str) -> _Entry:
        entry = self.entries.get(id)
        if entry is None:
            raise NotFound(f"This {self.resource_type.name} does not exist.")
        return entry

    def check_unique(self, document: Document, own_id: str | None) -> None:
        for path in self.resource_type.unique:
            index = self.indexes[path]
            for key in self.keys[path](document):
                if any(id != own_id for id in index.find(key)):
                    raise Uniqueness(path)

    def index(self, id: str, old: Document, new: Document) -> None:
        for path, keys_of in self.keys.items():
            top = self.tops[path]
            if old.get(top) is new.get(top):
                continue
            index = self.indexes[path]
            before, after = keys_of(old), keys_of(new)
            if before == after:
                continue
            for key in before:
                index.discard(key, id)
            for key in after:
                index.add(key, id)

    def append(self, id: str) -> _Entry:
        entry = _Entry(self.next_sequence)
        if self.has_members:
            entry.members = {}
        self.next_sequence += 1
        self.entries[id] = entry
        self.order.append(id)
        self.sequences.append(entry.sequence)
        return entry

    def remove(self, id: str, entry: _Entry) -> None:
        place = bisect_left(self.sequences, entry.sequence)
        del self.order[place], self.sequences[place], self.entries[id]
        self.index(id, entry.document, {})

    def put_back(self, id: str, entry: _Entry) -> None:
        """Give a resource that was removed its place in the order again."""
        place = bisect_left(self.sequences, entry.sequence)
        self.order.insert(place, id)
        self.sequences.insert(place, entry.sequence)
        self.entries[id] = entry
        self.index(id, {}, entry.document)


class _Tenant:
    """The tables of one tenant, and which groups each resource is a member of."""

    def __init__(self) -> None:
        self.tables: dict[str, _Table] = {}
        self.groups_of: dict[str, dict[str, _Table]] = {}

    def table(self, resource_type: ResourceType) -> _Table:
        table = self.tables.get(resource_type.name)
        if table is None:
            table = self.tables[resource_type.name] = _Table(resource_type)
        return table

    def type_of(self, id: str) -> str | None:
        return next((name for name, table in self.tables.items() if id in table.entries), None)


class MemoryStore:
    """A `SyncStore` that keeps everything in this process."""

    is_async: Literal[False] = False
    blocking = False
    lacks: Collection[Lack] = ()

    def __init__(self, *, unknown_members: UnknownMembers = "skip") -> None:
        self._lock = RLock()
        self._tenants: dict[str, _Tenant] = {}
        self._unknown_members = unknown_members
        self._undo: list[Callable[[], None]] | None = None
        """How to take back what was written, while a transaction may want that."""

    def get(self, scope: Scope, resource_type: ResourceType, id: str, wants: Wants = everything) -> Document:
        with self._lock:
            tenant = self._tenant(scope)
            table = tenant.table(resource_type)
            return self._whole(tenant, table, table.find(id), wants)

    def search(self, scope: Scope, query: Query) -> Page:
        with self._lock:
            tenant = self._tenant(scope)
            table = tenant.table(query.resource_type)
            ids = self._matches(tenant, table, query)
            entries = table.entries
            if query.sort is None:
                chosen = self._page(query, ids, lambda id: (entries[id].sequence,))
            else:
                keys = self._keys(tenant, table, query.sort, ids)
                ids = sorted(ids, key=keys.__getitem__, reverse=query.sort.descending)
                chosen = self._page(query, ids, lambda id: (*keys[id], entries[id].sequence))
            documents = [self._whole(tenant, table, entries[id], query.wants) for id, _ in chosen]
            return Page(documents, len(ids), [position for _, position in chosen])

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        with self._lock:
            tenant = self._tenant(scope)
            table = tenant.table(resource_type)
            table.check_unique(document, None)
            members, skipped = self._known_members(tenant, table, document.get(MEMBERS, ()))
            id = new_id()
            entry = table.append(id)
            if self._undo is not None:
                self._undo.append(lambda: self._drop(tenant, table, id, entry))
            entry.document = identified(resource_type, id, document)
            table.index(id, {}, entry.document)
            self._add_members(tenant, table, id, entry, members)
            return Written(self._whole(tenant, table, entry, everything), skipped_members=skipped)

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        with self._lock:
            table = self._tenant(scope).table(resource_type)
            changes = replacement(resource_type, table.find(id).document, document)
            return self._change(scope, resource_type, id, changes, expected_version, everything)

    def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        with self._lock:
            return self._change(scope, resource_type, id, changes, expected_version, lambda name: name != MEMBERS)

    def delete(self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None) -> None:
        with self._lock:
            tenant = self._tenant(scope)
            table = tenant.table(resource_type)
            entry = table.find(id)
            check_version(expected_version, version_tag(entry.version))
            if self._undo is not None:
                self._undo.append(lambda: table.put_back(id, entry))
            self._remember(tenant, table, id, entry)
            self._remove_members(tenant, table, id, entry, list(entry.members))
            for group_id, groups in list(tenant.groups_of.get(id, {}).items()):
                group = groups.entries[group_id]
                self._remember(tenant, groups, group_id, group)
                self._remove_members(tenant, groups, group_id, group, [id])
                self._touch(groups, group_id, group, group.document)
            table.remove(id, entry)

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        with self._lock:
            outermost = self._undo is None
            undo = self._undo = [] if self._undo is None else self._undo
            mark = len(undo)
            try:
                return work(self)
            except BaseException:
                while len(undo) > mark:
                    undo.pop()()
                raise
            finally:
                if outermost:
                    self._undo = None

    def _drop(self, tenant: _Tenant, table: _Table, id: str, entry: _Entry) -> None:
        """Take back that a resource was created."""
        self._remove_members(tenant, table, id, entry, list(entry.members))
        table.remove(id, entry)

    def _remember(self, tenant: _Tenant, table: _Table, id: str, entry: _Entry) -> None:
        """Note the state of a resource, should a transaction want it back."""
        if self._undo is None:
            return
        version, modified, document, members = entry.version, entry.modified, entry.document, dict(entry.members)

        def restore() -> None:
            self._remove_members(tenant, table, id, entry, list(entry.members))
            self._add_members(tenant, table, id, entry, members)
            table.index(id, entry.document, document)
            entry.version, entry.modified, entry.document = version, modified, document

        self._undo.append(restore)

    def _tenant(self, scope: Scope) -> _Tenant:
        tenant = self._tenants.get(scope.tenant)
        if tenant is None:
            tenant = self._tenants[scope.tenant] = _Tenant()
        return tenant

    def _whole(self, tenant: _Tenant, table: _Table, entry: _Entry, wants: Wants, *, meta: bool = True) -> Document:
        """The document with its `meta`, and its members or its groups, where they are wanted."""
        document = entry.document
        computed: dict[str, Any] = {}
        if table.has_members and entry.members and wants(MEMBERS):
            computed[MEMBERS] = list(entry.members.values())
        elif table.has_groups:
            groups = tenant.groups_of.get(document["id"])
            if groups and wants(GROUPS):
                computed[GROUPS] = [membership(each.entries[id].document) for id, each in groups.items()]
        if meta:
            computed[META] = meta_of(
                table.resource_type, created=entry.created, modified=entry.modified, version=entry.version
            )
        return {**document, **computed} if computed else document

    def _matches(self, tenant: _Tenant, table: _Table, query: Query) -> list[str]:
        """The ids that match, in the order of creation."""
        wanted = query.filter
        if wanted is None:
            return table.order
        predicate = wanted.compile(table.resource_type)
        found = probe(wanted.node, table.resource_type, lambda path, key: self._look_up(tenant, table, path, key))
        entries = table.entries
        if found is None:
            wants = _wants_of(wanted.node, table.resource_type)
            meta = wants(META)
            whole = self._whole
            return [id for id in table.order if predicate(whole(tenant, table, entries[id], wants, meta=meta))]
        ids = [id for id in found.ids if id in entries]
        if not found.exact:
            ids = [id for id in ids if predicate(self._whole(tenant, table, entries[id], everything))]
        return sorted(ids, key=lambda id: entries[id].sequence)

    def _keys(self, tenant: _Tenant, table: _Table, sort: Sort, ids: list[str]) -> dict[str, tuple[bool, Any]]:
        wanted = sort.path.names[0]
        key_of = sort_key(sort)
        return {id: key_of(self._whole(tenant, table, table.entries[id], wanted.__eq__)) for id in ids}

    def _page(self, query: Query, ids: list[str], position_of: Callable[[str], Position]) -> list[tuple[str, Position]]:
        """The ids of the page, each with its position."""
        chosen = window(
            len(ids),
            lambda place: position_of(ids[place]),
            query.sort,
            after=query.after,
            before=query.before,
            start_index=query.start_index,
            count=query.count,
        )
        return [(id, position_of(id)) for id in ids[chosen]]

    def _look_up(self, tenant: _Tenant, table: _Table, path: str, key: Any) -> Collection[str] | None:
        if path == "id":
            return (key,) if key in table.entries else _NO_IDS
        index = table.indexes.get(path)
        if index is not None:
            return index.find(key)
        if path == "members.value" and table.has_members:
            return [id for id, groups in tenant.groups_of.get(key, {}).items() if groups is table]
        if path == "groups.value" and table.has_groups:
            for groups in tenant.tables.values():
                if groups.has_members and key in groups.entries:
                    return groups.entries[key].members
            return _NO_IDS
        return None

    def _change(
        self, scope: Scope, resource_type: ResourceType, id: str, changes: ChangeSet, expected: str | None, wants: Wants
    ) -> Written:
        tenant = self._tenant(scope)
        table = tenant.table(resource_type)
        entry = table.find(id)
        check_version(expected, version_tag(entry.version))
        references = dict(changes.references)
        members = references.pop(MEMBERS, None) if table.has_members else None
        old = entry.document
        document = apply_changes(old, ChangeSet(changes.assigned, changes.unassigned, references))
        touched = (*changes.assigned, *changes.unassigned, *references)
        changed = any(document.get(name) != old.get(name) for name in touched)
        if changed:
            table.check_unique(document, id)
        self._remember(tenant, table, id, entry)
        skipped: tuple[str, ...] = ()
        if members is not None:
            added, skipped = self._known_members(tenant, table, members.added)
            changed = self._change_members(tenant, table, id, entry, members, added) or changed
        if changed:
            self._touch(table, id, entry, document)
        return Written(self._whole(tenant, table, entry, wants), changed, skipped)

    def _touch(self, table: _Table, id: str, entry: _Entry, document: Document) -> None:
        """Keep another state of a resource: the next version, modified now."""
        entry.version += 1
        entry.modified = now()
        kept = identified(table.resource_type, id, document)
        table.index(id, entry.document, kept)
        entry.document = kept

    def _known_members(
        self, tenant: _Tenant, table: _Table, members: Iterable[Mapping[str, Any]]
    ) -> tuple[dict[str, Mapping[str, Any]], tuple[str, ...]]:
        """The members that exist, with their types, and the ids of those that do not."""
        known: dict[str, Mapping[str, Any]] = {}
        unknown: list[str] = []
        if not table.has_members:
            return known, ()
        for member in members:
            id = member.get("value")
            kind = tenant.type_of(id) if id is not None else None
            if kind is not None and id is not None:
                known[id] = member_entry(id, kind, member.get("display"))
            elif self._unknown_members == "reject":
                raise InvalidValue("A member does not exist.")
            elif id is not None:
                unknown.append(id)
        return known, tuple(unknown)

    def _change_members(
        self, tenant: _Tenant, table: _Table, id: str, entry: _Entry, changes: ReferenceChanges,
        added: Mapping[str, Mapping[str, Any]],
    ) -> bool:  # fmt: skip
        gone = [each for each in entry.members if each not in added] if changes.cleared else changes.removed
        removed = self._remove_members(tenant, table, id, entry, gone)
        if changes.cleared:
            removed = self._replace_members(entry, added) or removed
        return self._add_members(tenant, table, id, entry, added) or removed

    def _replace_members(self, entry: _Entry, members: Mapping[str, Mapping[str, Any]]) -> bool:
        """Take over what is said of members that stay, such as another `display`."""
        other = {id: member for id, member in members.items() if entry.members.get(id, member) != member}
        entry.members.update(other)
        return bool(other)

    def _add_members(
        self, tenant: _Tenant, table: _Table, id: str, entry: _Entry, members: Mapping[str, Mapping[str, Any]]
    ) -> bool:
        fresh = {each: member for each, member in members.items() if each not in entry.members}
        entry.members.update(fresh)
        for each in fresh:
            tenant.groups_of.setdefault(each, {})[id] = table
        return bool(fresh)

    def _remove_members(self, tenant: _Tenant, table: _Table, id: str, entry: _Entry, members: Iterable[str]) -> bool:
        removed = False
        for each in members:
            if entry.members.pop(each, None) is not None:
                removed = True
                groups = tenant.groups_of[each]
                del groups[id]
                if not groups:
                    del tenant.groups_of[each]
        return removed


def _wants_of(node: Any, resource_type: ResourceType) -> Wants:
    """What a filter reads of a document, so that a scan does not gather members it never looks at."""
    names = {path.names[0] for path in map(resource_type.resolve, paths_of(node)) if path is not None}
    return names.__contains__
