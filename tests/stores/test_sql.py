"""The SQL store on every database: filters and sorts as the reference has them, migrations, races, both colours."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimkit import GROUP, USER, Query, ResourceType, Scope
from scimkit.errors import InvalidFilter, PreconditionFailed, ScimError, Uniqueness
from scimkit.filters import Filter, parse
from scimkit.filters.ast import Comparison, Node, Not, Present, ValuePath
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.schema.attributes import AttributePath
from scimkit.stores.protocol import SyncStore
from scimkit.stores.sorting import Sort, sort_key
from scimkit.stores.sql import SqlStore, migrations
from scimkit.stores.sql.async_store import AsyncSqlStore
from scimkit.stores.sql.keys import encoded
from scimkit.stores.sql.tables import METADATA
from scimkit.testing import reference
from scimkit.testing.strategies import attribute_paths, documents
from scimkit.testing.strategies import filters as filters_of
from tests.resource_types import DEVICE
from tests.stores.databases import DATABASES, apart, store_of, url_of

on_every_database = pytest.mark.parametrize("database", DATABASES)
SCOPE = Scope("one")
OTHER = Scope("two")
# The ways of a database are the same in every example; many rows in one example find more than many examples.
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def user(name: str, **attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": name, **attributes}


def _says_version(node: Node) -> bool:
    """Whether a filter asks of an entity tag what only text has; the store refuses that."""
    if isinstance(node, Comparison):
        return node.path.lower() in ("meta.version", "version") and node.operator not in ("eq", "ne")
    if isinstance(node, ValuePath):
        return _says_version(node.filter)
    if isinstance(node, Present):
        return False
    return any(map(_says_version, [node.operand] if isinstance(node, Not) else node.operands))


def _filled(store: Any, kind: ResourceType, some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for number, document in enumerate(some):
        unique = {name: f"{document.get(name, '')}{number}" for name in kind.unique if name in document}
        try:
            store.create(SCOPE, kind, {**document, **unique})
        except Uniqueness:
            continue
    return [dict(each) for each in store.search(SCOPE, Query(kind, count=1000)).documents]


@on_every_database
@FEW
@given(data=st.data(), kind=st.sampled_from([USER, GROUP, DEVICE]))
def test_filters_mean_what_the_reference_has(database: str, data: st.DataObject, kind: ResourceType) -> None:
    """Generated filters over generated documents select the same in SQL as the slow model does."""
    store = apart(database)
    kept = _filled(store, kind, data.draw(st.lists(documents(kind), min_size=1, max_size=6)))
    for node in data.draw(st.lists(filters_of(kind), min_size=1, max_size=8)):
        if _says_version(node):
            with pytest.raises(InvalidFilter):
                store.search(SCOPE, Query(kind, Filter(node)))
            continue
        expected = [each["id"] for each in kept if reference.matches(kind, each, node)]
        found = store.search(SCOPE, Query(kind, Filter(node), count=1000))
        assert [each["id"] for each in found.documents] == expected, str(node)
        assert found.total == len(expected)
        assert store.search(OTHER, Query(kind, Filter(node))).total == 0


@on_every_database
@FEW
@given(data=st.data(), kind=st.sampled_from([USER, DEVICE]), descending=st.booleans())
def test_sorts_as_the_reference_has_them(
    database: str, data: st.DataObject, kind: ResourceType, descending: bool
) -> None:
    """Generated documents come in the order of the sort key; pages by position are parts of it."""
    store = apart(database)
    kept = _filled(store, kind, data.draw(st.lists(documents(kind), min_size=1, max_size=6)))
    path: AttributePath = data.draw(
        attribute_paths(kind).filter(lambda path: path.leaf.type != "complex")
    )
    if path.leaf.returned == "never":
        return
    sort = Sort(path, descending)
    expected = [each["id"] for each in sorted(kept, key=sort_key(sort), reverse=descending)]
    whole = store.search(SCOPE, Query(kind, sort=sort, count=100))
    assert [each["id"] for each in whole.documents] == expected
    for place, position in enumerate(whole.positions):
        after = store.search(SCOPE, Query(kind, sort=sort, count=2, after=position))
        assert [each["id"] for each in after.documents] == expected[place + 1 : place + 3]
        before = store.search(SCOPE, Query(kind, sort=sort, count=2, before=position))
        assert [each["id"] for each in before.documents] == expected[max(place - 2, 0) : place]


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBERS, NUMBERS)
def test_number_keys_order_as_numbers(one: float, other: float) -> None:
    """Exactly, also where a float would round an integer."""
    assert (encoded(one) < encoded(other)) == (one < other)
    assert (encoded(one) == encoded(other)) == (one == other)


@on_every_database
def test_migrated_tables_are_the_declared_ones(database: str) -> None:
    """What the migrations make is what the store expects; run again they do nothing."""
    engine = store_of(database).engine
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrations.VERSION_TABLE})
        differences = [
            each for each in compare_metadata(context, METADATA)
            if not (each[0] == "remove_table" and not each[1].name.startswith("scim_"))
        ]  # fmt: skip
        assert differences == []
        assert migrations.current(connection) == migrations.HEAD
    SqlStore(url_of(database)).engine.dispose()


@on_every_database
def test_one_of_two_racing_names_wins(database: str) -> None:
    """Of many creates with one userName at once exactly one succeeds; the others are told why."""
    store = apart(database)

    def create(_: int) -> bool:
        try:
            store.create(SCOPE, USER, user("ada"))
        except Uniqueness:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(16))) == 1
    assert store.search(SCOPE, Query(USER)).total == 1


@on_every_database
def test_concurrent_member_changes_all_land(database: str) -> None:
    """Members added and removed by many at once: nothing is lost, every change has a version of its own."""
    store = apart(database)
    people = [store.create(SCOPE, USER, user(f"u{n}")).document["id"] for n in range(20)]
    group = store.create(SCOPE, GROUP, {"schemas": [GROUP.schema], "displayName": "g"}).document["id"]

    def change(id: str) -> None:
        added = ChangeSet(references={"members": ReferenceChanges(({"value": id},))})
        assert store.change(SCOPE, GROUP, group, added).changed

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, people))
    found = store.get(SCOPE, GROUP, group)
    assert {each["value"] for each in found["members"]} == set(people)
    assert found["meta"]["version"] == 'W/"21"'


@on_every_database
def test_compare_and_swap(database: str) -> None:
    """A write that expects another version changes nothing."""
    store = apart(database)
    id = store.create(SCOPE, USER, user("ada")).document["id"]
    store.change(SCOPE, USER, id, ChangeSet({"title": "a"}), 'W/"1"')
    for attempt in (
        lambda: store.change(SCOPE, USER, id, ChangeSet({"title": "b"}), 'W/"1"'),
        lambda: store.replace(SCOPE, USER, id, user("ada"), 'W/"1"'),
        lambda: store.delete(SCOPE, USER, id, 'W/"1"'),
    ):
        with pytest.raises(PreconditionFailed):
            attempt()
    assert store.get(SCOPE, USER, id)["title"] == "a"


@on_every_database
def test_tenants_never_meet(database: str) -> None:
    """Ids, members and names of another tenant are not there, whatever is asked."""
    store = apart(database)
    mine = store.create(SCOPE, USER, user("ada")).document["id"]
    theirs = store.create(OTHER, USER, user("ada")).document["id"]
    group = {"schemas": [GROUP.schema], "displayName": "g", "members": [{"value": mine}, {"value": theirs}]}
    written = store.create(SCOPE, GROUP, group)
    assert written.skipped_members == (theirs,)
    for text in (f'id eq "{theirs}"', f'id eq "{theirs}" or userName eq "nobody"', f'not (id eq "{mine}")'):
        assert store.search(SCOPE, Query(USER, parse(text))).total == 0
    assert store.search(SCOPE, Query(GROUP, parse(f'members eq "{theirs}"'))).total == 0
    for attempt in (lambda: store.get(SCOPE, USER, theirs), lambda: store.delete(SCOPE, USER, theirs)):
        with pytest.raises(ScimError):
            attempt()
    assert store.get(OTHER, USER, theirs)["userName"] == "ada"


@on_every_database
def test_unknown_members_can_be_refused(database: str) -> None:
    """With `reject` nothing of the group is kept."""
    scope = Scope(f"reject-{id(object())}")
    store: SyncStore = SqlStore(store_of(database).engine, unknown_members="reject", upgrade=False)
    with pytest.raises(ScimError):
        store.create(scope, GROUP, {"schemas": [GROUP.schema], "displayName": "g", "members": [{"value": "x"}]})
    assert store.search(scope, Query(GROUP)).total == 0


@on_every_database
def test_one_member_of_many_is_one_row(database: str) -> None:
    """Adding a member reads no other: the statements are as many and as short for 500 members as for one."""
    store = apart(database)
    people = [store.create(SCOPE, USER, user(f"u{n}")).document["id"] for n in range(30)]
    counts = []
    for size in (1, 29):
        members = [{"value": each} for each in people[:size]]
        group = {"schemas": [GROUP.schema], "displayName": f"g{size}", "members": members}
        id = store.create(SCOPE, GROUP, group).document["id"]
        said: list[tuple[str, int]] = []

        def note(_: Any, cursor: Any, statement: str, *rest: Any, said: list[tuple[str, int]] = said) -> None:
            said.append((statement, cursor.rowcount if statement.startswith("SELECT") else 0))

        sa.event.listen(store.engine, "after_cursor_execute", note)
        try:
            change = ChangeSet(references={"members": ReferenceChanges(({"value": people[29]},))})
            store.change(SCOPE, GROUP, id, change)
        finally:
            sa.event.remove(store.engine, "after_cursor_execute", note)
        counts.append(said)
    assert counts[0] == counts[1]


@on_every_database
def test_async_store(database: str) -> None:
    """The awaited store does the same work on the same tables."""
    scope = Scope(f"async-{id(object())}-{database}")
    store_of(database)

    async def story() -> None:
        store = AsyncSqlStore(url_of(database), sleep=asyncio.sleep)
        try:
            await store.upgrade()
            ada = (await store.create(scope, USER, user("ada", title="x"))).document["id"]
            group = {"schemas": [GROUP.schema], "displayName": "g", "members": [{"value": ada}]}
            team = (await store.create(scope, GROUP, group)).document["id"]
            with pytest.raises(Uniqueness):
                await store.create(scope, USER, user("ADA"))
            await store.change(scope, USER, ada, ChangeSet({"active": False}))
            await store.replace(scope, USER, ada, user("bo", active=True))
            found = await store.search(scope, Query(USER, parse('active eq true and groups.display eq "G"')))
            assert [each["userName"] for each in found.documents] == ["bo"]
            await store.delete(scope, USER, ada)
            assert "members" not in await store.get(scope, GROUP, team)
        finally:
            await store.engine.dispose()

    asyncio.run(story())
