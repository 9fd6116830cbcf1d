"""The stores through PgBouncer in transaction mode, in short. `python -m tests.pooler` runs all contracts."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from scimkit import GROUP, USER, Query, Scope, filters
from scimkit.errors import Unavailable
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.protocol import as_async_store
from scimkit.stores.sql import AsyncSqlStore, SqlStore
from scimkit.stores.sql.timeouts import STATEMENT_TIMEOUT
from scimkit.stores.sqlalchemy import AsyncMappedStore, MappedStore
from tests.pooler.bouncer import MISSING, PGBOUNCER, SESSIONS, leftovers
from tests.pooler.engines import ENGINES
from tests.stores.databases import MARKS, store_of, url_of
from tests.stores.mapped.helpdesk import AGENTS, TEAMS, sessions_of

pytestmark = [*MARKS["postgresql"], pytest.mark.skipif(PGBOUNCER is None, reason=MISSING)]


@pytest.fixture
def url() -> Iterator[str]:
    """Yield the URL of a database behind PgBouncer, and check that no client left anything in a shared session."""
    store_of("postgresql")
    sessions_of("postgresql")
    yield url_of("pooler")
    # asyncpg changes this setting while it reads the types of the server.
    found = [each for each in leftovers(url_of("pooler")) if not each.startswith("jit = ") and "'jit'" not in each]
    assert found == []


def scope(seconds: float = 20) -> Scope:
    """Return a tenant that no other test uses, with a deadline."""
    return Scope(f"pooler-{os.urandom(4).hex()}", deadline=time.monotonic() + seconds)


def stores_of(engine: Any) -> list[Any]:
    """Return the stores over an engine, with coroutines."""
    if isinstance(engine, AsyncEngine):
        return [AsyncSqlStore(engine), AsyncMappedStore(async_sessionmaker(engine), (AGENTS, TEAMS))]
    stores = [SqlStore(engine, upgrade=False), MappedStore(orm.sessionmaker(engine), (AGENTS, TEAMS))]
    return [as_async_store(each) for each in stores]


async def played(store: Any) -> None:
    """Create, find, change and delete users and a group, each in a transaction of its own."""
    tenant = scope()
    document = {"schemas": [USER.schema], "userName": "ada", "active": True, "name": {"familyName": "L"}}
    document["emails"] = [{"value": "ada@example.org", "type": "work", "primary": True}]
    id = (await store.create(tenant, USER, document)).document["id"]
    group = (await store.create(tenant, GROUP, {"schemas": [GROUP.schema], "displayName": "team"})).document["id"]
    joined = ChangeSet(references={"members": ReferenceChanges(({"value": id},))})
    assert (await store.change(tenant, GROUP, group, joined)).changed
    assert (await store.get(tenant, USER, id))["groups"][0]["value"] == group
    assert (await store.search(tenant, Query(USER, filters.parse('userName eq "ADA"')))).total == 1
    assert (await store.search(tenant, Query(GROUP, filters.parse(f'members eq "{id}"')))).total == 1
    assert (await store.change(tenant, USER, id, ChangeSet({"active": False}))).changed

    async def renamed(inner: Any) -> None:
        await inner.change(tenant, USER, id, ChangeSet({"userName": "eve"}))
        assert (await inner.get(tenant, USER, id))["userName"] == "eve"

    await store.transaction(tenant, renamed)
    await store.delete(tenant, USER, id)
    assert (await store.search(tenant, Query(USER))).total == 0


@pytest.mark.parametrize("name", ENGINES)
def test_requests_leave_nothing_behind(url: str, name: str) -> None:
    """Clients at once share the sessions of the server, and none finds settings or statements of another."""

    async def check() -> None:
        engine = ENGINES[name](url)
        for store in stores_of(engine):
            await asyncio.gather(*(played(store) for _ in range(3 if isinstance(engine, AsyncEngine) else 1)))
            for _ in range(SESSIONS // 4):
                await played(store)
        if isinstance(engine, AsyncEngine):
            await engine.dispose()
        else:
            engine.dispose()

    asyncio.run(check())


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_deadline_ends_with_its_transaction(url: str, is_async: bool) -> None:
    """The server cancels a wait for a lock at the deadline of the request. Later transactions have their usual time."""
    direct = store_of("postgresql")
    tenant = scope()
    id = direct.create(tenant, USER, {"schemas": [USER.schema], "userName": "ada"}).document["id"]

    async def check() -> None:
        made: Any = AsyncSqlStore(url) if is_async else SqlStore(url, upgrade=False)
        store = made if is_async else as_async_store(made)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await store.change(replace(tenant, deadline=began + 0.7), USER, id, ChangeSet({"active": False}))
        assert time.monotonic() - began < STATEMENT_TIMEOUT
        assert (await store.get(tenant, USER, id))["userName"] == "ada"
        if is_async:
            async with made.engine.connect() as connection:
                shown = [await connection.scalar(sa.text(f"SHOW {name}")) for name in ("statement_timeout", "jit")]
        else:
            with made.engine.connect() as connection:
                shown = [connection.scalar(sa.text(f"SHOW {name}")) for name in ("statement_timeout", "jit")]
        assert shown == [f"{STATEMENT_TIMEOUT:.0f}s", "off"]
        if is_async:
            await made.engine.dispose()
        else:
            made.engine.dispose()

    with direct.engine.connect() as connection:
        connection.execute(sa.text("SELECT 1 FROM scim_resource WHERE id = :id FOR UPDATE"), {"id": id.encode()})
        asyncio.run(check())
        connection.rollback()


def test_the_tables_are_migrated(url: str) -> None:
    """A migration through PgBouncer has no timeout for its statements, and leaves no lock."""
    store = SqlStore(url)
    store.upgrade()
    assert store.check_health(None).ready
    store.engine.dispose()


def test_a_user_may_say_that_sessions_are_shared() -> None:
    """With `prepare_statements=False`, the store changes no setting of a session, without a pooler too."""
    store = SqlStore(url_of("postgresql"), prepare_statements=False)
    id = store.create(scope(), USER, {"schemas": [USER.schema], "userName": "ada"})
    assert id.document["id"]
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name, value in (("statement_timeout", "0"), ("jit", "on"), ("enable_seqscan", "on")):
            assert connection.scalar(sa.text(f"SHOW {name}")) == value
    store.engine.dispose()
