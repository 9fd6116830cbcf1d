"""The memory store: what it keeps, in which order, and what it answers without a scan."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scimkit import GROUP, USER, MemoryStore, Query, Scope, Written, filters
from scimkit.errors import InvalidValue, NotFound, PreconditionFailed, ScimError, Uniqueness
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


class TestIndexes:
    """Equality is answered from an index: predicates run on candidates only."""

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

    def test_a_resource_does_not_stand_in_its_own_way(self, store: MemoryStore) -> None:
        """The same name in another case is a change."""
        ada = user(store, "ada")
        assert store.change(ACME, USER, ada, ChangeSet({"userName": "ADA"})).document["userName"] == "ADA"

    def test_a_name_is_free_again(self, store: MemoryStore) -> None:
        """After its owner was deleted or renamed; the id is another."""
        ada = user(store, "ada")
        store.delete(ACME, USER, ada)
        again = user(store, "ada")
        store.change(ACME, USER, again, ChangeSet({"userName": "king"}))
        assert len({ada, again, user(store, "ada")}) == 3

    def test_it_ends_at_the_tenant(self, store: MemoryStore) -> None:
        """Another tenant may have the same names."""
        assert user(store, "ada") != user(store, "ada", OTHER)

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

    def test_computed_groups(self, store: MemoryStore) -> None:
        """A user's groups are those that have it as a member, with their present names."""
        ada = user(store, "ada")
        staff = group(store, "Staff", ada)
        store.change(ACME, GROUP, staff, ChangeSet({"displayName": "People"}))
        assert store.get(ACME, USER, ada)["groups"] == [{"value": staff, "type": "direct", "display": "People"}]
        change_members(store, staff, removed=frozenset({ada}))
        assert "groups" not in store.get(ACME, USER, ada)

    def test_groups_are_never_written(self, store: MemoryStore) -> None:
        """What a document says of its groups is passed over."""
        ada = user(store, "ada", groups=[{"value": "g"}])
        store.replace(ACME, USER, ada, {"schemas": [USER.schema], "userName": "ada", "groups": [{"value": "g"}]})
        assert "groups" not in store.get(ACME, USER, ada)

    def test_a_membership_is_no_change_of_the_user(self, store: MemoryStore) -> None:
        """The user's version stays when a group takes it in."""
        ada = user(store, "ada")
        before = store.get(ACME, USER, ada)["meta"]
        group(store, "Staff", ada)
        assert store.get(ACME, USER, ada)["meta"] == before

    def test_a_deleted_member_leaves(self, store: MemoryStore) -> None:
        """Deleting a user or a nested group is a change of the groups it was in, of no other."""
        ada, bob = user(store, "ada"), user(store, "bob")
        inner = group(store, "Inner", bob)
        outer, apart = group(store, "Outer", ada, inner), group(store, "Apart", bob)
        versions = {id: store.get(ACME, GROUP, id)["meta"]["version"] for id in (inner, outer, apart)}
        store.delete(ACME, USER, ada)
        store.delete(ACME, GROUP, inner)
        assert members(store, outer) == []
        assert store.get(ACME, GROUP, outer)["meta"]["version"] != versions[outer]
        assert store.get(ACME, GROUP, apart)["meta"]["version"] == versions[apart]
        assert [each["value"] for each in store.get(ACME, USER, bob)["groups"]] == [apart]

    def test_types_of_members(self, store: MemoryStore) -> None:
        """A member's type is what it is, whatever was said."""
        ada, inner = user(store, "ada"), group(store, "Inner")
        given = [{"value": ada, "type": "Group"}, {"value": inner}]
        id = store.create(ACME, GROUP, {"schemas": [], "displayName": "Outer", "members": given}).document["id"]
        assert [each["type"] for each in store.get(ACME, GROUP, id)["members"]] == ["User", "Group"]

    def test_unknown_members(self, store: MemoryStore) -> None:
        """They are passed over and named; those of another tenant are unknown."""
        ada, foreign = user(store, "ada"), user(store, "eve", OTHER)
        document = {"schemas": [], "displayName": "Staff", "members": [{"value": each} for each in ("x", ada, foreign)]}
        written = store.create(ACME, GROUP, document)
        assert written.skipped_members == ("x", foreign)
        staff = written.document["id"]
        again = change_members(store, staff, "y")
        assert (again.skipped_members, again.changed, members(store, staff)) == (("y",), False, [ada])

    def test_unknown_members_refused(self) -> None:
        """With the other policy nothing of the write is done."""
        store = MemoryStore(unknown_members="reject")
        ada = user(store, "ada")
        staff = group(store, "Staff")
        with pytest.raises(InvalidValue):
            change_members(store, staff, ada, "x")
        with pytest.raises(InvalidValue):
            group(store, "Board", "x")
        assert members(store, staff) == []
        assert store.search(ACME, Query(GROUP)).total == 1

    def test_adding_and_removing(self, store: MemoryStore) -> None:
        """Members keep their order; what is there is not added, what is absent is not removed."""
        ada, bob, eve = (user(store, name) for name in ("ada", "bob", "eve"))
        staff = group(store, "Staff", bob)
        assert change_members(store, staff, ada, bob, ada).changed
        assert members(store, staff) == [bob, ada]
        before = store.get(ACME, GROUP, staff)
        assert not change_members(store, staff, bob, ada, removed=frozenset({eve, "x"})).changed
        assert store.get(ACME, GROUP, staff) == before
        assert change_members(store, staff, eve, cleared=True).changed
        assert members(store, staff) == [eve]
        assert not change_members(store, staff, eve, cleared=True).changed

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
        query = Query(GROUP, filters.parse("displayName pr"), wants=lambda name: name == "displayName")
        assert "members" not in store.search(ACME, query).documents[0]


class TestTenants:
    """What is one tenant's is no other's."""

    def test_every_method(self, store: MemoryStore) -> None:
        """Neither reads nor writes reach over."""
        ada = user(store, "ada")
        staff = group(store, "Staff", ada)
        document = {"schemas": [USER.schema], "userName": "eve"}
        for call in (
            lambda: store.get(OTHER, USER, ada),
            lambda: store.replace(OTHER, USER, ada, document),
            lambda: store.change(OTHER, USER, ada, ChangeSet({"userName": "eve"})),
            lambda: store.delete(OTHER, USER, ada),
        ):
            with pytest.raises(NotFound):
                call()
        for text in (f'id eq "{ada}"', 'userName eq "ada"', "userName pr", f'groups eq "{staff}"'):
            assert found(store, text, scope=OTHER) == []
        assert found(store, f'members eq "{ada}"', GROUP, OTHER) == []
        assert store.search(OTHER, Query(USER)).total == 0


class TestVersions:
    """Compare and swap."""

    def test_the_expected_version(self, store: MemoryStore) -> None:
        """A write that expects another version than there is is refused and changes nothing."""
        ada = user(store, "ada")
        first = store.get(ACME, USER, ada)["meta"]["version"]
        document = {"schemas": [USER.schema], "userName": "king"}
        second = store.replace(ACME, USER, ada, document, first).document["meta"]["version"]
        assert second != first
        before = store.get(ACME, USER, ada)
        for write in (
            lambda: store.replace(ACME, USER, ada, {**document, "title": "x"}, first),
            lambda: store.change(ACME, USER, ada, ChangeSet({"title": "x"}), first),
            lambda: store.delete(ACME, USER, ada, first),
        ):
            with pytest.raises(PreconditionFailed):
                write()
        assert store.get(ACME, USER, ada) == before
        store.delete(ACME, USER, ada, second)

    def test_a_write_of_the_same_changes_nothing(self, store: MemoryStore) -> None:
        """Version and lastModified stay."""
        ada = user(store, "ada", title="x")
        before = store.get(ACME, USER, ada)
        document = {"schemas": [USER.schema], "userName": "ada", "title": "x"}
        assert not store.replace(ACME, USER, ada, document).changed
        assert not store.change(ACME, USER, ada, ChangeSet({"title": "x"}, frozenset({"nickName"}))).changed
        assert store.get(ACME, USER, ada) == before

    def test_of_many_at_once(self, store: MemoryStore) -> None:
        """Threads that compare, swap and try again lose nothing."""
        ada = user(store, "ada", title="")

        def add(number: int) -> None:
            while True:
                old = store.get(ACME, USER, ada)
                changes = ChangeSet({"title": f"{old['title']},{number}"})
                try:
                    store.change(ACME, USER, ada, changes, old["meta"]["version"])
                except PreconditionFailed:
                    continue
                return

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(add, range(200)))
        title = store.get(ACME, USER, ada)["title"]
        assert sorted(map(int, title.split(",")[1:])) == list(range(200))

    def test_instants(self, store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
        """created is the first write's instant, lastModified that of the last that changed anything."""
        instants = iter(f"2026-01-01T00:00:0{second}Z" for second in range(9))
        monkeypatch.setattr(memory, "now", lambda: next(instants))
        ada = user(store, "ada")
        store.change(ACME, USER, ada, ChangeSet({"title": "x"}))
        store.change(ACME, USER, ada, ChangeSet({"title": "x"}))
        meta = store.get(ACME, USER, ada)["meta"]
        assert (meta["created"], meta["lastModified"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")


class TestOrder:
    """The order of lists."""

    def test_it_is_that_of_creation(self, store: MemoryStore) -> None:
        """Changes and deletes leave it, found by a scan or by an index."""
        ids = [user(store, f"user{number}", displayName="Same") for number in range(10)]
        store.change(ACME, USER, ids[2], ChangeSet({"title": "x"}))
        store.replace(ACME, USER, ids[3], {"schemas": [], "userName": "z", "displayName": "Same"})
        store.delete(ACME, USER, ids.pop(5))
        ids.append(user(store, "a", displayName="Same"))
        assert [each["id"] for each in store.search(ACME, Query(USER)).documents] == ids
        assert found(store, 'displayName eq "same"') == found(store, 'displayName sw "same"') == ids

    def test_pages(self, store: MemoryStore) -> None:
        """Pages are slices of the list; the total is that of all; none beyond the end."""
        ids = [user(store, f"user{number}") for number in range(5)]
        for start, count, expected in ((1, 2, ids[:2]), (4, 5, ids[3:]), (9, 5, []), (1, 0, []), (0, 1, ids[:1])):
            page = store.search(ACME, Query(USER, start_index=start, count=count))
            assert ([each["id"] for each in page.documents], page.total) == (expected, 5)


class TestKeeping:
    """What is kept is the store's own."""

    def test_a_change_after_the_fact(self, store: MemoryStore) -> None:
        """Documents that were handed out stay as they were when the store goes on."""
        ada = user(store, "ada", title="x")
        staff = group(store, "Staff", ada)
        before, group_before = store.get(ACME, USER, ada), store.get(ACME, GROUP, staff)
        store.change(ACME, USER, ada, ChangeSet({"title": "y"}))
        change_members(store, staff, removed=frozenset({ada}))
        assert before["title"] == "x"
        assert [each["value"] for each in group_before["members"]] == [ada]

    @pytest.mark.parametrize("id", ["", "x", "../x", "\0", "x" * 10_000])
    def test_what_is_not_there(self, store: MemoryStore, id: str) -> None:
        """Every method says so, by the name of the type, without the id."""
        user(store, "ada")
        for call in (
            lambda: store.get(ACME, USER, id),
            lambda: store.replace(ACME, USER, id, {"schemas": []}),
            lambda: store.change(ACME, USER, id, ChangeSet()),
            lambda: store.delete(ACME, USER, id),
        ):
            with pytest.raises(NotFound, match=r"^This User does not exist\.$"):
                call()

    def test_a_filter_that_names_nothing(self, store: MemoryStore) -> None:
        """It is refused, on an empty store too."""
        with pytest.raises(ScimError) as refused:
            found(store, "shoeSize pr")
        assert refused.value.scim_type == "invalidFilter"
