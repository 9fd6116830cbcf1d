"""A store in memory: equality indexes, members as rows, one lock. It never blocks and never does I/O.

For tests, demos and small services whose people may be gone after a restart. Every method runs under
one lock, so threads and coroutines see each write whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from threading import RLock
from typing import Any, Final, Literal

from scimkit.documents import Document
from scimkit.errors import InvalidValue
from scimkit.patch.changes import ChangeSet, apply_changes
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.memory_tables import NO_IDS, Entry, Table, Tenant
from scimkit.stores.paging import Position, by_index, by_position
from scimkit.stores.probes import probe, wants_of
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
    identified,
    member_entry,
    membership,
    meta_of,
    new_id,
    now,
    replacement,
    version_tag,
)

_NOTHING: Final[Document] = {}
_SET_BY_STORE: Final = frozenset({"id", META, MEMBERS, GROUPS})
_UNSORTED: Final[Mapping[str, tuple[Any, ...]]] = {}


class MemoryStore:
    """A `SyncStore` that keeps everything in this process."""

    is_async: Literal[False] = False
    blocking = False
    lacks: Collection[Lack] = frozenset[Lack]({"member_pages"})

    def __init__(self, *, unknown_members: UnknownMembers = "skip") -> None:
        self._lock = RLock()
        self._tenants: dict[str, Tenant] = {}
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
            keys: Mapping[str, tuple[Any, ...]] = _UNSORTED
            if query.sort is not None:
                keys = self._keys(tenant, table, query.sort, ids)
                ids = sorted(ids, key=keys.__getitem__, reverse=query.sort.descending)
            documents: list[Document] = []
            positions: list[Position] = []
            for id in ids[self._window(query, ids, keys, entries)]:
                entry = entries[id]
                documents.append(self._whole(tenant, table, entry, query.wants))
                positions.append((*keys[id], entry.sequence) if keys else (entry.sequence,))
            return Page(documents, len(ids), positions)

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        with self._lock:
            tenant = self._tenant(scope)
            table = tenant.table(resource_type)
            moves = table.moves(None, _NOTHING, document)
            members, skipped = self._known_members(tenant, table, document.get(MEMBERS, ()))
            id = new_id()
            entry = table.append(id, identified(resource_type, id, document), moves, now())
            if self._undo is not None:
                self._undo.append(partial(_drop, tenant, table, id, entry))
            if members:
                tenant.add_members(table, id, entry, members)
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
            return self._change(scope, resource_type, id, changes, expected_version, MEMBERS.__ne__)

    def delete(self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None) -> None:
        with self._lock:
            tenant = self._tenant(scope)
            table = tenant.table(resource_type)
            entry = table.find(id)
            check_version(expected_version, version_tag(entry.version))
            if self._undo is not None:
                self._undo.append(partial(table.put_back, id, entry))
            self._remember(tenant, table, id, entry)
            tenant.remove_members(id, entry, list(entry.members))
            for group_id, groups in list(tenant.groups_of.get(id, {}).items()):
                group = groups.entries[group_id]
                self._remember(tenant, groups, group_id, group)
                tenant.remove_members(group_id, group, [id])
                groups.put(group_id, group, group.document, [], now())
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

    def _remember(self, tenant: Tenant, table: Table, id: str, entry: Entry) -> None:
        """Note the state of a resource, should a transaction want it back."""
        if self._undo is not None:
            self._undo.append(_restoring(tenant, table, id, entry))

    def _tenant(self, scope: Scope) -> Tenant:
        tenant = self._tenants.get(scope.tenant)
        if tenant is None:
            tenant = self._tenants[scope.tenant] = Tenant()
        return tenant

    def _whole(self, tenant: Tenant, table: Table, entry: Entry, wants: Wants) -> Document:
        """The document with its `meta`, and its members or its groups, where they are wanted."""
        whole = entry.document.copy()
        if table.has_members and entry.members and wants(MEMBERS):
            whole[MEMBERS] = list(entry.members.values())
        elif table.has_groups and (groups := tenant.groups_of.get(whole["id"])) and wants(GROUPS):
            whole[GROUPS] = [membership(each.entries[id].document) for id, each in groups.items()]
        whole[META] = meta_of(
            table.resource_type, created=entry.created, modified=entry.modified, version=entry.version
        )
        return whole

    def _matches(self, tenant: Tenant, table: Table, query: Query) -> list[str]:
        """The ids that match, in the order of creation."""
        wanted = query.filter
        if wanted is None:
            return table.order
        entries = table.entries
        found = probe(wanted.node, table.resource_type, lambda path, key: self._look_up(tenant, table, path, key))
        ids = table.order if found is None else list(filter(entries.__contains__, found.ids))
        if found is None or not found.exact:
            predicate = wanted.compile(table.resource_type)
            read = self._reader(tenant, table, wants_of(wanted.node, table.resource_type))
            ids = [id for id in ids if predicate(read(id))]
        return ids if found is None or len(ids) < 2 else sorted(ids, key=lambda id: entries[id].sequence)

    def _keys(self, tenant: Tenant, table: Table, sort: Sort, ids: list[str]) -> dict[str, tuple[bool, Any]]:
        key_of, read = sort_key(sort), self._reader(tenant, table, sort.path.names[0].__eq__)
        return {id: key_of(read(id)) for id in ids}

    def _reader(self, tenant: Tenant, table: Table, wants: Wants) -> Callable[[str], Document]:
        """Gives the documents to who looks at no more than is wanted: as they are kept, where that will do."""
        entries = table.entries
        if wants(META) or wants(MEMBERS) or wants(GROUPS):
            return lambda id: self._whole(tenant, table, entries[id], wants)
        return lambda id: entries[id].document

    def _window(
        self, query: Query, ids: list[str], keys: Mapping[str, tuple[Any, ...]], entries: Mapping[str, Entry]
    ) -> slice:
        """Which of the ids are the page."""
        if query.after is None and query.before is None:
            return by_index(query.start_index, query.count)

        def position_at(place: int) -> Position:
            id = ids[place]
            return (*keys.get(id, ()), entries[id].sequence)

        return by_position(len(ids), position_at, query.sort, query.after, query.before, query.count)

    def _look_up(self, tenant: Tenant, table: Table, path: str, key: Any) -> Collection[str] | None:
        if path == "id":
            return (key,) if key in table.entries else NO_IDS
        index = table.indexes.get(path)
        if index is not None:
            return index.find(key)
        if path == "members.value" and table.has_members:
            return [id for id, groups in tenant.groups_of.get(key, {}).items() if groups is table]
        if path == "groups.value" and table.has_groups:
            for groups in tenant.tables.values():
                if groups.has_members and key in groups.entries:
                    return groups.entries[key].members
            return NO_IDS
        return None

    def _change(
        self, scope: Scope, resource_type: ResourceType, id: str, changes: ChangeSet, expected: str | None, wants: Wants
    ) -> Written:
        tenant = self._tenant(scope)
        table = tenant.table(resource_type)
        entry = table.find(id)
        if expected is not None:
            check_version(expected, version_tag(entry.version))
        members = changes.references.get(MEMBERS) if table.has_members else None
        if members is not None:
            others = {name: each for name, each in changes.references.items() if name != MEMBERS}
            changes = ChangeSet(changes.assigned, changes.unassigned, others)
        old = entry.document
        document = apply_changes(old, changes)
        changed = document != old
        moves = table.moves(id, old, document) if changed else []
        self._remember(tenant, table, id, entry)
        skipped: tuple[str, ...] = ()
        if members is not None:
            added, skipped = self._known_members(tenant, table, members.added)
            changed = tenant.change_members(table, id, entry, members, added) or changed
        if changed:
            if not _SET_BY_STORE.isdisjoint(changes.assigned):
                document = identified(resource_type, id, document)
            table.put(id, entry, document, moves, now())
        return Written(self._whole(tenant, table, entry, wants), changed, skipped)

    def _known_members(
        self, tenant: Tenant, table: Table, members: Iterable[Mapping[str, Any]]
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


def _drop(tenant: Tenant, table: Table, id: str, entry: Entry) -> None:
    """Take back that a resource was created."""
    tenant.remove_members(id, entry, list(entry.members))
    table.remove(id, entry)


def _restoring(tenant: Tenant, table: Table, id: str, entry: Entry) -> Callable[[], None]:
    """How to give a resource the state back that it has now."""
    version, modified, document, members = entry.version, entry.modified, entry.document, dict(entry.members)

    def restore() -> None:
        tenant.remove_members(id, entry, list(entry.members))
        tenant.add_members(table, id, entry, members)
        table.index(id, entry.document, document)
        entry.version, entry.modified, entry.document = version, modified, document

    return restore
