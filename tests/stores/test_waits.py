"""Every wait in a database ends at the deadline of the request, with 503 and Retry-After, and nothing is written."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from scimkit import USER, Query, Scope, filters
from scimkit.errors import InvalidFilter, Unavailable
from scimkit.stores.sql import AsyncSqlStore, SqlStore
from scimkit.stores.sql.timeouts import POOL_TIMEOUT, STATEMENT_TIMEOUT
from tests.stores.databases import DATABASES, url_of

ADA = {"schemas": [USER.schema], "userName": "ada", "active": True}


def soon(seconds: float = 0.6, tenant: str = "waits") -> Scope:
    """Return a scope with a deadline in the near future."""
    return Scope(tenant, time.monotonic() + seconds)


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """The URL of each database. SQLite uses a file for each test, because its lock applies to the file."""
    return f"sqlite:///{tmp_path}/waits.db" if request.param == "sqlite" else url_of(request.param)


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """A store whose pool has a single spare connection."""
    store = SqlStore(url)
    yield store
    store.engine.dispose()


def lock(connection: sa.Connection, id: str) -> None:
    """Lock the row of a resource, or the file of SQLite."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("UPDATE scim_resource SET version = version WHERE 0")
    else:
        connection.execute(sa.text("SELECT id FROM scim_resource WHERE id = :id FOR UPDATE"), {"id": id})


def test_a_lock_that_is_not_granted(store: SqlStore) -> None:
    """A write that waits for a lock gets 503 at its deadline. Meanwhile, reads succeed."""
    name = f"locked-{time.time_ns()}"
    id = store.create(soon(20), USER, {**ADA, "userName": name}).document["id"]
    outside = sa.create_engine(store.engine.url)
    with outside.connect() as connection:
        lock(connection, id)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            store.replace(soon(), USER, id, {**ADA, "userName": name, "active": False})
        assert time.monotonic() - began < STATEMENT_TIMEOUT
        assert store.get(soon(20), USER, id)["active"] is True
        connection.rollback()
    outside.dispose()
    assert store.replace(soon(20), USER, id, {**ADA, "userName": name, "active": False}).document["active"] is False


def test_a_lock_that_is_not_granted_to_an_awaited_store(store: SqlStore, url: str) -> None:
    """The async store answers with 503 at the deadline, too, and does not block its event loop."""
    name = f"locked-{time.time_ns()}"
    id = store.create(soon(20), USER, {**ADA, "userName": name}).document["id"]
    outside = sa.create_engine(store.engine.url)

    async def check() -> None:
        awaited = AsyncSqlStore(url)
        try:
            write = awaited.replace(soon(), USER, id, {**ADA, "userName": name, "active": False})
            outcome, read = await asyncio.gather(write, awaited.get(soon(20), USER, id), return_exceptions=True)
            assert isinstance(outcome, Unavailable)
            assert read["active"] is True  # type: ignore[index, call-overload]
        finally:
            await awaited.engine.dispose()

    with outside.connect() as connection:
        lock(connection, id)
        asyncio.run(check())
        connection.rollback()
    outside.dispose()


def test_a_slow_statement_is_cancelled(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    """A statement that exceeds its timeout is canceled and not repeated, and the log contains the reason."""
    slow = {
        "postgresql": "SELECT pg_sleep(30)",
        "mysql": "SELECT SLEEP(30) FROM scim_resource",
        "mariadb": "SELECT SLEEP(30) FROM (SELECT 1) one",
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n WHERE i > 0",
    }
    tries = []

    def work(inner: Any) -> None:
        tries.append(1)
        inner.connection.exec_driver_sql(slow[store.engine.dialect.name])

    with pytest.raises(Unavailable) as caught:
        store.transaction(soon(), work)
    assert dict(caught.value.headers)["Retry-After"].isdigit()
    assert len(tries) == 1
    assert "took too long" in caplog.text
    tries.clear()
    assert store.search(soon(20), Query(USER, filters.parse('userName eq "nobody"'))).total == 0


def test_the_usual_timeouts_come_back(store: SqlStore) -> None:
    """A connection has its usual timeouts after a transaction with a short deadline."""
    store.search(soon(), Query(USER, count=1))
    store.transaction(soon(), lambda inner: inner.search(soon(), Query(USER, count=1)))
    with store.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            assert connection.scalar(sa.text("SHOW statement_timeout")) == f"{STATEMENT_TIMEOUT:.0f}s"
        elif connection.dialect.name != "sqlite":
            assert float(connection.scalar(sa.text("SELECT @@max_statement_time"))) == STATEMENT_TIMEOUT
        else:
            assert connection.info["scimkit_until"] is None


def test_the_application_may_use_the_engine_after_a_deadline(store: SqlStore) -> None:
    """The deadline of a request does not limit what the application does later on the same connection."""
    store.search(soon(0.3), Query(USER, count=1))
    time.sleep(1)
    with store.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
        slow = {"postgresql": "SELECT pg_sleep(0.2)", "sqlite": "SELECT 1"}
        connection.exec_driver_sql(slow.get(connection.dialect.name, "SELECT SLEEP(0.2)"))


def test_no_time_left(store: SqlStore) -> None:
    """A request whose deadline has passed sends no statement to the database."""
    with pytest.raises(Unavailable):
        store.search(soon(-1), Query(USER))


def test_no_connection_left(url: str) -> None:
    """If every connection is in use, a request gets 503 after a short wait."""
    store = SqlStore(url)
    store.engine.dispose()
    pool: Any = store.engine.pool
    taken = [store.engine.connect() for _ in range(pool.size() + pool._max_overflow)]
    pool._timeout = 0.1
    try:
        with pytest.raises(Unavailable):
            store.search(soon(5), Query(USER))
    finally:
        for each in taken:
            each.close()
        store.engine.dispose()


def test_the_wait_for_a_connection_ends_at_the_deadline(url: str) -> None:
    """A request with little time left waits for a connection until its deadline, with the sync and the async store."""
    store = SqlStore(url)
    pool: Any = store.engine.pool
    taken = [store.engine.connect() for _ in range(pool.size() + pool._max_overflow)]
    began = time.monotonic()
    with pytest.raises(Unavailable):
        store.search(soon(0.2), Query(USER))
    assert time.monotonic() - began < POOL_TIMEOUT / 2
    for each in taken:
        each.close()
    store.engine.dispose()

    async def check() -> None:
        awaited = AsyncSqlStore(url)
        pool: Any = awaited.engine.pool
        taken = [await awaited.engine.connect() for _ in range(pool.size() + pool._max_overflow)]
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await awaited.search(soon(0.2), Query(USER))
        assert time.monotonic() - began < POOL_TIMEOUT / 2
        for each in taken:
            await each.close()
        await awaited.engine.dispose()

    asyncio.run(check())


def test_an_awaited_transaction_has_timeouts_of_its_own(store: SqlStore, url: str) -> None:
    """In a transaction of the async store, the database itself cancels a wait for a lock at the deadline."""
    if url.startswith("sqlite"):
        pytest.skip("SQLite has one lock, which the transaction has already when it begins")
    name = f"locked-{time.time_ns()}"
    id = store.create(soon(20), USER, {**ADA, "userName": name}).document["id"]
    outside = sa.create_engine(store.engine.url)

    async def check() -> None:
        awaited = AsyncSqlStore(url)

        async def work(inner: Any) -> None:
            await inner.connection.execute(
                sa.text("SELECT id FROM scim_resource WHERE id = :id FOR UPDATE"), {"id": id}
            )

        began = time.monotonic()
        with pytest.raises(Unavailable):
            await awaited.transaction(soon(1), work)
        assert time.monotonic() - began < STATEMENT_TIMEOUT
        async with awaited.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                timeout = await connection.scalar(sa.text("SHOW statement_timeout"))
                assert timeout == f"{STATEMENT_TIMEOUT:.0f}s"
        await awaited.engine.dispose()

    with outside.connect() as connection:
        lock(connection, id)
        asyncio.run(check())
        connection.rollback()
    outside.dispose()


def test_a_canceled_transaction_writes_nothing(store: SqlStore, url: str) -> None:
    """A task that is canceled within an awaited transaction undoes its writes and gives its connection back."""
    name = f"canceled-{time.time_ns()}"

    async def check() -> None:
        awaited = AsyncSqlStore(url)
        pool: Any = awaited.engine.pool
        written = asyncio.Event()

        async def work(inner: Any) -> None:
            await inner.create(soon(20), USER, {**ADA, "userName": name})
            written.set()
            await asyncio.sleep(60)

        task = asyncio.create_task(awaited.transaction(soon(20), work))
        await written.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pool.checkedout() == 0
        created = await awaited.create(soon(20), USER, {**ADA, "userName": name})
        assert created.document["userName"] == name
        await awaited.engine.dispose()

    asyncio.run(check())


def test_a_locked_table(store: SqlStore, url: str) -> None:
    """While another client locks the table, a write gets 503 at its deadline. Afterward, the write succeeds."""
    if url.startswith("sqlite"):
        pytest.skip("SQLite locks the whole file: test_a_lock_that_is_not_granted")
    id = store.create(soon(20), USER, {**ADA, "userName": f"table-{time.time_ns()}"}).document["id"]
    outside = sa.create_engine(store.engine.url)
    is_postgresql = store.engine.dialect.name == "postgresql"
    with outside.connect() as connection:
        connection.exec_driver_sql(
            "LOCK TABLE scim_resource IN ACCESS EXCLUSIVE MODE" if is_postgresql else "LOCK TABLES scim_resource WRITE"
        )
        began = time.monotonic()
        with pytest.raises(Unavailable):
            store.delete(soon(1), USER, id)
        assert time.monotonic() - began < STATEMENT_TIMEOUT
        if not is_postgresql:
            connection.exec_driver_sql("UNLOCK TABLES")
        connection.rollback()
    outside.dispose()
    store.delete(soon(20), USER, id)


def test_what_a_database_can_never_evaluate(tmp_path: Any) -> None:
    """A filter that is too complex for the database is refused with 400 `invalidFilter`, not with 503."""
    store = SqlStore(f"sqlite:///{tmp_path}/complex.db")
    inside = " or ".join(f'value co "{n}"' for n in range(2000))
    wanted = filters.parse(f"emails[{inside}]", max_comparisons=10_000, max_length=10**6)
    with pytest.raises(InvalidFilter):
        store.search(soon(20), Query(USER, wanted))
    store.engine.dispose()


class Silence:
    """A proxy in front of a database that stops forwarding, as if the network dropped all packets."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self.silent = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._connect = connect
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = self._connect()
            self._sockets += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                if not self.silent.is_set():
                    other.sendall(data)

    def close(self) -> None:
        for each in (self._server, *self._sockets):
            each.close()


def connected(url: sa.URL) -> socket.socket:
    """Return a connection to a server, which may listen on a Unix socket."""
    folder = url.query.get("host")
    if folder is None:
        return socket.create_connection((url.host, url.port or 3306))
    client = socket.socket(socket.AF_UNIX)
    client.connect(f"{folder}/.s.PGSQL.5432")
    return client


@pytest.mark.parametrize("database", [each for each in DATABASES if each.values[0] != "sqlite"])
def test_a_database_that_does_not_answer(database: str) -> None:
    """A request to a server that stops answering ends at the deadline, with the sync and the async store."""
    there = sa.make_url(url_of(database))
    silence = Silence(lambda: connected(there))
    through = there.set(host="127.0.0.1", port=silence.port, query={})
    url = through.render_as_string(hide_password=False)
    store = SqlStore(url)
    query = Query(USER, filters.parse('userName eq "nobody"'))
    assert store.search(soon(20), query).total == 0

    async def check() -> None:
        awaited = AsyncSqlStore(url)
        assert (await awaited.search(soon(20), query)).total == 0
        silence.silent.set()
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await awaited.search(soon(), query)
        assert time.monotonic() - began < STATEMENT_TIMEOUT

    asyncio.run(check())
    began = time.monotonic()
    with pytest.raises(Unavailable):
        store.search(soon(), query)
    assert time.monotonic() - began < STATEMENT_TIMEOUT
    silence.close()
    store.engine.dispose()


def test_an_outage_says_what_the_driver_said(caplog: pytest.LogCaptureFixture, tmp_path: Any) -> None:
    """The log of an outage contains the driver's text about the connection, such as host, role and database."""
    for url, said in (
        ("postgresql+psycopg://nobody@127.0.0.1:1/helpdesk", "127.0.0.1"),
        ("mysql+pymysql://nobody@127.0.0.1:1/helpdesk", "127.0.0.1"),
        (f"sqlite:///{tmp_path}/no/such/folder.db", "unable to open database file"),
    ):
        caplog.clear()
        store = SqlStore(url, upgrade=False)
        with pytest.raises(Unavailable):
            store.search(soon(2), Query(USER))
        assert said in caplog.text
        store.engine.dispose()
