"""Contract tests for transactions, which keep all of their writes or none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scimkit.errors import NotFound, PreconditionFailed, Uniqueness
from scimkit.patch.changes import ChangeSet
from scimkit.runner import run_sync
from scimkit.stores.protocol import Query, Store, SyncStore, as_async_store
from scimkit.testing.contract.base import ContractBase


class Stop(Exception):
    """The exception that a transaction raises to be rolled back."""


class TransactionsContract(ContractBase):
    """Tests of `transaction(scope, work)`. They are skipped if the store does not support transactions."""

    @pytest.fixture
    def able(self, store: SyncStore) -> Iterator[SyncStore]:
        """Yield a store that supports transactions."""
        self.needs(store, "transactions")
        yield store

    def test_writes_of_a_transaction_are_kept(self, able: SyncStore) -> None:
        """A transaction returns the result of its function. Its writes are visible inside and after the transaction."""

        def work(inner: SyncStore) -> str:
            ada = self.user(inner, "ada")
            assert inner.get(self.one, self.user_type, ada)["userName"] == "ada"
            assert self.found(inner, self.user_type, 'userName eq "ada"') == [ada]
            return ada

        assert able.get(self.one, self.user_type, able.transaction(self.one, work))["userName"] == "ada"

    def test_a_failed_transaction_leaves_nothing(self, able: SyncStore) -> None:
        """A failed transaction undoes every create, change, replace and delete that it ran."""
        ada, bob = self.user(able, "ada"), self.user(able, "bob")
        team = self.group(able, "team", ada, bob)
        before = self.contents(able)

        def work(inner: SyncStore) -> None:
            cyd = self.user(inner, "cyd")
            self.join(inner, team, cyd, removed={bob})
            inner.replace(self.one, self.user_type, bob, self.document(self.user_type, "robert"))
            inner.delete(self.one, self.user_type, ada)
            inner.delete(self.one, self.group_type, team)
            raise Stop

        with pytest.raises(Stop):
            able.transaction(self.one, work)
        assert self.contents(able) == before
        with pytest.raises(Uniqueness):
            self.user(able, "BOB")
        self.user(able, "cyd")

    def test_a_refused_write_keeps_the_others(self, able: SyncStore) -> None:
        """A refused write does not undo other writes of the transaction, which can continue."""

        def work(inner: SyncStore) -> list[str]:
            ada = self.user(inner, "ada")
            with pytest.raises(Uniqueness):
                self.user(inner, "ADA")
            with pytest.raises(PreconditionFailed):
                inner.delete(self.one, self.user_type, ada, 'W/"0"')
            with pytest.raises(NotFound):
                inner.get(self.one, self.user_type, "nobody")
            self.user(inner, "bob")
            return [each["userName"] for each in inner.search(self.one, Query(self.user_type)).documents]

        assert able.transaction(self.one, work) == ["ada", "bob"]
        assert able.search(self.one, Query(self.user_type, count=0)).total == 2

    def test_a_transaction_within_another(self, able: SyncStore) -> None:
        """A failed inner transaction undoes its own writes only. A failed outer transaction undoes all writes."""

        def fail(inner: SyncStore) -> None:
            self.user(inner, "bob")
            raise Stop

        def work(outer: SyncStore) -> None:
            self.user(outer, "ada")
            with pytest.raises(Stop):
                outer.transaction(self.one, fail)
            outer.transaction(self.one, lambda inner: self.user(inner, "cyd"))

        def work_and_fail(outer: SyncStore) -> None:
            outer.transaction(self.one, lambda inner: self.user(inner, "dan"))
            raise Stop

        able.transaction(self.one, work)
        with pytest.raises(Stop):
            able.transaction(self.one, work_and_fail)
        documents = able.search(self.one, Query(self.user_type)).documents
        assert [each["userName"] for each in documents] == ["ada", "cyd"]

    def test_the_store_works_after_a_failed_transaction(self, able: SyncStore) -> None:
        """After a failed transaction, versions and unique values are as before."""
        ada = self.user(able, "ada", also={self.spare: "x"})
        version = self.version(able, self.user_type, ada)

        def work(inner: SyncStore) -> None:
            inner.change(self.one, self.user_type, ada, ChangeSet({self.spare: "y", "userName": "king"}))
            raise Stop

        for _ in range(2):
            with pytest.raises(Stop):
                able.transaction(self.one, work)
        changes = ChangeSet({self.spare: "z"})
        assert able.change(self.one, self.user_type, ada, changes, version).changed
        self.user(able, "king")
        assert self.found(able, self.user_type, 'userName eq "ada"') == [ada]

    def test_the_async_interface_rolls_back(self, able: SyncStore) -> None:
        """A transaction through the async interface is rolled back too."""

        async def work(inner: Store) -> None:
            await inner.create(self.one, self.user_type, self.document(self.user_type, "ada"))
            raise Stop

        with pytest.raises(Stop):
            run_sync(as_async_store(able).transaction(self.one, work))
        assert able.search(self.one, Query(self.user_type, count=0)).total == 0

    def test_concurrent_transactions_with_one_name(self, able: SyncStore) -> None:
        """Exactly one of many transactions at once with the same unique value succeeds. The others leave no writes."""

        def work(inner: SyncStore) -> None:
            self.user(inner, f"someone {len(self.everyone(inner, self.user_type))} {id(inner)}")
            self.user(inner, "ada")

        def attempt(_: int) -> bool:
            try:
                able.transaction(self.one, work)
            except Uniqueness:
                return False
            return True

        assert sum(self.at_once(attempt, 8)) == 1
        assert able.search(self.one, Query(self.user_type, count=0)).total == 2
