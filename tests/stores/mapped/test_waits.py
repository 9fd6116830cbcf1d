"""Waits of the mapped stores on an engine of the application end at the deadline if the engine has timeouts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from scimkit import USER, Query, Scope
from scimkit.errors import Unavailable
from scimkit.stores.sqlalchemy import AsyncMappedStore, MappedStore
from tests.stores.databases import DATABASES, url_of
from tests.stores.mapped.helpdesk import AGENTS, TEAMS, helpdesk_of, sessions_of

SERVERS = [each for each in DATABASES if each.values[0] != "sqlite"]
LOCK_TIMEOUT = {"postgresql": "SET lock_timeout = '300ms'", "mysql": "SET SESSION innodb_lock_wait_timeout = 1"}
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+asyncmy", "mariadb": "mysql+asyncmy"}


def soon(seconds: float) -> Scope:
    """Return a scope whose deadline is some seconds away."""
    return Scope(deadline=time.monotonic() + seconds)


@contextmanager
def row_locked(database: str, statement: str) -> Iterator[None]:
    """Hold a row lock in a transaction of another client."""
    outside = sa.create_engine(url_of(database))
    with outside.connect() as connection:
        connection.execute(sa.text(statement))
        yield
        connection.rollback()
    outside.dispose()


def with_lock_timeout(engine: sa.Engine) -> None:
    """Set the lock timeout that the how-to recommends, with a shorter time."""

    def connected(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(LOCK_TIMEOUT["postgresql" if engine.dialect.name == "postgresql" else "mysql"])
        cursor.close()
        connection.commit()

    sa.event.listen(engine, "connect", connected)


@pytest.mark.parametrize("database", SERVERS)
def test_a_lock_that_is_not_granted(database: str) -> None:
    """A write that waits for a locked row gets 503 at its deadline, sync and async. Reads succeed."""
    store = helpdesk_of(database)
    ada = {"schemas": [USER.schema], "userName": f"ada-{time.time_ns()}", "active": True}
    id = store.create(soon(20), USER, ada).document["id"]
    limited = sa.create_engine(url_of(database))
    with_lock_timeout(limited)
    sync_store = MappedStore(limited, (AGENTS, TEAMS))

    async def check() -> None:
        engine: AsyncEngine = create_async_engine(sa.make_url(url_of(database)).set(drivername=DRIVERS[database]))
        with_lock_timeout(engine.sync_engine)
        awaited = AsyncMappedStore(engine, (AGENTS, TEAMS))
        assert awaited.pool_size == 5
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await awaited.replace(soon(1), USER, id, {**ada, "active": False})
        assert time.monotonic() - began < 4
        await engine.dispose()

    with row_locked(database, "SELECT * FROM hd_agent FOR UPDATE"):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            sync_store.replace(soon(1), USER, id, {**ada, "active": False})
        assert time.monotonic() - began < 4
        assert sync_store.get(soon(5), USER, id)["active"] is True
        asyncio.run(check())
    assert sync_store.replace(soon(20), USER, id, {**ada, "active": False}).document["active"] is False
    sync_store.delete(soon(20), USER, id)
    limited.dispose()


@pytest.mark.parametrize("database", DATABASES)
def test_every_connection_is_in_use(database: str) -> None:
    """If all connections are in use, a request gets 503 after a wait, and a health check ends at its deadline."""
    sessions_of(database)
    engine = sa.create_engine(url_of(database), poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.2)
    store = MappedStore(engine, (AGENTS, TEAMS))
    assert store.check_health(time.monotonic() + 5).ready
    with engine.connect():
        with pytest.raises(Unavailable):
            store.search(soon(5), Query(USER))
        engine.pool._timeout = 30  # type: ignore[attr-defined]
        began = time.monotonic()
        with pytest.raises(Unavailable):
            store.check_health(time.monotonic() + 0.3)
        assert time.monotonic() - began < 5
    assert store.search(soon(5), Query(USER)).total >= 0
    engine.dispose()
