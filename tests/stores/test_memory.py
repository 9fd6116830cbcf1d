"""The memory store: what it keeps, in which order, and what it answers without a scan."""

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
    """Keep a user; its id."""
    document = {"schemas": [USER.schema], "userName": name, **attributes}
    return store.create(scope, USER, document).document["id"]


def group(store: MemoryStore, name: str, *members: str, scope: Scope = ACME) -> str:
    """Keep a group; its id."""
    document = {"schemas": [GROUP.schema], "displayName": name, "members": [{"value": each} for each in members]}
    return store.create(scope, GROUP, document).document["id"]


def change_members(store: MemoryStore, id: str, *added: str, **more: Any) -> Written:
    """Add members to a group, or do what the keyword arguments of `ReferenceChanges` say."""
    references = ReferenceChanges(tuple({"value": each} for each in added), **more)
    return store.change(ACME, GROUP, id, ChangeSet(references={"members": references}))


def members(store: MemoryStore, id: str, scope: Scope = ACME) -> list[str]:
    """The ids of a group's members, in order."""
    return [each["value"] for each in store.get(scope, GROUP, id).get("members", ())]


def found(store: MemoryStore, text: str, kind: Any = USER, scope: Scope = ACME) -> list[str]:
    """The ids of what matches a filter."""
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
"""A type whose references are looked up."""


class TestIndexes:
    """Equality is answered from an index: predicates run on candidates only."""

    def test_references_that_come_and_go(self, store: MemoryStore) -> None:
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
        """The ids of the documents that a predicate was evaluated on."""
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
        """Ada and Bob among a hundred others, in two groups among others."""
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
    def test_no_predicate_runs(
        self, store: MemoryStore, ids: dict[str, str], evaluated: list[str], text: str, expected: list[str]
    ) -> None:
        """The index says all."""
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
    def test_no_predicate_runs_on_groups(
        self, store: MemoryStore, ids: dict[str, str], evaluated: list[str], text: str, expected: list[str]
    ) -> None:
        """Members are rows that are found from either side."""
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
        """Where the index says part of it, the rest is asked of what the index found."""
        assert found(store, text) == [ids[name] for name in expected]
        assert sorted(evaluated) == sorted(ids[name] for name in candidates)

    def test_a_scan(self, store: MemoryStore, ids: dict[str, str], evaluated: list[str]) -> None:
        """What no index says is asked of every document, and of no other type or tenant."""
        user(store, "ada2", OTHER)
        assert found(store, 'userName sw "AD"') == [ids["ada"]]
        assert len(evaluated) == 102

    def test_they_follow_changes(self, store: MemoryStore) -> None:
        """A value that was is found no more, a value that is is found, after every kind of write."""
        ada = user(store, "ada", emails=[{"value": "a@example.org"}, {"value": "b@example.org"}])
        store.change(ACME, USER, ada, ChangeSet({"emails": [{"value": "b@example.org"}]}))
        assert (found(store, 'emails eq "a@example.org"'), found(store, 'emails eq "b@example.org"')) == ([], [ada])
        store.change(ACME, USER, ada, ChangeSet(unassigned=frozenset({"emails"})))
        assert found(store, 'emails eq "b@example.org"') == []
        store.replace(ACME, USER, ada, {"schemas": [USER.schema], "userName": "king"})
        assert (found(store, 'userName eq "ada"'), found(store, 'userName eq "KING"')) == ([], [ada])
        store.delete(ACME, USER, ada)
        assert found(store, 'userName eq "king"') == []

    def test_nothing_is_left_of_what_was(self, store: MemoryStore) -> None:
        """A store that everything was deleted from keeps no entry, key or membership."""
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
    """No two resources of a tenant share a unique value."""

    @pytest.mark.parametrize("name", ["ada", "ADA"])
    @pytest.mark.rfc("7643-7-9")
    def test_on_every_write(self, store: MemoryStore, name: str) -> None:
        """Create, replace and change refuse it, and leave no trace."""
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

    def test_of_a_group_with_other_members(self, store: MemoryStore) -> None:
        """A change that is refused for its name makes none of its membership changes."""
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
        """Of many threads that create the same user one does."""

        def create(_: int) -> bool:
            try:
                user(store, "ada")
            except Uniqueness:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(create, range(200))) == 1


class TestMembers:
    """Memberships hold together from both sides."""

    def test_a_change_does_not_read_the_members(self, store: MemoryStore) -> None:
        """Adding one member to a large group hands out none of the others."""
        people = [user(store, f"user{number}") for number in range(100)]
        staff = group(store, "Staff", *people[1:])
        assert "members" not in change_members(store, staff, people[0]).document

    def test_what_is_not_wanted_is_not_gathered(self, store: MemoryStore) -> None:
        """Members and groups are left out when they will not be returned."""
        ada = user(store, "ada")
        staff = group(store, "Staff", ada)
        assert "members" not in store.get(ACME, GROUP, staff, lambda name: name != "members")
        assert "groups" not in store.get(ACME, USER, ada, lambda name: name != "groups")
        query = Query(GROUP, filters.parse("displayName pr"), requested=lambda name: name == "displayName")
        assert "members" not in store.search(ACME, query).documents[0]


class TestVersions:
    """Compare and swap."""

    def test_instants(self, store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """created is the first write's instant, lastModified that of the last that changed anything."""
        instants = iter(f"2026-01-01T00:00:0{second}Z" for second in range(9))
        monkeypatch.setattr(memory, "now", lambda: next(instants))
        ada = user(store, "ada")
        store.change(ACME, USER, ada, ChangeSet({"title": "x"}))
        store.change(ACME, USER, ada, ChangeSet({"title": "x"}))
        meta = store.get(ACME, USER, ada)["meta"]
        assert (meta["created"], meta["lastModified"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
