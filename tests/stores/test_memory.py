"""The memory store: order, uniqueness, members, and filters that are answered from an index."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scimkit import GROUP, USER, MemoryStore, Query, ResourceType, Scope, Written, filters
from scimkit.errors import Uniqueness
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores import memory
from tests.client import ENTERPRISE

ACME, OTHER = Scope("acme"), Scope("other")


@pytest.fixture
def store() -> MemoryStore:
    """An empty store."""
    return MemoryStore()


def user(store: MemoryStore, name: str, scope: Scope = ACME, **attributes: Any) -> str:
    """Create a user and return its id."""
    document = {"schemas": [USER.schema], "userName": name, **attributes}
    return store.create(scope, USER, document).document["id"]


def group(store: MemoryStore, name: str, *members: str, scope: Scope = ACME) -> str:
    """Create a group and return its id."""
    document = {"schemas": [GROUP.schema], "displayName": name, "members": [{"value": each} for each in members]}
    return store.create(scope, GROUP, document).document["id"]


def change_members(store: MemoryStore, id: str, *added: str, **more: Any) -> Written:
    """Add members to a group, or apply the keyword arguments of `ReferenceChanges`."""
    references = ReferenceChanges(tuple({"value": each} for each in added), **more)
    return store.change(ACME, GROUP, id, ChangeSet(references={"members": references}))


def members(store: MemoryStore, id: str, scope: Scope = ACME) -> list[str]:
    """Return the ids of a group's members, in order."""
    return [each["value"] for each in store.get(scope, GROUP, id).get("members", ())]


def found(store: MemoryStore, text: str, kind: Any = USER, scope: Scope = ACME) -> list[str]:
    """Return the ids of the resources that match a filter."""
    return [each["id"] for each in store.search(scope, Query(kind, filters.parse(text), count=10_000)).documents]


ROOM = ResourceType(
    {
        "id": "urn:example:Room",
        "name": "Room",
        "attributes": [
            {"name": "keepers", "type": "complex", "multiValued": True, "subAttributes": [
                {"name": "value", "type": "string"}, {"name": "$ref", "type": "reference"}]},
        ],
    },
    indexed=["keepers.value"],
)  # fmt: skip
"""A resource type with an attribute that refers to other resources."""


class TestIndexes:
    """The store answers equality from an index and evaluates predicates on candidates only."""

    def test_index_follows_references(self, store: MemoryStore) -> None:
        """An index of references other than members follows each change."""
        id = store.create(ACME, ROOM, {"schemas": [ROOM.schema], "keepers": [{"value": "ada"}]}).document["id"]
        assert found(store, 'keepers eq "ada"', ROOM) == [id]
        moved = ReferenceChanges(({"value": "bo"},), frozenset({"ada"}))
        store.change(ACME, ROOM, id, ChangeSet(references={"keepers": moved}))
        assert [found(store, f'keepers eq "{each}"', ROOM) for each in ("ada", "bo")] == [[], [id]]
        store.change(ACME, ROOM, id, ChangeSet(references={"keepers": ReferenceChanges(cleared=True)}))
        assert found(store, 'keepers eq "bo"', ROOM) == []

    @pytest.fixture
    def evaluated(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The ids of the documents on which a predicate was evaluated."""
        ids: list[str] = []
        compile = filters.Filter.compile

        def counting(self: Any, *arguments: Any) -> Callable[[Any], bool]:
            predicate = compile(self, *arguments)

            def counted(document: Any) -> bool:
                ids.append(document["id"])
                return predicate(document)

            return counted

        monkeypatch.setattr(filters.Filter, "compile", counting)
        return ids

    @pytest.fixture
    def ids(self, store: MemoryStore) -> dict[str, str]:
        """The ids of Ada, Bob and two groups, in a store with a hundred other users and further groups."""
        for number in range(50):
            group(store, f"Group {number}", user(store, f"first{number}"))
        ada = user(
            store,
            "Ada",
            externalId="E1",
            displayName="Ada King",
            emails=[{"value": "Ada@Example.org", "type": "work"}, {"value": "ada@home.example", "type": "home"}],
            **{ENTERPRISE: {"employeeNumber": "1815"}},
        )
        bob = user(store, "bob", displayName="Ada King")
        for number in range(50):
            user(store, f"last{number}", emails=[{"value": f"last{number}@example.org"}])
        return {"ada": ada, "bob": bob, "staff": group(store, "Staff", ada, bob), "board": group(store, "Board", ada)}

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('id eq "{ada}"', ["ada"]),
            ('id eq "nobody"', []),
            ('userName eq "ADA"', ["ada"]),
            ('USERNAME eq "ada"', ["ada"]),
            (f'{USER.schema}:userName eq "ada"', ["ada"]),
            ('externalId eq "E1"', ["ada"]),
            ('externalId eq "e1"', []),
            ('displayName eq "ada king"', ["ada", "bob"]),
            ('emails.value eq "ada@example.ORG"', ["ada"]),
            ('emails eq "ada@home.example"', ["ada"]),
            ('emails[value eq "ada@home.example"]', ["ada"]),
            ('groups eq "{staff}"', ["ada", "bob"]),
            ('groups.value eq "{board}"', ["ada"]),
            ('groups[value eq "{board}"]', ["ada"]),
            ('groups eq "nothing"', []),
            ('userName eq "bob" or emails eq "ada@example.org" or id eq "x"', ["ada", "bob"]),
            ('displayName eq "Ada King" and userName eq "bob"', ["bob"]),
            ('groups eq "{staff}" and (userName eq "ada" or externalId eq "E1")', ["ada"]),
        ],
    )
    def test_index_alone_answers(
        self, store: MemoryStore, ids: dict[str, str], evaluated: list[str], text: str, expected: list[str]
    ) -> None:
        """A filter that indexes answer completely evaluates no predicate."""
        assert found(store, text.format(**ids)) == [ids[name] for name in expected]
        assert evaluated == []

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('members eq "{ada}"', ["staff", "board"]),
            ('members.value eq "{bob}"', ["staff"]),
            ('members[value eq "{bob}"]', ["staff"]),
            ('members eq "{ada}" and displayName eq "BOARD"', ["board"]),
            ('id eq "{staff}" and members eq "{ada}"', ["staff"]),
            ('id eq "{board}" and members eq "{bob}"', []),
        ],
    )
    def test_index_alone_answers_filters_on_members(
        self, store: MemoryStore, ids: dict[str, str], evaluated: list[str], text: str, expected: list[str]
    ) -> None:
        """Indexes answer filters on members of groups and on groups of members."""
        assert found(store, text.format(**ids), GROUP) == [ids[name] for name in expected]
        assert evaluated == []

    @pytest.mark.parametrize(
        ("text", "expected", "candidates"),
        [
            ('emails[type eq "work" and value eq "ada@example.org"]', ["ada"], ["ada"]),
            ('emails[type eq "home" and value eq "ada@example.org"]', [], ["ada"]),
            ('displayName eq "Ada King" and emails pr', ["ada"], ["ada", "bob"]),
            ('displayName eq "Ada King" and not (userName eq "ada")', ["bob"], ["ada", "bob"]),
            (f'userName eq "ada" and {ENTERPRISE}:employeeNumber eq "1815"', ["ada"], ["ada"]),
        ],
    )
    def test_predicates_run_on_candidates(
        self,
        store: MemoryStore,
        ids: dict[str, str],
        evaluated: list[str],
        text: str,
        expected: list[str],
        candidates: list[str],
    ) -> None:
        """If an index answers only a part of a filter, predicates run on the candidates of the index only."""
        assert found(store, text) == [ids[name] for name in expected]
        assert sorted(evaluated) == sorted(ids[name] for name in candidates)

    def test_filter_without_index_scans_all_documents(
        self, store: MemoryStore, ids: dict[str, str], evaluated: list[str]
    ) -> None:
        """A filter without an index is evaluated on every document of the resource type and tenant, and on no other."""
        user(store, "ada2", OTHER)
        assert found(store, 'userName sw "AD"') == [ids["ada"]]
        assert len(evaluated) == 102

    def test_indexes_follow_changes(self, store: MemoryStore) -> None:
        """After every kind of write, the new value is found and the old value is not."""
        ada = user(store, "ada", emails=[{"value": "a@example.org"}, {"value": "b@example.org"}])
        store.change(ACME, USER, ada, ChangeSet({"emails": [{"value": "b@example.org"}]}))
        assert (found(store, 'emails eq "a@example.org"'), found(store, 'emails eq "b@example.org"')) == ([], [ada])
        store.change(ACME, USER, ada, ChangeSet(unassigned=frozenset({"emails"})))
        assert found(store, 'emails eq "b@example.org"') == []
        store.replace(ACME, USER, ada, {"schemas": [USER.schema], "userName": "king"})
        assert (found(store, 'userName eq "ada"'), found(store, 'userName eq "KING"')) == ([], [ada])
        store.delete(ACME, USER, ada)
        assert found(store, 'userName eq "king"') == []

    def test_deleting_all_resources_empties_the_store(self, store: MemoryStore) -> None:
        """After every resource was deleted, the store keeps no entry, key or membership."""
        ada = user(store, "ada", emails=[{"value": "a@example.org"}], externalId="1")
        staff = group(store, "Staff", ada)
        store.delete(ACME, USER, ada)
        store.delete(ACME, GROUP, staff)
        tenant = store._tenants["acme"]
        assert tenant.groups_of == {}
        for table in tenant.tables.values():
            assert (table.entries, table.order, list(table.sequences)) == ({}, [], [])
            assert not any(table.indexes.values())


class TestUniqueness:
    """No two resources of a tenant have the same value of a unique attribute."""

    @pytest.mark.parametrize("name", ["ada", "ADA"])
    @pytest.mark.rfc("7643-7-9")
    def test_on_every_write(self, store: MemoryStore, name: str) -> None:
        """A duplicate value in `create`, `replace` or `change` is refused, and the store stays unchanged."""
        user(store, "ada")
        bob = user(store, "bob", title="x")
        before = store.get(ACME, USER, bob)
        document = {"schemas": [USER.schema], "userName": name}
        for write in (
            lambda: store.create(ACME, USER, document),
            lambda: store.replace(ACME, USER, bob, document),
            lambda: store.change(ACME, USER, bob, ChangeSet({"userName": name, "title": "y"})),
        ):
            with pytest.raises(Uniqueness, match="userName"):
                write()
        assert store.get(ACME, USER, bob) == before
        assert store.search(ACME, Query(USER)).total == 2

    def test_refused_change_keeps_members(self, store: MemoryStore) -> None:
        """A change that is refused for its displayName changes no member."""
        ada = user(store, "ada")
        group(store, "Staff")
        board = group(store, "Board")
        references = {"members": ReferenceChanges(({"value": ada},))}
        with pytest.raises(Uniqueness):
            store.change(ACME, GROUP, board, ChangeSet({"displayName": "STAFF"}, references=references))
        assert members(store, board) == []
        assert "groups" not in store.get(ACME, USER, ada)

    @pytest.mark.rfc("7643-7-9")
    def test_of_many_at_once(self, store: MemoryStore) -> None:
        """If many threads create the same user, exactly one thread succeeds."""

        def create(_: int) -> bool:
            try:
                user(store, "ada")
            except Uniqueness:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(create, range(200))) == 1


class TestMembers:
    """The members of groups and the groups of users always agree."""

    def test_a_change_does_not_read_the_members(self, store: MemoryStore) -> None:
        """Adding one member to a large group returns none of the other members."""
        people = [user(store, f"user{number}") for number in range(100)]
        staff = group(store, "Staff", *people[1:])
        assert "members" not in change_members(store, staff, people[0]).document

    def test_unrequested_members_are_left_out(self, store: MemoryStore) -> None:
        """Documents have no members and groups if the caller does not request them."""
        ada = user(store, "ada")
        staff = group(store, "Staff", ada)
        assert "members" not in store.get(ACME, GROUP, staff, lambda name: name != "members")
        assert "groups" not in store.get(ACME, USER, ada, lambda name: name != "groups")
        query = Query(GROUP, filters.parse("displayName pr"), requested=lambda name: name == "displayName")
        assert "members" not in store.search(ACME, query).documents[0]


class TestVersions:
    """Versions and times of resources."""

    def test_created_and_last_modified(self, store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """`created` is the time of the first write, and `lastModified` is the time of the last effective change."""
        instants = iter(f"2026-01-01T00:00:0{second}Z" for second in range(9))
        monkeypatch.setattr(memory, "now", lambda: next(instants))
        ada = user(store, "ada")
        store.change(ACME, USER, ada, ChangeSet({"title": "x"}))
        store.change(ACME, USER, ada, ChangeSet({"title": "x"}))
        meta = store.get(ACME, USER, ada)["meta"]
        assert (meta["created"], meta["lastModified"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
