"""Transactions of every store, in both colours: all of the work is kept, or none of it."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from scimkit import GROUP, USER, MemoryStore, Query, Scope, SyncStore, lift, run_sync
from scimkit.errors import Uniqueness
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.protocol import Store
from scimkit.stores.sql.async_store import AsyncSqlStore
from tests.stores.databases import DATABASES, apart, url_of

SCOPE = Scope("one")


class Stop(Exception):
    """What the work raises."""


def user(name: str) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": name, "active": True}


def group(*members: str) -> dict[str, Any]:
    return {"schemas": [GROUP.schema], "displayName": "team", "members": [{"value": each} for each in members]}


def contents(store: SyncStore) -> Any:
    """All that a tenant has, as it reads."""
    return [store.search(SCOPE, Query(kind, count=1000)) for kind in (USER, GROUP)]


@pytest.fixture(params=["memory", *DATABASES])
def store(request: pytest.FixtureRequest) -> Any:
    """An empty store of each kind."""
    return MemoryStore() if request.param == "memory" else apart(request.param)


def test_what_the_work_wrote_is_kept(store: SyncStore) -> None:
    """The result of the work comes back, and its writes are there."""
    id = store.transaction(SCOPE, lambda inner: inner.create(SCOPE, USER, user("ada")).document["id"])
    assert store.get(SCOPE, USER, id)["userName"] == "ada"


def test_a_failed_work_leaves_nothing(store: SyncStore) -> None:
    """Whatever the work did before it raised is as if it had not been: also what it changed, joined and deleted."""
    ada, bob = (store.create(SCOPE, USER, user(name)).document["id"] for name in ("ada", "bob"))
    team = store.create(SCOPE, GROUP, group(ada, bob)).document["id"]
    before = contents(store)

    def work(inner: SyncStore) -> None:
        cyd = inner.create(SCOPE, USER, user("cyd")).document["id"]
        joined = ReferenceChanges(({"value": cyd},), frozenset({bob}))
        inner.change(SCOPE, GROUP, team, ChangeSet(references={"members": joined}))
        inner.replace(SCOPE, USER, bob, user("robert"))
        inner.delete(SCOPE, USER, ada)
        inner.delete(SCOPE, GROUP, team)
        raise Stop

    with pytest.raises(Stop):
        store.transaction(SCOPE, work)
    assert contents(store) == before
    with pytest.raises(Uniqueness):
        store.create(SCOPE, USER, user("BOB"))
    store.create(SCOPE, USER, user("cyd"))


def test_a_failed_write_leaves_the_others(store: SyncStore) -> None:
    """A write that is refused takes nothing with it: the work may go on."""

    def work(inner: SyncStore) -> list[str]:
        inner.create(SCOPE, USER, user("ada"))
        with pytest.raises(Uniqueness):
            inner.create(SCOPE, USER, user("ADA"))
        inner.create(SCOPE, USER, user("bob"))
        return [each["userName"] for each in inner.search(SCOPE, Query(USER)).documents]

    assert store.transaction(SCOPE, work) == ["ada", "bob"]
    assert store.search(SCOPE, Query(USER, count=0)).total == 2


def test_a_transaction_within_another(store: SyncStore) -> None:
    """An inner one that fails leaves what the outer one did."""

    def fail(inner: SyncStore) -> None:
        inner.create(SCOPE, USER, user("bob"))
        raise Stop

    def work(outer: SyncStore) -> None:
        outer.create(SCOPE, USER, user("ada"))
        with pytest.raises(Stop):
            outer.transaction(SCOPE, fail)

    store.transaction(SCOPE, work)
    assert [each["userName"] for each in store.search(SCOPE, Query(USER)).documents] == ["ada"]


def test_a_lifted_store(store: SyncStore) -> None:
    """A sync store lifted to an async one keeps the promise."""

    async def work(inner: Store) -> None:
        await inner.create(SCOPE, USER, user("ada"))
        raise Stop

    with pytest.raises(Stop):
        run_sync(lift(store).transaction(SCOPE, work))
    assert store.search(SCOPE, Query(USER, count=0)).total == 0


@pytest.mark.parametrize("database", DATABASES)
def test_an_async_store(database: str) -> None:
    """The awaited store does the same, also for the host's own statements on its connection."""
    scope = Scope(f"transactions-{os.getpid()}-{os.urandom(4).hex()}")

    async def work(inner: Store) -> None:
        await inner.create(scope, USER, user("ada"))
        with pytest.raises(Uniqueness):
            await inner.create(scope, USER, user("ada"))
        assert isinstance(inner, AsyncSqlStore)
        assert inner.connection is not None
        assert (await inner.search(scope, Query(USER, count=0))).total == 1
        raise Stop

    async def play() -> None:
        store = AsyncSqlStore(url_of(database), sleep=asyncio.sleep)
        await store.upgrade()
        with pytest.raises(Stop):
            await store.transaction(scope, work)
        assert (await store.search(scope, Query(USER, count=0))).total == 0
        assert store.connection is None
        await store.engine.dispose()

    asyncio.run(play())
