"""Contract tests for stored documents, `id` and `meta` (RFC 7643 section 3.1)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import strategies as st

from scimkit.errors import NotFound, Uniqueness
from scimkit.patch.changes import ChangeSet, changes_between
from scimkit.schema.date_times import parse_instant
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Query, SyncStore
from scimkit.testing.contract.base import ContractBase

_MISSING = ("", "x", "0", "../x", "a" * 2000, "ada@example.org")


class StoringContract(ContractBase):
    """The store keeps documents unchanged, and sets `id` and `meta`."""

    def test_written_documents_are_read_back(self) -> None:
        """A document is returned as it was created, and as it was replaced."""

        def check(data: st.DataObject) -> None:
            resource_type = data.draw(st.sampled_from(list(self.resource_types)))
            first, second = data.draw(self.generated[resource_type]), data.draw(self.generated[resource_type])
            with self.opened() as store:
                written = store.create(self.one, resource_type, first)
                id = written.document["id"]
                assert self.kept(resource_type, self._read(store, resource_type, id)) == first
                assert written.document == self._read(store, resource_type, id)
                written = store.replace(self.one, resource_type, id, second)
                assert self.kept(resource_type, self._read(store, resource_type, id)) == second
                assert written.document == self._read(store, resource_type, id)

        self.often(check)

    def test_change_sets_produce_the_expected_document(self) -> None:
        """A change set turns one document into another. The same change set again changes nothing."""

        def check(data: st.DataObject) -> None:
            resource_type = data.draw(st.sampled_from(list(self.resource_types)))
            first, second = data.draw(self.generated[resource_type]), data.draw(self.generated[resource_type])
            changes = changes_between(resource_type, first, second)
            given = deepcopy(changes)
            with self.opened() as store:
                id = store.create(self.one, resource_type, first).document["id"]
                written = store.change(self.one, resource_type, id, changes)
                left = self._read(store, resource_type, id)
                assert self.kept(resource_type, left) == second
                assert {**written.document, MEMBERS: ()} == {**left, MEMBERS: ()}
                assert written.changed is (first != second)
                assert not store.change(self.one, resource_type, id, changes).changed
                assert self._read(store, resource_type, id) == left
                assert changes == given

        self.often(check)

    def _read(self, store: SyncStore, resource_type: ResourceType, id: str) -> Any:
        return store.get(self.one, resource_type, id)

    def test_ids(self, store: SyncStore) -> None:
        """An id needs no escaping in a URL, and is never used again, even after its resource was deleted."""
        seen = set()
        for number in range(5):
            id = self.user(store, f"user{number}")
            assert id and quote(id, safe="") == id
            assert id not in seen
            seen.add(id)
            store.delete(self.one, self.user_type, id)
        assert self.user(store, "another") not in seen

    def test_ids_of_two_types(self, store: SyncStore) -> None:
        """Users and groups never have the same id, because `members` refers to both by id."""
        users = {self.user(store, f"user{number}") for number in range(3)}
        assert users.isdisjoint({self.group(store, f"group{number}") for number in range(3)})

    def test_meta(self, store: SyncStore) -> None:
        """`meta` has the resource type, a version, and the times of creation and of the last change."""
        id = self.user(store, "ada")
        meta = self._read(store, self.user_type, id)[META]
        assert meta["resourceType"] == self.user_type.name
        assert meta["created"] == meta["lastModified"]
        assert meta["version"].removeprefix("W/").startswith('"') and meta["version"].endswith('"')
        store.change(self.one, self.user_type, id, ChangeSet({self.spare: "x"}))
        after = self._read(store, self.user_type, id)[META]
        assert after["created"] == meta["created"]
        assert self._instant(after["lastModified"]) >= self._instant(meta["lastModified"])
        assert after["version"] != meta["version"]

    def _instant(self, text: str) -> tuple[int, str]:
        instant = parse_instant(text)
        assert instant is not None
        return instant

    def test_sent_id_and_meta_are_ignored(self, store: SyncStore) -> None:
        """`id`, `meta` and `groups` in a document are ignored by create and replace."""
        said: dict[str, Any] = {
            "id": "mine",
            META: {"resourceType": "Other", "version": 'W/"9"', "created": "2001-01-01T00:00:00Z"},
        }
        if GROUPS in self.user_type.attributes:
            said[GROUPS] = [{"value": "g", "type": "direct"}]
        id = self.user(store, "ada", also=said)
        assert id != "mine"
        store.replace(self.one, self.user_type, id, {**self.document(self.user_type, "ada"), **said})
        document = self._read(store, self.user_type, id)
        assert document["id"] == id
        assert document[META]["resourceType"] == self.user_type.name
        assert document[META]["created"] > "2001-01-02"
        assert GROUPS not in document

    def test_an_identical_write_changes_nothing(self, store: SyncStore) -> None:
        """An identical write keeps the version and `lastModified`, and reports no change."""
        id = self.user(store, "ada", also={self.spare: "x"})
        before = self._read(store, self.user_type, id)
        document = {**self.document(self.user_type, "ada"), self.spare: "x"}
        assert not store.replace(self.one, self.user_type, id, document).changed
        for changes in (ChangeSet(), ChangeSet({self.spare: "x"}), ChangeSet(unassigned=frozenset({"roles"}))):
            written = store.change(self.one, self.user_type, id, changes)
            assert not written.changed
            assert written.document[META] == before[META]
        assert self._read(store, self.user_type, id) == before

    def test_a_change_keeps_other_attributes(self, store: SyncStore) -> None:
        """A change set keeps the attributes that it does not name. A replacement removes them."""
        id = self.user(store, "ada", also={self.spare: "x"})
        store.change(self.one, self.user_type, id, ChangeSet({"userName": "king"}))
        assert self._read(store, self.user_type, id)[self.spare] == "x"
        store.change(self.one, self.user_type, id, ChangeSet(unassigned=frozenset({self.spare})))
        assert self.spare not in self._read(store, self.user_type, id)
        store.change(self.one, self.user_type, id, ChangeSet({self.spare: "y"}))
        store.replace(self.one, self.user_type, id, self.document(self.user_type, "king"))
        assert self.spare not in self._read(store, self.user_type, id)

    def test_arguments_are_not_modified(self, store: SyncStore) -> None:
        """The store does not modify the documents that it is given."""
        document = {**self.document(self.user_type, "ada"), self.spare: "x", "id": "mine"}
        team: dict[str, Any] = {**self.document(self.group_type, "team"), MEMBERS: [{"value": "nobody"}]}
        given = deepcopy(document)
        id = store.create(self.one, self.user_type, document).document["id"]
        store.replace(self.one, self.user_type, id, document)
        store.change(self.one, self.user_type, id, ChangeSet({"userName": "king"}))
        assert document == given
        team[MEMBERS].append({"value": id})
        given = deepcopy(team)
        team[MEMBERS].pop(0)
        store.create(self.one, self.group_type, team)
        given[MEMBERS].pop(0)
        assert team == given

    def test_returned_documents_are_not_modified(self, store: SyncStore) -> None:
        """Documents that the store returned stay the same after later writes."""
        ada, bob = (self.user(store, name, also={self.spare: "x"}) for name in ("ada", "bob"))
        team = self.group(store, "team", ada, bob)
        written = store.replace(
            self.one, self.user_type, ada, {**self.document(self.user_type, "ada"), self.spare: "y"}
        )
        handed_out = [*self.contents(store), self._read(store, self.user_type, ada), written.document,
                      self._read(store, self.group_type, team)]  # fmt: skip
        before = deepcopy(handed_out)
        store.change(self.one, self.user_type, ada, ChangeSet({self.spare: "z"}))
        store.change(self.one, self.group_type, team, ChangeSet({"displayName": "people"}))
        self.join(store, team, removed={ada})
        self.user(store, "eve")
        store.delete(self.one, self.user_type, bob)
        store.delete(self.one, self.group_type, team)
        assert handed_out == before

    @pytest.mark.parametrize("id", _MISSING, ids=range(len(_MISSING)))
    def test_missing_ids_raise_not_found(self, store: SyncStore, id: str) -> None:
        """Every method raises NotFound for a missing id, without the id in the message, and changes nothing."""
        self.user(store, "ada")
        before = self.contents(store)
        document = self.document(self.user_type, "eve")
        for resource_type in self.resource_types:
            for call in (
                lambda each=resource_type: store.get(self.one, each, id),
                lambda each=resource_type: store.replace(self.one, each, id, document),
                lambda each=resource_type: store.change(self.one, each, id, ChangeSet()),
                lambda each=resource_type: store.delete(self.one, each, id),
            ):
                with pytest.raises(NotFound) as refused:
                    call()
                assert len(id) < 2 or id not in str(refused.value)
        assert self.contents(store) == before

    def test_an_id_of_another_type_is_not_found(self, store: SyncStore) -> None:
        """A user cannot be read or deleted as a group, and a group not as a user."""
        ada, team = self.user(store, "ada"), self.group(store, "team")
        for resource_type, id in ((self.group_type, ada), (self.user_type, team)):
            with pytest.raises(NotFound):
                store.get(self.one, resource_type, id)
            with pytest.raises(NotFound):
                store.delete(self.one, resource_type, id)

    def test_a_deleted_resource_is_gone(self, store: SyncStore) -> None:
        """A deleted resource cannot be read, found or deleted again."""
        ada, bob = self.user(store, "ada"), self.user(store, "bob")
        store.delete(self.one, self.user_type, ada)
        with pytest.raises(NotFound):
            self._read(store, self.user_type, ada)
        with pytest.raises(NotFound):
            store.delete(self.one, self.user_type, ada)
        assert self.everyone(store, self.user_type) == [bob]

    def test_a_refused_write_changes_nothing(self, store: SyncStore) -> None:
        """A refused write has no effect."""
        ada, bob = self.user(store, "ada"), self.user(store, "bob")
        team, _ = self.group(store, "team", ada), self.group(store, "board")
        before = self.contents(store)
        for call in (
            lambda: self.user(store, "bob"),
            lambda: store.change(self.one, self.user_type, ada, ChangeSet({self.spare: "x", "userName": "bob"})),
            lambda: store.replace(self.one, self.user_type, ada, self.document(self.user_type, "bob")),
        ):
            with pytest.raises(Uniqueness):
                call()
        assert self.contents(store) == before
        assert self.members(store, team) == {ada}
        assert store.search(self.one, Query(self.user_type, count=0)).total == len({ada, bob})

    def test_requested_attributes_are_returned(self, store: SyncStore) -> None:
        """The store returns the requested attributes with `id` and `meta`. It may leave out other attributes."""
        ada = self.user(store, "ada", also={self.spare: "x"})
        self.group(store, "team", ada)
        for resource_type in self.resource_types:
            whole = store.search(self.one, Query(resource_type)).documents
            for wanted in ("userName", self.spare, "displayName", MEMBERS, GROUPS, "nothing"):
                page = store.search(self.one, Query(resource_type, requested=wanted.__eq__))
                for found, document in zip(page.documents, whole, strict=True):
                    one = store.get(self.one, resource_type, str(document["id"]), wanted.__eq__)
                    for each in (found, one):
                        assert {name: document[name] for name in each} == each
                        assert {"id", META, *({wanted} & document.keys())} <= each.keys()
