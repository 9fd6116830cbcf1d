"""The contract: a store reports the changes that a write really made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scimkit.errors import Uniqueness
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Scope, SyncStore, Written
from scimkit.testing.contract.base import ContractBase

_SET_BY_STORE = (META, MEMBERS, GROUPS)


class ChangesContract(ContractBase):
    """Events, the outbox and the provisioning log are made from the changes that a store reports."""

    @pytest.fixture
    def reporting(self, store: SyncStore) -> Scope:
        """A scope that asks for changes."""
        self.needs(store, "changes")
        return replace(self.one, report_changes=True)

    def _made(self, written: Written) -> EffectiveChanges:
        assert written.changes is not None
        for document in (written.changes.before, written.changes.after):
            assert not any(name in document for name in _SET_BY_STORE)
        return written.changes

    def _named(self, document: Any) -> Any:
        return self.kept(self.user_type, document) if document else document

    def test_nothing_is_reported_unasked(self, store: SyncStore) -> None:
        """A scope that does not ask for changes gets none."""
        written = store.create(self.one, self.user_type, self.document(self.user_type, "ada"))
        assert written.changes is None
        assert store.delete(self.one, self.user_type, written.document["id"]) is None

    def test_the_changes_of_a_user(self, store: SyncStore, reporting: Scope) -> None:
        """Created, changed, replaced and deleted: the documents before and after are reported."""
        written = store.create(reporting, self.user_type, {**self.document(self.user_type, "ada"), self.spare: "a"})
        id, made = written.document["id"], self._made(written)
        assert (made.before, made.after["id"]) == ({}, id)

        def present() -> Any:
            return self._named(store.get(self.one, self.user_type, id))

        first = present()
        assert self._named(made.after) == first
        made = self._made(store.change(reporting, self.user_type, id, ChangeSet({self.spare: "b"})))
        assert (made.before[self.spare], made.after[self.spare]) == ("a", "b")
        assert (self._named(made.before), self._named(made.after)) == (first, present())
        made = self._made(store.replace(reporting, self.user_type, id, self.document(self.user_type, "ada")))
        assert made.before[self.spare] == "b"
        assert self.spare not in made.after
        last = present()
        deleted = store.delete(reporting, self.user_type, id)
        assert deleted is not None
        assert (self._named(deleted.before), deleted.after) == (last, {})

    def test_a_write_that_changes_nothing(self, store: SyncStore, reporting: Scope) -> None:
        """A write of the present values reports no changes, and neither does a refused write."""
        document = {**self.document(self.user_type, "ada"), self.spare: "a"}
        id = store.create(reporting, self.user_type, document).document["id"]
        assert store.change(reporting, self.user_type, id, ChangeSet({self.spare: "a"})).changes is None
        assert store.replace(reporting, self.user_type, id, document).changes is None
        if self.user_type.unique:
            with pytest.raises(Uniqueness):
                store.create(reporting, self.user_type, document)

    def test_members_that_come_and_go(self, store: SyncStore, reporting: Scope) -> None:
        """Only members that the group did not have are added, and only members that the group had are removed."""
        ada, bob, eve = (self.user(store, name) for name in ("ada", "bob", "eve"))
        document = {**self.document(self.group_type, "team"), MEMBERS: [{"value": ada}]}
        written = store.create(reporting, self.group_type, document)
        team, made = written.document["id"], self._made(written)
        assert (made.added_members, made.removed_members) == ((ada,), ())

        def join(*added: str, removed: tuple[str, ...] = (), cleared: bool = False) -> Any:
            changes = ChangeSet(references=self.member_changes(*added, removed=removed, cleared=cleared))
            made = store.change(reporting, self.group_type, team, changes).changes
            return made and (set(made.added_members), set(made.removed_members))

        assert join(ada, bob) == ({bob}, set())
        assert join(ada, bob) is None
        assert join(removed=(eve,)) is None
        assert join(eve, removed=(ada, eve)) == ({eve}, {ada})
        assert join(ada, eve, cleared=True) == ({ada}, {bob})
        assert join(cleared=True) == (set(), {ada, eve})
        made = self._made(store.replace(reporting, self.group_type, team, document))
        assert (made.added_members, made.removed_members) == ((ada,), ())

    def test_a_deleted_member_leaves_its_groups(self, store: SyncStore, reporting: Scope) -> None:
        """The deletion of a user reports each group that the user was a member of."""
        ada, bob = self.user(store, "ada"), self.user(store, "bob")
        team, board = self.group(store, "team", ada, bob), self.group(store, "board", ada)
        self.group(store, "others", bob)
        deleted = store.delete(reporting, self.user_type, ada)
        assert deleted is not None
        kind = self.group_type.name
        assert sorted(deleted.left_groups) == sorted([(kind, team), (kind, board)])

    def test_changes_at_once_are_reported_once(self, store: SyncStore, reporting: Scope) -> None:
        """One of several requests that add the same member at once reports the addition."""
        ada, team = self.user(store, "ada"), self.group(store, "team")

        def add(_: int) -> int:
            changes = ChangeSet(references=self.member_changes(ada))
            made = store.change(reporting, self.group_type, team, changes).changes
            return len(made.added_members) if made else 0

        assert sum(self.at_once(add)) == 1

    def test_a_group_that_is_its_own_member(self, store: SyncStore, reporting: Scope) -> None:
        """The deletion of a group that is a member of itself reports no group that was left."""
        if not self.nested_groups:
            pytest.skip("the groups of this store have no groups as members")
        team = self.group(store, "team")
        self.join(store, team, team)
        deleted = store.delete(reporting, self.group_type, team)
        assert deleted is not None
        assert deleted.left_groups == ()
