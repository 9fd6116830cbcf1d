"""Contract tests for unique attributes within a tenant (RFC 7643 section 7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from scimkit.errors import Uniqueness
from scimkit.patch.changes import ChangeSet
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.index_lookup import keys_at
from scimkit.stores.protocol import Query, SyncStore
from scimkit.testing.contract.base import ContractBase


class UniquenessContract(ContractBase):
    """No two resources of a type and tenant have the same value of a unique attribute."""

    def test_every_declared_attribute(self) -> None:
        """The store refuses exactly those generated documents that repeat a value of a unique attribute."""

        def check(data: st.DataObject) -> None:
            resource_type = data.draw(st.sampled_from([each for each in self.resource_types if each.unique]))
            taken: list[dict[str, Any]] = []
            with self.opened() as store:
                for document in data.draw(st.lists(self.generated[resource_type], min_size=2, max_size=6)):
                    keys = self._keys(resource_type, document)
                    clash = any(keys[path] & other[path] for other in taken for path in keys)
                    try:
                        store.create(self.one, resource_type, document)
                    except Uniqueness:
                        assert clash
                    else:
                        assert not clash
                        taken.append(keys)
                assert store.search(self.one, Query(resource_type, count=0)).total == len(taken)

        self.often(check)

    def _keys(self, resource_type: ResourceType, document: dict[str, Any]) -> dict[str, set[Any]]:
        found = {}
        for text in resource_type.unique:
            path = resource_type.resolve(text)
            assert path is not None
            found[text] = set(keys_at(path)(document))
        return found

    def test_uniqueness_ignores_case(self, store: SyncStore) -> None:
        """`userName` and `displayName` of groups are unique without regard to case, and are stored as written."""
        ada = self.user(store, "Ada")
        with pytest.raises(Uniqueness):
            self.user(store, "ADA")
        assert store.get(self.one, self.user_type, ada)["userName"] == "Ada"
        if "displayName" in self.group_type.unique:
            self.group(store, "Team")
            with pytest.raises(Uniqueness):
                self.group(store, "TEAM")

    def test_every_kind_of_write_checks_uniqueness(self, store: SyncStore) -> None:
        """A change or replacement cannot take the unique value of another resource, but can repeat its own value."""
        ada, bob = self.user(store, "ada"), self.user(store, "bob")
        with pytest.raises(Uniqueness):
            store.change(self.one, self.user_type, bob, ChangeSet({"userName": "ADA"}))
        with pytest.raises(Uniqueness):
            store.replace(self.one, self.user_type, bob, self.document(self.user_type, "Ada"))
        assert store.change(self.one, self.user_type, ada, ChangeSet({"userName": "ADA"})).changed
        assert store.get(self.one, self.user_type, ada)["userName"] == "ADA"

    def test_a_name_is_free_again(self, store: SyncStore) -> None:
        """A unique value can be used again after its resource was deleted, changed or replaced."""
        ada = self.user(store, "ada")
        store.delete(self.one, self.user_type, ada)
        again = self.user(store, "ada")
        store.change(self.one, self.user_type, again, ChangeSet({"userName": "king"}))
        third = self.user(store, "ada")
        store.replace(self.one, self.user_type, third, self.document(self.user_type, "queen"))
        assert len({ada, again, third, self.user(store, "ADA")}) == 4

    def test_a_race_of_creates(self, store: SyncStore) -> None:
        """Exactly one of many concurrent creates with the same unique value succeeds. The others raise Uniqueness."""

        def create(number: int) -> bool:
            try:
                self.user(store, "ada" if number % 2 else "ADA")
            except Uniqueness:
                return False
            return True

        assert sum(self.at_once(create)) == 1
        assert store.search(self.one, Query(self.user_type, count=0)).total == 1

    def test_a_race_of_changes(self, store: SyncStore) -> None:
        """Exactly one of many concurrent changes to the same unique value succeeds."""
        some = [self.user(store, f"user{number}") for number in range(12)]

        def rename(number: int) -> bool:
            try:
                store.change(self.one, self.user_type, some[number], ChangeSet({"userName": "ada"}))
            except Uniqueness:
                return False
            return True

        assert sum(self.at_once(rename, len(some))) == 1
        names = [each["userName"] for each in store.search(self.one, Query(self.user_type)).documents]
        assert len({name.lower() for name in names}) == len(some)
