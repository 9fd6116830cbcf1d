"""A hypothesis state machine: two stores live the same life side by side, and are compared after every step.

    class MyMachine(StoreMachine):
        def make_stores(self):
            return MyStore(), MemoryStore()

    TestMyMachine = MyMachine.TestCase

Ids, versions and instants are each store's own; all else must be alike. This module promises nothing of a
store by itself: whoever is beside it does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from scimkit.errors import InvalidFilter, ScimError
from scimkit.filters.ast import paths_of
from scimkit.filters.filter import Filter, parse
from scimkit.patch.changes import ChangeSet, ReferenceChanges, changes_between
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Capability, Query, Scope, SyncStore
from scimkit.stores.sorting import Sort
from scimkit.testing.contract.capabilities import StoreCapabilities
from scimkit.testing.contract.comparison import ComparedStore

_ALL: Final = 10_000
_OWN: Final = frozenset({"id", META, MEMBERS, GROUPS})
"""The attributes whose values no two stores have alike."""
_BY_ID: Final = (
    'id eq "{0}"', 'not (id eq "{0}")', 'id eq "{0}" or id eq "{1}"', 'members eq "{0}"', 'not (members eq "{0}")',
    'id eq "{0}" and members eq "{1}"', 'groups eq "{0}"', 'groups[value eq "{0}"]',
)  # fmt: skip
_SCOPES: Final = (Scope("default"), Scope("other"))


Step: TypeAlias = Callable[[ComparedStore, SyncStore], Any]
"""Something done to one of the stores; what it comes to can be compared with the other's."""


class Undone(Exception):
    """What a transaction raises that is to leave nothing."""


class StoreMachine(RuleBasedStateMachine):
    """Drives two stores. Subclasses give `make_stores`, and `subject` where a store does not keep everything."""

    subject: ClassVar[StoreCapabilities] = StoreCapabilities()

    def make_stores(self) -> tuple[SyncStore, SyncStore]:
        """Two fresh and empty stores."""
        raise NotImplementedError

    def close_stores(self) -> None:
        """Give up the stores."""

    def teardown(self) -> None:
        self.close_stores()

    @initialize()
    def start(self) -> None:
        """Both are empty."""
        self.sides: list[ComparedStore] = [ComparedStore(each, self.subject) for each in self.make_stores()]
        self.unsupported: set[Capability] = {each for side in self.sides for each in side.store.unsupported}
        self.types: dict[str, ResourceType] = {each.name: each for each in self.subject.resource_types}

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        """One write of any kind, to any resource, of any tenant."""
        self._both(self._any_write(data))

    @rule(data=st.data(), undone=st.booleans())
    def transact(self, data: st.DataObject, undone: bool) -> None:
        """Several writes in one transaction, some of which may be refused; it may be undone at the end."""
        if "transactions" in self.unsupported:
            return
        scope = self._scope(data)
        steps = [self._any_write(data, scope) for _ in range(data.draw(st.integers(1, 4)))]

        def step(side: ComparedStore, store: SyncStore) -> Any:
            def work(inner: SyncStore) -> Any:
                side.fresh = []
                found = [_outcome(each, side, inner) for each in steps]
                if undone:
                    raise Undone
                return found

            try:
                return store.transaction(scope, work)
            except Undone:
                return "undone"

        self._both(step)

    @rule(data=st.data())
    def search(self, data: st.DataObject) -> None:
        """A page of what matches a filter, in some order, by index or around a position."""
        scope, kind = self._scope(data), self._type(data)
        text = data.draw(st.none() | st.sampled_from(_BY_ID))
        numbers = [self._number(data), self._number(data)]
        node = data.draw(self.subject.asked[kind])
        sort = self._sort(data, kind)
        start, count = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 3))
        place, backward = data.draw(st.none() | st.integers(0, 3)), data.draw(st.booleans())

        def step(side: ComparedStore, store: SyncStore) -> Any:
            wanted = None if _names_own(node) else Filter(node)
            if text is not None and numbers[0] is not None and numbers[1] is not None:
                wanted = parse(text.format(side.ids[numbers[0]], side.ids[numbers[1]]))
            whole = store.search(scope, Query(kind, wanted, sort, count=_ALL))
            query = Query(kind, wanted, sort, start, count)
            if place is not None and place < len(whole.documents) and "cursors" not in self.unsupported:
                position = whole.positions[place]
                around: dict[str, Any] = {"before" if backward else "after": position}
                query = Query(kind, wanted, sort, count=count, **around)
            return side.page(query, whole), side.page(query, store.search(scope, query))

        self._both(step)

    @invariant()
    def alike(self) -> None:
        """All that any tenant has is alike in both, and changed in both or in neither."""
        if not hasattr(self, "sides"):
            return
        found = []
        for side in self.sides:
            pages = [
                (Query(kind, count=_ALL), side.store.search(scope, Query(kind, count=_ALL)))
                for scope in self.scopes
                for kind in self.types.values()
            ]
            shown = [side.page(*each) for each in pages]
            found.append((shown, side.changed(each for _, page in pages for each in page.documents)))
        assert found[0] == found[1]

    @property
    def scopes(self) -> Sequence[Scope]:
        """The tenants that things are done in."""
        return _SCOPES[:1] if "tenants" in self.unsupported else _SCOPES

    def _both(self, step: Step) -> None:
        """Do the same to both stores; it must come to the same."""
        found = [_outcome(step, side, side.store) for side in self.sides]
        for side in self.sides:
            side.adopt()
        if InvalidFilter not in found or "filters" not in self.unsupported:
            assert found[0] == found[1]

    def _any_write(self, data: st.DataObject, scope: Scope | None = None) -> Step:
        """A write in a tenant, or in any: mostly to what it can be done to, at times to what is not there."""
        number = self._number(data)
        write = data.draw(st.sampled_from(["create", "create", "replace", "change", "change", "change", "delete"]))
        if write == "create" or number is None:
            return self._create(data, scope or self._scope(data), self._type(data))
        own_scope, kind = self.sides[0].born[number]
        if data.draw(st.sampled_from([False, False, False, True])):
            own_scope, kind = self._scope(data), self._type(data)
        scope = scope or own_scope
        expected = data.draw(st.sampled_from([None, None, "seen", "none"]))

        def version(side: ComparedStore) -> str | None:
            return side.version(number) if expected == "seen" else expected

        if write == "delete":
            return lambda side, store: store.delete(scope, kind, side.ids[number], version(side))
        if write == "replace":
            document = self._document(data, kind)
            return lambda side, store: side.written(
                kind, store.replace(scope, kind, side.ids[number], document(side), version(side))
            )
        changes = self._changes(data, scope, kind, number)
        return lambda side, store: side.written(
            kind, store.change(scope, kind, side.ids[number], changes(side), version(side))
        )

    def _create(self, data: st.DataObject, scope: Scope, kind: ResourceType) -> Step:
        document = self._document(data, kind)

        def step(side: ComparedStore, store: SyncStore) -> Any:
            written = store.create(scope, kind, document(side))
            side.fresh.append((written.document["id"], (scope, kind)))
            return side.written(kind, written), side.shown(kind, written.document)

        return step

    def _document(self, data: st.DataObject, kind: ResourceType) -> Callable[[ComparedStore], dict[str, Any]]:
        """A generated document; the members of a group by the ids that a side has for them."""
        document, members = data.draw(self.subject.generated[kind]), self._members(data, kind)
        if not members:
            return lambda side: document
        return lambda side: {**document, MEMBERS: [{"value": side.ids[each]} for each in members]}

    def _changes(
        self, data: st.DataObject, scope: Scope, kind: ResourceType, number: int
    ) -> Callable[[ComparedStore], ChangeSet]:
        """Some of what makes another document of the one that is there, and changes of members."""
        target = data.draw(self.subject.generated[kind])
        try:
            old = self.subject.kept(kind, self.sides[0].store.get(scope, kind, self.sides[0].ids[number]))
        except ScimError:
            old = target
        whole = changes_between(kind, old, target, names={*old, *target} - {"schemas"})
        keep = data.draw(st.lists(st.booleans(), min_size=len(kind.attributes), max_size=len(kind.attributes)))
        names = {name for name, chosen in zip(kind.attributes, keep, strict=True) if chosen}
        assigned = {name: value for name, value in whole.assigned.items() if name in names}
        unassigned = frozenset(name for name in whole.unassigned if name in names)
        after = {name: value for name, value in {**old, **assigned}.items() if name not in unassigned}
        assigned["schemas"] = kind.schemas_of(after)
        added, removed = self._members(data, kind), self._members(data, kind)
        removed = [each for each in removed if each not in added]  # whether that is a change, a store may say
        cleared = bool(added or removed) and data.draw(st.booleans())

        def changes(side: ComparedStore) -> ChangeSet:
            joined = ReferenceChanges(
                tuple({"value": side.ids[each]} for each in added),
                frozenset(side.ids[each] for each in removed),
                cleared,
            )
            return ChangeSet(assigned, unassigned, {MEMBERS: joined} if joined else {})

        return changes

    def _members(self, data: st.DataObject, kind: ResourceType) -> list[int]:
        """Draw numbers of resources as members of a group; no group if the store does not nest groups."""
        if MEMBERS not in kind.attributes:
            return []
        may_join = [
            number
            for number, (_, joining) in enumerate(self.sides[0].born)
            if self.subject.nested_groups or MEMBERS not in joining.attributes
        ]
        return data.draw(st.lists(st.sampled_from(may_join), unique=True, max_size=3)) if may_join else []

    def _number(self, data: st.DataObject) -> int | None:
        """Any resource there ever was."""
        there = len(self.sides[0].ids)
        return data.draw(st.integers(0, there - 1)) if there else None

    def _scope(self, data: st.DataObject) -> Scope:
        return data.draw(st.sampled_from(self.scopes))

    def _type(self, data: st.DataObject) -> ResourceType:
        return self.types[data.draw(st.sampled_from(sorted(self.types)))]

    def _sort(self, data: st.DataObject, kind: ResourceType) -> Sort | None:
        if "sort" in self.unsupported or not data.draw(st.booleans()):
            return None
        path = data.draw(self.subject.sortable[kind])
        return None if path.names[0] in _OWN else Sort(path, data.draw(st.booleans()))


def _outcome(step: Step, side: ComparedStore, store: SyncStore) -> Any:
    """What a step comes to: a value, or the class of the error."""
    try:
        return step(side, store)
    except ScimError as error:
        return type(error)


def _names_own(node: Any) -> bool:
    """Whether a filter asks of what is each store's own."""
    return any(path.partition(".")[0] in _OWN for path in paths_of(node))
