"""Contract tests for `members` of groups and `groups` of users (RFC 7643 sections 4.1.2 and 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from scimkit.errors import InvalidValue, Uniqueness
from scimkit.patch.changes import ChangeSet
from scimkit.stores.protocol import GROUPS, MEMBERS, SyncMemberPages, SyncStore, Written
from scimkit.testing.contract.base import ContractBase


class MembersContract(ContractBase):
    """The `members` of groups and the `groups` of users agree at all times."""

    def _groups(self, store: SyncStore, user: str) -> set[tuple[str, Any]]:
        """Return id and name of each group in `groups` of a user. The test is skipped if users have no `groups`."""
        if GROUPS not in self.user_type.attributes:
            pytest.skip("the users of this store have no groups")
        document = store.get(self.one, self.user_type, user)
        return {(each["value"], each.get("display")) for each in document.get(GROUPS, ())}

    def test_groups_are_computed(self, store: SyncStore) -> None:
        """`groups` of a user contains the groups that have the user as a member, with their current names."""
        ada, bob = self.user(store, "ada"), self.user(store, "bob")
        team, board = self.group(store, "team", ada, bob), self.group(store, "board", ada)
        assert self._groups(store, ada) == {(team, "team"), (board, "board")}
        store.change(self.one, self.group_type, team, ChangeSet({"displayName": "people"}))
        assert self._groups(store, ada) == {(team, "people"), (board, "board")}
        self.join(store, team, removed={ada})
        assert self._groups(store, ada) == {(board, "board")}
        assert self._groups(store, bob) == {(team, "people")}
        store.delete(self.one, self.group_type, board)
        assert GROUPS not in store.get(self.one, self.user_type, ada)

    def test_members_after_every_kind_of_write(self, store: SyncStore) -> None:
        """Members are correct after create, add, remove, clear and replace. Without members there is no `members`."""
        ada, bob, eve = (self.user(store, name) for name in ("ada", "bob", "eve"))
        team = self.group(store, "team", bob)
        assert self.join(store, team, ada, bob, ada).changed
        assert self.members(store, team) == {ada, bob}
        assert self.join(store, team, eve, removed={bob}).changed
        assert self.members(store, team) == {ada, eve}
        assert self.join(store, team, bob, cleared=True).changed
        assert self.members(store, team) == {bob}
        document = {**self.document(self.group_type, "team"), MEMBERS: [{"value": ada}]}
        assert store.replace(self.one, self.group_type, team, document).changed
        assert self.members(store, team) == {ada}
        assert store.replace(self.one, self.group_type, team, self.document(self.group_type, "team")).changed
        assert MEMBERS not in store.get(self.one, self.group_type, team)

    def test_members_are_read_in_pages(self, store: SyncStore) -> None:
        """`members` returns each member of a group on exactly one page, and nothing of a group that does not exist."""
        self.needs(store, "member_pages")
        people = [self.user(store, f"someone {number}") for number in range(5)]
        team, empty = self.group(store, "team", *people), self.group(store, "empty")
        self.group(store, "others", people[0])
        self.join(store, team, removed={people[2]})
        pages = cast(SyncMemberPages, store)
        found: list[str] = []
        after: int | None = 0
        while after is not None:
            page = pages.members(self.one, self.group_type, team, after, 2)
            assert len(page.entries) <= 2
            assert page.next is None or (page.next != after and page.entries)
            found += [each["value"] for each in page.entries]
            after = page.next
        assert sorted(found) == sorted(self.members(store, team))
        for scope, group in ((self.one, empty), (self.one, "nobody"), (self.two, team)):
            assert not pages.members(scope, self.group_type, group, 0, 2).entries

    def test_removed_and_added_at_once(self, store: SyncStore) -> None:
        """A user that one change removes and adds is a member afterwards. The store decides if that is a change."""
        ada, bob = self.user(store, "ada"), self.user(store, "bob")
        team = self.group(store, "team", bob)
        self.join(store, team, ada, bob, removed={ada, bob})
        assert self.members(store, team) == {ada, bob}
        assert {each["value"] for each in store.get(self.one, self.user_type, bob)[GROUPS]} == {team}

    def test_redundant_member_changes_change_nothing(self, store: SyncStore) -> None:
        """Adding an existing member, removing a missing one, or writing the same members again changes nothing."""
        ada, bob, eve = (self.user(store, name) for name in ("ada", "bob", "eve"))
        team, empty = self.group(store, "team", ada, bob), self.group(store, "empty")
        before = self.contents(store)
        assert not self.join(store, team, bob, ada, removed={eve, "x"}).changed
        assert not self.join(store, team, ada, bob, cleared=True).changed
        assert not self.join(store, team).changed
        assert not self.join(store, empty, cleared=True).changed
        document = {**self.document(self.group_type, "team"), MEMBERS: [{"value": ada}, {"value": bob}]}
        assert not store.replace(self.one, self.group_type, team, document).changed
        assert self.contents(store) == before

    def test_versions(self, store: SyncStore) -> None:
        """A change of members changes the version of the group, and not the version of the member."""
        ada, team = self.user(store, "ada"), self.group(store, "team")
        user, group = store.get(self.one, self.user_type, ada), self.version(store, self.group_type, team)
        written = self.join(store, team, ada)
        assert written.document["meta"]["version"] == self.version(store, self.group_type, team) != group
        assert store.get(self.one, self.user_type, ada)["meta"] == user["meta"]

    def test_a_change_of_attributes_and_members(self, store: SyncStore) -> None:
        """A change set can change an attribute and the members of a group."""
        ada = self.user(store, "ada")
        team = self.group(store, "team")
        changes = self.member_changes(ada)
        store.change(self.one, self.group_type, team, ChangeSet({"displayName": "people"}, references=changes))
        assert store.get(self.one, self.group_type, team)["displayName"] == "people"
        assert self.members(store, team) == {ada}

    def test_a_refused_change_keeps_the_members(self, store: SyncStore) -> None:
        """A group keeps its members if the store refuses its new name."""
        if "displayName" not in self.group_type.unique:
            pytest.skip("names of groups are not unique in this store")
        ada, bob = self.user(store, "ada"), self.user(store, "bob")
        team, _ = self.group(store, "team", ada), self.group(store, "board")
        before = self.contents(store)
        changes = ChangeSet({"displayName": "BOARD"}, references=self.member_changes(bob, removed={ada}))
        document = {**self.document(self.group_type, "board"), MEMBERS: [{"value": bob}]}
        with pytest.raises(Uniqueness):
            store.change(self.one, self.group_type, team, changes)
        with pytest.raises(Uniqueness):
            store.replace(self.one, self.group_type, team, document)
        assert self.contents(store) == before

    def test_a_deleted_member_leaves(self, store: SyncStore) -> None:
        """Deleting a user changes the groups that had the user as a member, and no other groups."""
        ada, bob = self.user(store, "ada"), self.user(store, "bob")
        team, apart = self.group(store, "team", ada, bob), self.group(store, "apart", bob)
        versions = {each: self.version(store, self.group_type, each) for each in (team, apart)}
        store.delete(self.one, self.user_type, ada)
        assert self.members(store, team) == self.members(store, apart) == {bob}
        assert self.version(store, self.group_type, team) != versions[team]
        assert self.version(store, self.group_type, apart) == versions[apart]

    def test_nested_groups(self, store: SyncStore) -> None:
        """A group can be a member. The `type` of a member is its resource type, whatever the request said."""
        ada, inner = self.user(store, "ada"), self.group(store, "inner")
        if not self.nested_groups:
            self._unknown(store, inner)
            return
        given = [{"value": ada, "type": self.group_type.name}, {"value": inner}]
        document = {**self.document(self.group_type, "outer"), MEMBERS: given}
        outer = store.create(self.one, self.group_type, document).document["id"]
        found = store.get(self.one, self.group_type, outer)[MEMBERS]
        expected = {ada: self.user_type.name, inner: self.group_type.name}
        assert {each["value"]: each["type"] for each in found} == expected
        before = self.version(store, self.group_type, outer)
        store.delete(self.one, self.group_type, inner)
        assert self.members(store, outer) == {ada}
        assert self.version(store, self.group_type, outer) != before

    def test_unknown_members(self, store: SyncStore) -> None:
        """Unknown members are skipped and reported, or the store refuses the write."""
        self._unknown(store, "nobody")

    def test_a_deleted_member_is_unknown(self, store: SyncStore) -> None:
        """The id of a deleted user cannot become a member again."""
        eve = self.user(store, "eve")
        store.delete(self.one, self.user_type, eve)
        self._unknown(store, eve)

    def _unknown(self, store: SyncStore, unknown: str) -> None:
        """Add an unknown member in every kind of write, together with a member that exists."""
        ada, bob = self.user(store, "ada9"), self.user(store, "bob9")
        team = self.group(store, "team9", ada)
        members = [{"value": unknown}, {"value": bob}]
        document = {**self.document(self.group_type, "board9"), MEMBERS: members}
        other = {**self.document(self.group_type, "team9"), MEMBERS: members}
        writes: list[Callable[[], Written]] = [
            lambda: store.create(self.one, self.group_type, document),
            lambda: self.join(store, team, unknown),
            lambda: self.join(store, team, unknown, bob),
            lambda: store.replace(self.one, self.group_type, team, other),
        ]
        for write in writes:
            before = self.contents(store)
            try:
                written = write()
            except InvalidValue:
                assert self.contents(store) == before
                continue
            assert written.skipped_members == (unknown,)
            assert unknown not in self.members(store, written.document["id"])
            assert written.changed is (self.contents(store) != before)

    def test_additions_at_once(self, store: SyncStore) -> None:
        """No member is lost if many members are added concurrently, each by its own change."""
        people = [self.user(store, f"user{number}") for number in range(16)]
        team = self.group(store, "team", *people[:2])
        self.at_once(lambda number: self.join(store, team, people[number], removed={people[0]}), len(people))
        assert self.members(store, team) >= set(people[2:])

    def test_a_member_deleted_while_it_is_added(self, store: SyncStore) -> None:
        """A group has no missing member after users were deleted and added concurrently."""
        people = [self.user(store, f"user{number}") for number in range(12)]
        team = self.group(store, "team")

        def act(number: int) -> None:
            person = people[number // 2]
            if number % 2:
                store.delete(self.one, self.user_type, person)
                return
            try:
                self.join(store, team, person)
            except InvalidValue:
                return

        self.at_once(act, 2 * len(people))
        assert self.members(store, team) == set()

    def test_a_group_of_many(self, store: SyncStore) -> None:
        """A group can have many members, written in one or several writes."""
        people = [self.user(store, f"user{number}") for number in range(40)]
        team = self.group(store, "team", *people[:30])
        self.join(store, team, *people, removed=set(people[:5]))
        assert self.members(store, team) >= set(people[5:])
