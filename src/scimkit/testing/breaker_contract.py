"""A test suite for breaker stores. Subclass `BreakerStoreContract` for your store, and pytest runs the tests.

    class TestMyBreakerStore(BreakerStoreContract):
        def make_stores(self):
            store = MyStore()
            return store, MyBreakerStore(store)

Both stores are sync, or both are async. A test uses a tenant of its own.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

try:
    import pytest
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The breaker contract needs pytest: pip install 'scimkit[testing]'") from _missing

from scimkit.events import Transaction
from scimkit.runner import run_sync
from scimkit.schema.core import USER
from scimkit.stores.breaker import AsyncBreakerStore, BreakerState, BreakerStore
from scimkit.stores.protocol import Query, Scope, Store, SyncStore, as_async_store
from scimkit.testing.contract.async_driver import LoopThread

_RACERS = 8


class _Stop(Exception):
    """The exception that a transaction raises to be rolled back."""


def _one_more(state: BreakerState) -> BreakerState:
    """Return the state with one more deactivation."""
    return BreakerState(((0, state.deactivations + 1),), state.tripped)


@pytest.mark.usefixtures("_stores")
class BreakerStoreContract:
    """Tests that every `BreakerStore` and `AsyncBreakerStore` must pass. A subclass implements `make_stores`."""

    def make_stores(self) -> tuple[SyncStore | Store, BreakerStore | AsyncBreakerStore]:
        """Return a store of resources, and the breaker store that joins its transactions."""
        raise NotImplementedError

    def close(self, store: Any) -> Awaitable[None] | None:
        """Close the store of resources after a test. May be `async def`."""
        return None

    _loop: LoopThread | None = None
    _store: Any = None
    _breakers: Any = None
    _tenant: str = ""

    @pytest.fixture(autouse=True)
    def _closed(self) -> Iterator[None]:
        yield
        if self._store is not None:
            self._run(lambda: self.close(self._store))
        if self._loop is not None:
            self._loop.close()

    @pytest.fixture
    def _stores(self, _closed: None) -> None:
        self._loop = LoopThread()
        self._tenant = f"{os.getpid()}-{os.urandom(6).hex()}"
        made: Any = self._run(self.make_stores)
        self._store, self._breakers = made

    def _run(self, work: Callable[[], Any]) -> Any:
        answer = work()
        if not inspect.isawaitable(answer):
            return answer
        assert self._loop is not None
        return self._loop.run(answer)

    def _read(self, tenant: str | None = None) -> BreakerState:
        state: BreakerState = self._run(lambda: self._breakers.read(tenant or self._tenant))
        return state

    def _update(self, change: Callable[[BreakerState], BreakerState], tenant: str | None = None) -> BreakerState:
        state: BreakerState = self._run(lambda: self._breakers.update(tenant or self._tenant, change))
        return state

    def _transact(self, work: Callable[[Store, Transaction], Coroutine[Any, Any, Any]]) -> Any:
        """Return the result of awaited work in a transaction of the store."""
        scope = Scope(self._tenant)
        lifted = self._store if self._store.is_async else as_async_store(self._store)

        async def inner(store: Store) -> Any:
            return await work(store, Transaction(getattr(store, "sync_store", store), scope))

        waiting = lifted.transaction(scope, inner)
        return self._run(lambda: waiting) if self._store.is_async else run_sync(waiting)

    async def _count(self, transaction: Transaction) -> BreakerState:
        answer = self._breakers.update(self._tenant, _one_more, transaction)
        state: BreakerState = await answer if inspect.isawaitable(answer) else answer
        return state

    def test_a_tenant_without_a_state_has_an_empty_one(self) -> None:
        """The state of a tenant that nobody updated is empty."""
        assert self._read() == BreakerState()

    def test_a_state_is_kept(self) -> None:
        """The store returns the state that an update made, and a later read returns the same state."""
        moment = datetime(2030, 1, 2, 3, 4, 5, 678901, UTC)
        state = BreakerState(((1_900_000_000, 3), (1_900_000_060, 4)), moment, moment)
        assert self._update(lambda before: state if before == BreakerState() else before) == state
        assert self._read() == state
        assert self._update(lambda before: before) == state
        assert self._update(lambda _: BreakerState()) == self._read() == BreakerState()

    def test_tenants_are_apart(self) -> None:
        """An update of one tenant changes no other. Names of tenants are case-sensitive."""
        self._update(_one_more)
        self._update(_one_more, f"{self._tenant}-\N{LATIN SMALL LETTER E WITH ACUTE}")
        for other in (f"{self._tenant}-e", self._tenant.upper() + "X", f"{self._tenant} "):
            assert self._read(other) == BreakerState()
        assert self._read().deactivations == 1

    def test_no_update_is_lost(self) -> None:
        """Updates at once happen one after the other."""
        with ThreadPoolExecutor(_RACERS) as threads:
            list(threads.map(lambda _: self._update(_one_more), range(3 * _RACERS)))
        assert self._read().deactivations == 3 * _RACERS

    def test_no_update_in_transactions_is_lost(self) -> None:
        """Updates in transactions at once happen one after the other, with the first update of a tenant among them."""

        def one(number: int) -> None:
            async def work(store: Store, transaction: Transaction) -> None:
                document = {"schemas": [USER.schema], "userName": f"{self._tenant}-{number}"}
                await store.create(transaction.scope, USER, document)
                await self._count(transaction)

            self._transact(work)

        with ThreadPoolExecutor(_RACERS) as threads:
            list(threads.map(one, range(2 * _RACERS)))
        assert self._read().deactivations == 2 * _RACERS

    def test_an_update_is_undone_with_its_transaction(self) -> None:
        """A transaction that fails leaves neither its writes nor its updates."""
        self._update(_one_more)

        async def work(store: Store, transaction: Transaction) -> None:
            await store.create(transaction.scope, USER, {"schemas": [USER.schema], "userName": self._tenant})
            assert (await self._count(transaction)).deactivations == 2
            assert (await self._count(transaction)).deactivations == 3
            raise _Stop

        with pytest.raises(_Stop):
            self._transact(work)
        assert self._read().deactivations == 1

        async def look(store: Store, transaction: Transaction) -> int:
            return (await store.search(transaction.scope, Query(USER))).total

        assert self._transact(look) == 0
