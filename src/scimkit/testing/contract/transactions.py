"""The contract: transactions, in which everything is kept or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scimkit.errors import NotFound, PreconditionFailed, Uniqueness
from scimkit.patch.changes import ChangeSet
from scimkit.runner import run_sync
from scimkit.stores.protocol import Query, Store, SyncStore, as_async_store
from scimkit.testing.contract.base import ContractBase


class Stop(Exception):
    """What the work of a transaction raises to have it undone."""


class TransactionsContract(ContractBase):
    """`transaction(scope, work)`; skipped for a store that lacks transactions."""

    @pytest.fixture
    def able(self, store: SyncStore) -> Iterator[SyncStore]:
        """A store that has transactions."""
        self.needs(store, "transactions")
        yield store

    def test_what_the_work_wrote_is_kept(self, able: SyncStore) -> None:
        """The result of the work comes back, and its writes are there, within it and after it."""

        def work(inner: SyncStore) -> str:
            ada = self.user(inner, "ada")
            assert inner.get(self.one, self.user_type, ada)["userName"] == "ada"
            assert self.found(inner, self.user_type, 'userName eq "ada"') == [ada]
            return ada

        assert able.get(self.one, self.user_type, able.transaction(self.one, work))["userName"] == "ada"

    def test_a_failed_work_leaves_nothing(self, able: SyncStore) -> None:
        """Whatever the work did before it raised is as if it had not been: also what it changed, joined and deleted."""
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

    def test_a_failed_write_leaves_the_others(self, able: SyncStore) -> None:
        """A write that is refused takes nothing with it: the work may go on."""

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
        """An inner one that fails leaves what the outer one did; an outer one that fails takes the inner one along."""

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

    def test_after_a_failed_work(self, able: SyncStore) -> None:
        """The store goes on as if the work had never run: versions and uniqueness too."""
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

    def test_a_lifted_store(self, able: SyncStore) -> None:
        """Behind the async port the promise is kept too."""

        async def work(inner: Store) -> None:
            await inner.create(self.one, self.user_type, self.document(self.user_type, "ada"))
            raise Stop

        with pytest.raises(Stop):
            run_sync(as_async_store(able).transaction(self.one, work))
        assert able.search(self.one, Query(self.user_type, count=0)).total == 0

    def test_of_many_at_once(self, able: SyncStore) -> None:
        """Of many that want one name one succeeds, and nothing that the others wrote before is left."""

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
