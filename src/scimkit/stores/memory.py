"""A store that keeps resources in the memory of the process.

The store is meant for tests, demonstrations and services that may lose all resources at a restart. Every method holds
one lock, so that threads and coroutines never see half of a write. The store never does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from threading import RLock
from typing import Any, Final, Literal

from scimkit.documents import Document
from scimkit.errors import InvalidValue
from scimkit.events.resource_events import ResourceEvent
from scimkit.patch.changes import ChangeSet, EffectiveChanges, ReferenceChanges, apply_changes
from scimkit.provisioning import LogEntry
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.breaker import MemoryBreakerStore
from scimkit.stores.index_lookup import Candidates, candidates_for, requested_by
from scimkit.stores.memory_log import MemoryProvisioningLog
from scimkit.stores.memory_outbox import MemoryOutbox
from scimkit.stores.memory_tables import Entry, Table, Tenant
from scimkit.stores.metadata import (
    MISSING_MEMBER,
    check_version,
    identified,
    member_entry,
    new_id,
    now,
    replacement,
    version_tag,
)
from scimkit.stores.paging import Position, by_index, by_position
from scimkit.stores.protocol import (
    GROUPS,
    MEMBERS,
    META,
    Capability,
    Page,
    Query,
    RequestedAttributes,
    Result,
    Scope,
    SyncStore,
    UnknownMembers,
    Written,
    all_attributes,
)
from scimkit.stores.references import checked_references, named_ids, refers, without_references
from scimkit.stores.sorting import Sort, sort_key

_NONE: Final[tuple[dict[str, Mapping[str, Any]], tuple[str, ...]]] = ({}, ())
"""The result of `_known_members` for a resource type without members: no members, and no skipped ids."""
_SET_BY_STORE: Final = frozenset({"id", META, MEMBERS, GROUPS})
_UNSORTED: Final[Mapping[str, tuple[Any, ...]]] = {}


class MemoryStore:
    """A `SyncStore` that keeps all resources in the memory of the process.

    Args:
        unknown_members: Treatment of a member that does not exist.
        outbox: True if a service records its resource events in an outbox in memory.
        provisioning_log: True if a service keeps its provisioning log in memory.
    """

    is_async: Literal[False] = False
    blocking = False
    holds_references: bool = True
    unsupported: Collection[Capability] = frozenset[Capability]({"member_pages"})

    def __init__(
        self, *, unknown_members: UnknownMembers = "skip", outbox: bool = False, provisioning_log: bool = False
    ) -> None:
        self._lock = RLock()
        self.provisioning_log: MemoryProvisioningLog | None = (
            MemoryProvisioningLog(self._lock) if provisioning_log else None
        )
        """The provisioning log, if the store has one."""
        self.outbox: MemoryOutbox | None = MemoryOutbox(self._lock) if outbox else None
        """The outbox, if the store has one."""
        self._tenants: dict[str, Tenant] = {}
        self._unknown_members = unknown_members
        self._undo: list[Callable[[], None]] | None = None
        """Functions that undo the writes of the current transaction; None outside a transaction."""

    def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        with self._lock:
            table = self._table(scope, resource_type)
            return table.whole(table.find(id), requested)

    def search(self, scope: Scope, query: Query) -> Page:
        with self._lock:
            table = self._table(scope, query.resource_type)
            ids = self._matches(table, query)
            entries = table.entries
            keys: Mapping[str, tuple[Any, ...]] = _UNSORTED
            if query.sort is not None:
                keys = self._keys(table, query.sort, ids)
                ids = sorted(ids, key=keys.__getitem__, reverse=query.sort.descending)
            documents: list[Document] = []
            positions: list[Position] = []
            if query.after is not None or query.before is not None:
                chosen = ids[_around(query, ids, keys, entries)]
            elif query.start_index > 1 or query.count < len(ids):
                chosen = ids[by_index(query.start_index, query.count)]
            else:
                chosen = ids
            for id in chosen:
                entry = entries[id]
                documents.append(table.whole(entry, query.requested))
                positions.append((*keys[id], entry.sequence) if keys else (entry.sequence,))
            return Page(documents, len(ids), positions)

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        with self._lock:
            table = self._table(scope, resource_type)
            if resource_type.references and refers(resource_type, document):
                document = _checked(table, document)
            moves = table.arrivals(document)
            members, skipped = self._known_members(table, document.get(MEMBERS, ())) if table.has_members else _NONE
            id = new_id()
            entry = table.append(id, identified(resource_type, id, document), moves, now())
            if self._undo is not None:
                self._undo.append(partial(_drop, table, id, entry))
            if members:
                table.add_members(id, entry, members)
            made = EffectiveChanges({}, entry.document, tuple(members)) if scope.report_changes else None
            return Written(table.whole(entry, all_attributes), skipped_members=skipped, changes=made)

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        with self._lock:
            table = self._table(scope, resource_type)
            changes = replacement(resource_type, table.find(id).document, document)
            return self._change(scope, resource_type, id, changes, expected_version, all_attributes)

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

    def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        with self._lock:
            table = self._table(scope, resource_type)
            entry = table.find(id)
            check_version(expected_version, version_tag(entry.version))
            if self._undo is not None:
                self._undo.append(partial(table.put_back, id, entry))
            self._remember(table, id, entry)
            table.remove_members(id, entry, list(entry.members))
            left = [(groups.resource_type.name, each) for each, groups in table.tenant.groups_of.get(id, {}).items()]
            for group_id, groups in list(table.tenant.groups_of.get(id, {}).items()):
                group = groups.entries[group_id]
                self._remember(groups, group_id, group)
                groups.remove_members(group_id, group, [id])
                groups.put(group_id, group, group.document, [], now())
            lost = self._forget(table, id)
            table.remove(id, entry)
            if not scope.report_changes:
                return None
            return EffectiveChanges(entry.document, {}, left_groups=tuple(left), lost_references=tuple(lost))

    def _forget(self, table: Table, id: str) -> list[tuple[str, Document, Document]]:
        """Remove the references to a resource that is deleted. Return their resources before and after."""
        lost: list[tuple[str, Document, Document]] = []
        for holders in table.tenant.tables.values():
            names = holders.resource_type.references
            found = [holders.look_up(f"{name}.value", id) or () for name in names]
            for each in dict.fromkeys(one for ids in found for one in list(ids)):
                holder = holders.entries[each]
                if each == id:
                    continue
                before = holder.document
                after = without_references(names, before, id)
                self._remember(holders, each, holder)
                holders.put(each, holder, after, holders.moves(each, before, after), now())
                lost.append((holders.resource_type.name, before, after))
        return lost

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

    def on_rollback(self, undo: Callable[[], None]) -> None:
        """Call a function if the current transaction is undone."""
        if self._undo is not None:
            self._undo.append(undo)

    def breaker_store(self) -> MemoryBreakerStore:
        """Return a store for the states of a breaker."""
        return MemoryBreakerStore()

    def record_log(self, entries: Sequence[LogEntry]) -> None:
        """Add entries to the provisioning log, in the transaction of the store.

        Raises:
            ValueError: The store has no provisioning log.
        """
        if self.provisioning_log is None:
            raise ValueError("the store has no provisioning log; create it with provisioning_log=True")
        with self._lock:
            self.provisioning_log.add(entries)
            if self._undo is not None:
                self._undo.append(partial(self.provisioning_log.remove, entries))

    def record_events(self, events: Sequence[ResourceEvent]) -> None:
        """Add events to the outbox, in the transaction of the store.

        Raises:
            ValueError: The store has no outbox.
        """
        if self.outbox is None:
            raise ValueError("the store has no outbox; create it with outbox=True")
        with self._lock:
            added = self.outbox.add(events)
            if self._undo is not None:
                self._undo.append(partial(self.outbox.remove, added))

    def _remember(self, table: Table, id: str, entry: Entry) -> None:
        """Record the state of a resource, so that the transaction can restore this state."""
        if self._undo is not None:
            self._undo.append(_restoring(table, id, entry))

    def _table(self, scope: Scope, resource_type: ResourceType) -> Table:
        tenant = self._tenants.get(scope.tenant)
        if tenant is None:
            tenant = self._tenants[scope.tenant] = Tenant()
        return tenant.table(resource_type)

    def _matches(self, table: Table, query: Query) -> Sequence[str]:
        """Return the ids of the matching resources, in the order of creation."""
        wanted = query.filter
        if wanted is None:
            return table.order
        equality = wanted.equality(table.resource_type)
        if equality is None:
            found = candidates_for(wanted.node, table.resource_type, table.look_up)
        else:
            path, key = equality
            equal = table.look_up(path.text, key)
            if type(equal) is tuple:
                return equal
            found = None if equal is None else Candidates(equal, True)
        entries = table.entries
        ids = table.order if found is None else list(filter(entries.__contains__, found.ids))
        if found is None or not found.exact:
            predicate = wanted.compile(table.resource_type)
            read = self._reader(table, requested_by(wanted.node, table.resource_type))
            ids = [id for id in ids if predicate(read(id))]
        return ids if found is None or len(ids) < 2 else sorted(ids, key=lambda id: entries[id].sequence)

    def _keys(self, table: Table, sort: Sort, ids: Sequence[str]) -> dict[str, tuple[bool, Any]]:
        key_of, read = sort_key(sort), self._reader(table, sort.path.names[0].__eq__)
        return {id: key_of(read(id)) for id in ids}

    def _reader(self, table: Table, requested: RequestedAttributes) -> Callable[[str], Document]:
        """Return a function that reads a document with at least the requested attributes.

        Documents are read without a copy if the stored form has all requested attributes.
        """
        entries = table.entries
        if requested(META) or requested(MEMBERS) or requested(GROUPS):
            return lambda id: table.whole(entries[id], requested)
        return lambda id: entries[id].document

    def _change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected: str | None,
        requested: RequestedAttributes,
    ) -> Written:
        table = self._table(scope, resource_type)
        entry = table.find(id)
        if expected is not None:
            check_version(expected, version_tag(entry.version))
        members = changes.references.get(MEMBERS) if table.has_members else None
        if members is not None:
            others = {name: each for name, each in changes.references.items() if name != MEMBERS}
            changes = ChangeSet(changes.assigned, changes.unassigned, others)
        old = entry.document
        document = apply_changes(old, changes)
        if resource_type.references and refers(resource_type, {**changes.assigned, **changes.references}):
            document = _checked(table, document)
        changed = document != old
        moves = table.moves(id, old, document) if changed and table.indexes_any(changes) else []
        self._remember(table, id, entry)
        skipped: tuple[str, ...] = ()
        came: tuple[str, ...] = ()
        went: tuple[str, ...] = ()
        if members is not None:
            added, skipped = self._known_members(table, members.added)
            if scope.report_changes:
                came, went = _joining_and_leaving(entry.members, members, added)
            changed = table.change_members(id, entry, members, added) or changed
        if changed:
            if not _SET_BY_STORE.isdisjoint(changes.assigned):
                document = identified(resource_type, id, document)
            table.put(id, entry, document, moves, now())
        made = EffectiveChanges(old, entry.document, came, went) if changed and scope.report_changes else None
        return Written(table.whole(entry, requested), changed, skipped, changes=made)

    def _known_members(
        self, table: Table, members: Iterable[Mapping[str, Any]]
    ) -> tuple[dict[str, Mapping[str, Any]], tuple[str, ...]]:
        """Return the members that exist, with their types, and the ids of the members that do not exist."""
        known: dict[str, Mapping[str, Any]] = {}
        unknown: list[str] = []
        for member in members:
            id = member.get("value")
            kind = table.tenant.type_of(id) if id is not None else None
            if kind is not None and id is not None:
                known[id] = member_entry(id, kind, member.get("display"))
            elif self._unknown_members == "reject":
                raise InvalidValue(MISSING_MEMBER)
            elif id is not None:
                unknown.append(id)
        return known, tuple(unknown)


def _checked(table: Table, document: Document) -> dict[str, Any]:
    """Return a document whose references name resources of the tenant. Raises InvalidValue."""
    types = {id: table.tenant.type_of(id) for id in named_ids(table.resource_type, document)}
    return checked_references(
        table.resource_type, document, {id: kind for id, kind in types.items() if kind is not None}
    )


def _joining_and_leaving(
    present: Collection[str], changes: ReferenceChanges, added: Mapping[str, object]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids of the members that a change adds, and the ids of the members that the change removes."""
    gone = present if changes.cleared else changes.removed
    leaving = tuple(each for each in gone if each in present and each not in added)
    return tuple(each for each in added if each not in present), leaving


def _around(
    query: Query, ids: Sequence[str], keys: Mapping[str, tuple[Any, ...]], entries: Mapping[str, Entry]
) -> slice:
    """Return the slice of the ids for the page after a position, or before a position."""

    def position_at(place: int) -> Position:
        id = ids[place]
        return (*keys.get(id, ()), entries[id].sequence)

    return by_position(len(ids), position_at, query.sort, query.after, query.before, query.count)


def _drop(table: Table, id: str, entry: Entry) -> None:
    """Undo the creation of a resource."""
    table.remove_members(id, entry, list(entry.members))
    table.remove(id, entry)


def _restoring(table: Table, id: str, entry: Entry) -> Callable[[], None]:
    """Return a function that restores the present state of a resource."""
    version, modified, document, members = entry.version, entry.modified, entry.document, dict(entry.members)

    def restore() -> None:
        table.remove_members(id, entry, list(entry.members))
        table.add_members(id, entry, members)
        table.index(id, entry.document, document)
        entry.version, entry.modified, entry.document = version, modified, document

    return restore
