"""Kinds of database errors: provoked on each database if possible, and otherwise looked up by code."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, StatementError

from scimkit import USER, Query, Scope
from scimkit.errors import InvalidValue, Unavailable, Uniqueness
from scimkit.stores.database_error_kinds import KINDS, UnsupportedCharacter, codes_of, kind_of, lost
from scimkit.stores.database_errors import answer_to
from scimkit.stores.sql import SqlStore
from scimkit.stores.sql.async_store import async_engine
from scimkit.stores.sql.database import Attempts, sync_engine
from tests.stores.databases import DATABASES, end_connection, number_of, url_of

ROW = f"err_row_{os.getpid()}"
REFERRING = f"err_referring_{os.getpid()}"
NARROW = f"err_narrow_{os.getpid()}"
_numbers = itertools.count(1)


class Place:
    """A database with tables for errors, and connections that are closed after the test."""

    def __init__(self, name: str, url: str, stack: ExitStack) -> None:
        self.name = name
        self.url = url
        self._stack = stack
        self.engine = sync_engine(url)
        stack.callback(self.engine.dispose)

    def connect(self, **options: Any) -> sa.Connection:
        """Return a connection in a transaction of its own."""
        connection = self.engine.connect().execution_options(**options)
        self._stack.callback(connection.invalidate)
        return connection

    def run(self, *statements: str) -> None:
        """Run statements and commit them."""
        with self.engine.begin() as connection:
            for each in statements:
                connection.exec_driver_sql(each)


@pytest.fixture(params=DATABASES)
def place(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Place]:
    """Each database, with two rows in a table."""
    name = request.param
    engine = "ENGINE=InnoDB" if name == "mysql" else ""
    drop = [f"DROP TABLE IF EXISTS {each}" for each in (REFERRING, ROW, NARROW)]
    with ExitStack() as stack:
        place = Place(name, f"sqlite:///{tmp_path}/errors.db" if name == "sqlite" else url_of(name), stack)
        place.run(
            *drop,
            f"CREATE TABLE {ROW} (id INTEGER PRIMARY KEY, name VARCHAR(5) NOT NULL UNIQUE, small SMALLINT, "
            f"CHECK (small <> 13)) {engine}",
            f"CREATE TABLE {REFERRING} (id INTEGER PRIMARY KEY, row_id INTEGER NOT NULL, "
            f"FOREIGN KEY (row_id) REFERENCES {ROW} (id)) {engine}",
            f"INSERT INTO {ROW} (id, name) VALUES (1, 'one'), (2, 'two')",
            f"INSERT INTO {REFERRING} VALUES (1, 1)",
        )
        if name == "mysql":
            place.run(f"CREATE TABLE {NARROW} (name VARCHAR(100) CHARACTER SET latin1)")
        yield place
    if name != "sqlite":
        place.run(*drop)
        place.engine.dispose()


def error_of(work: Callable[[], Any]) -> DBAPIError:
    """Return the database error that a function raises."""
    with pytest.raises(StatementError) as raised:
        work()
    assert isinstance(raised.value, DBAPIError), raised.value
    return raised.value


def answered(error: DBAPIError) -> Exception:
    """Return the answer to a request after an error at its deadline."""
    with pytest.raises(Exception) as raised:
        Attempts(time.monotonic()).failed(error)
    return raised.value


STATEMENTS: dict[str, dict[str, list[str]]] = {
    "duplicate": {"": [f"INSERT INTO {ROW} (id, name) VALUES (3, 'one')", f"INSERT INTO {ROW} VALUES (1, 'x', 1)"]},
    "not-null": {"": [f"INSERT INTO {ROW} (id, name) VALUES (3, NULL)", f"INSERT INTO {ROW} (id) VALUES (3)"]},
    "constraint": {"": [f"INSERT INTO {ROW} VALUES (3, 'x', 13)"]},
    "reference": {"": [f"INSERT INTO {REFERRING} VALUES (2, 7)", f"DELETE FROM {ROW} WHERE id = 1"]},
    "value": {
        "postgresql": [
            f"INSERT INTO {ROW} VALUES (3, 'too long', 1)", f"INSERT INTO {ROW} VALUES (3, 'x', 70000)",
            "SELECT convert_from('\\xff', 'UTF8')", "SELECT convert_to('ł', 'LATIN1')", "SELECT 'x'::integer",
        ],
        "mysql": [
            f"INSERT INTO {ROW} VALUES (3, 'too long', 1)", f"INSERT INTO {ROW} VALUES (3, 'x', 70000)",
            f"INSERT INTO {NARROW} VALUES ('łukasz')", f"INSERT INTO {ROW} VALUES (3, 'x', 'y')",
        ],
        "sqlite": [f"INSERT INTO {ROW} VALUES ('y', 'x', 1)"],
    },
    "charset": {
        "mysql": [f"SELECT * FROM {NARROW} WHERE name = 'ł'", f"SELECT * FROM {NARROW} WHERE name IN ('ł', 'x')"],
    },
    "size": {"sqlite": ["SELECT zeroblob(2000000000)"]},
    "too-complex": {
        "postgresql": [f"SELECT {', '.join('1' * 1700)}"],
        "mysql": [f"SELECT 1 FROM {', '.join(f'{ROW} t{number}' for number in range(70))}"],
        "sqlite": [f"SELECT {' + '.join('1' * 1500)}", f"SELECT 1 FROM {', '.join(['(SELECT 1)'] * 70)}"],
    },
    "timeout": {
        "postgresql": ["SET statement_timeout = 50; SELECT pg_sleep(5)"],
        "mysql": ["SET STATEMENT max_statement_time = 0.05 FOR SELECT SLEEP(5) FROM (SELECT 1) AS one"],
    },
    "lock": {},
    "full": {"postgresql": [
        "SET temp_file_limit = 0; SET work_mem = 64; SELECT * FROM generate_series(1, 200000) n ORDER BY -n",
    ]},
    "other": {"": ["SELECT * FROM no_such_table"]},
}  # fmt: skip
"""Statements that provoke each kind of error, for all databases or for one."""

CASES = [
    pytest.param(database.values[0], kind, statement, marks=database.marks, id=f"{database.values[0]}-{kind}-{number}")
    for database in DATABASES
    for kind, some in STATEMENTS.items()
    for number, statement in enumerate([*some.get("", ()), *some.get(str(database.values[0]), ())])
]
on_each = pytest.mark.parametrize(("place", "kind", "statement"), CASES, indirect=["place"])


@on_each
def test_statements_that_fail(place: Place, kind: str, statement: str) -> None:
    """The driver's error has the expected kind, and the client receives the answer of the table."""
    error = error_of(lambda: place.connect().exec_driver_sql(statement))
    assert kind_of(error.orig).name == kind, (error.orig, codes_of(error.orig))
    assert type(answered(error)) is (Unavailable if lost(error.orig) else kind_of(error.orig).answer)


@on_each
def test_statements_that_fail_on_awaited_drivers(place: Place, kind: str, statement: str) -> None:
    """The async drivers raise errors of the same kinds."""

    async def run() -> DBAPIError:
        engine = async_engine(place.url)
        try:
            async with engine.connect() as connection:
                with pytest.raises(StatementError) as raised:
                    await connection.exec_driver_sql(statement)
                assert isinstance(raised.value, DBAPIError)
                return raised.value
        finally:
            await engine.dispose()

    error = asyncio.run(run())
    assert kind_of(error.orig).name == kind, (error.orig, codes_of(error.orig))


def test_a_null_character(place: Place) -> None:
    """PostgreSQL refuses a text with the character NUL: 400 `invalidValue`. The other databases store the text."""
    insert = sa.text(f"INSERT INTO {ROW} (id, name) VALUES (3, :name)")
    if place.name != "postgresql":
        place.connect().execute(insert, {"name": "a\0b"})
        return
    error = error_of(lambda: place.connect().execute(insert, {"name": "a\0b"}))
    assert kind_of(error.orig).name == "value"
    assert type(answered(error)) is InvalidValue


def test_a_lock_that_is_not_granted(place: Place) -> None:
    """A write that waits for a lock is repeated until the deadline and then answered with 503."""
    holder, waiter = place.connect(), place.connect()
    update = f"UPDATE {ROW} SET small = 1 WHERE id = 1"
    holder.exec_driver_sql(update)
    if place.name == "sqlite":
        holder.commit()
        other = sa.create_engine(place.url, connect_args={"timeout": 0})
        holder.exec_driver_sql(update)
        with other.connect() as connection:
            error = error_of(lambda: connection.exec_driver_sql(update))
        other.dispose()
    else:
        waiter.exec_driver_sql(
            "SET lock_timeout = 50" if place.name == "postgresql" else "SET innodb_lock_wait_timeout = 1"
        )
        error = error_of(lambda: waiter.exec_driver_sql(update))
    assert kind_of(error.orig).name == "lock"
    assert lost(error.orig)
    assert type(answered(error)) is Unavailable
    assert Attempts(time.monotonic() + 20).failed(error) > 0
    holder.rollback()


def test_a_deadlock(place: Place) -> None:
    """If two transactions wait for each other, one of them fails and is repeated."""
    if place.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    connections, errors = [place.connect(), place.connect()], []
    for number, connection in enumerate(connections, 1):
        connection.exec_driver_sql(f"UPDATE {ROW} SET small = 1 WHERE id = {number}")

    def cross(connection: sa.Connection, number: int) -> None:
        try:
            connection.exec_driver_sql(f"UPDATE {ROW} SET small = 2 WHERE id = {number}")
            connection.rollback()
        except DBAPIError as error:
            errors.append(error)

    threads = [threading.Thread(target=cross, args=(connections[number], 2 - number)) for number in (0, 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)
    (error,) = errors
    assert kind_of(error.orig).name == "deadlock"
    assert Attempts(time.monotonic() + 20).failed(error) > 0


def test_a_serialization_failure(place: Place) -> None:
    """A transaction is repeated if it writes a row that another transaction changed after the row was read."""
    read, update = f"SELECT small FROM {ROW} WHERE id = 1", f"UPDATE {ROW} SET small = 3 WHERE id = 1"
    if place.name == "sqlite":
        first = place.connect(scimkit_reads=True)
    else:
        first = place.connect(isolation_level="REPEATABLE READ")
    if place.name == "mysql":
        try:
            first.exec_driver_sql("SET SESSION innodb_snapshot_isolation = ON")
        except DBAPIError:
            pytest.skip("this version has no snapshot isolation")
    first.exec_driver_sql(read).all()
    place.run(update)
    error = error_of(lambda: first.exec_driver_sql(update))
    assert kind_of(error.orig).name == "serialization", error.orig
    assert Attempts(time.monotonic() + 20).failed(error) > 0


def test_a_slow_statement_of_sqlite(tmp_path: Any) -> None:
    """SQLite interrupts a statement that exceeds its timeout, and the store does not repeat the statement."""
    connection = sa.create_engine(f"sqlite:///{tmp_path}/slow.db").connect()
    driver: Any = connection.connection.driver_connection
    until = time.monotonic() + 0.1
    driver.set_progress_handler(lambda: time.monotonic() > until, 1000)
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n WHERE i > 0"
    error = error_of(lambda: connection.exec_driver_sql(slow))
    driver.set_progress_handler(None, 0)
    assert kind_of(error.orig).name == "timeout"
    with pytest.raises(Unavailable):
        Attempts(time.monotonic() + 20).failed(error)
    connection.close()
    connection.engine.dispose()


def test_a_connection_that_was_ended(place: Place) -> None:
    """A connection that the server ended is replaced, except if it was lost during COMMIT."""
    if place.name == "sqlite":
        pytest.skip("SQLite has no server")
    connection = place.connect()
    end_connection(place.engine, number_of(connection))
    time.sleep(0.1)
    error = error_of(lambda: connection.exec_driver_sql("SELECT 1"))
    assert kind_of(error.orig).name == "connection"
    assert Attempts(time.monotonic() + 20).failed(error) > 0
    with pytest.raises(Unavailable):
        Attempts(time.monotonic() + 20, committing=True).failed(error)


def test_too_many_connections(place: Place) -> None:
    """A server without a free connection for the account is answered with 503 at once."""
    if place.name == "sqlite":
        pytest.skip("SQLite has no server")
    role = f"scimkit_{os.getpid()}_{next(_numbers)}"
    if place.name == "postgresql":
        place.run(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
    else:
        place.run(f"CREATE USER {role}@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1")
        place.run(f"GRANT ALL ON *.* TO {role}@'127.0.0.1'")
    url = sa.make_url(place.url).set(username=role)
    engine = sa.create_engine(url)
    try:
        with ExitStack() as stack:
            if place.name == "mysql":
                stack.enter_context(engine.connect())
            error = error_of(engine.connect)
    finally:
        engine.dispose()
        place.run(f"DROP {'ROLE' if place.name == 'postgresql' else 'USER'} {role}" + (
            "@'127.0.0.1'" if place.name == "mysql" else ""
        ))  # fmt: skip
    assert type(answered(error)) is Unavailable
    with pytest.raises(Unavailable):
        Attempts(time.monotonic() + 20).failed(error)
    if codes_of(error.orig):  # psycopg gives no SQLSTATE for a refused connection
        assert kind_of(error.orig).name == "full"


def test_a_full_disk(place: Place) -> None:
    """A database without disk space is answered with 503."""
    if place.name == "postgresql":
        pytest.skip("shown by the limit of temporary files")
    connection = place.connect()
    if place.name == "sqlite":
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        statement = f"INSERT INTO {ROW} SELECT 10, randomblob(100000), 1"
    else:
        connection.exec_driver_sql("SET SESSION max_heap_table_size = 16384")
        connection.exec_driver_sql("CREATE TEMPORARY TABLE err_full (text CHAR(250)) ENGINE=MEMORY")
        statement = "INSERT INTO err_full SELECT REPEAT('x', 250) FROM information_schema.COLUMNS"
    error = error_of(lambda: connection.exec_driver_sql(statement))
    assert kind_of(error.orig).name == "full", error.orig
    assert type(answered(error)) is Unavailable


def test_a_database_that_takes_no_writes(place: Place) -> None:
    """A write in a read-only transaction, as on a standby server, is answered with 503."""
    connection = place.connect()
    if place.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    elif place.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    else:
        connection.exec_driver_sql("START TRANSACTION READ ONLY")
    error = error_of(lambda: connection.exec_driver_sql(f"UPDATE {ROW} SET small = 1"))
    assert kind_of(error.orig).name == "read-only"
    assert type(answered(error)) is Unavailable


def test_a_database_that_cannot_be_reached(tmp_path: Any) -> None:
    """A server that does not listen and a missing folder are answered with 503."""
    for url in (
        "postgresql+psycopg://nobody@127.0.0.1:1/x", "mysql+pymysql://nobody@127.0.0.1:1/x",
        f"sqlite:///{tmp_path}/no/such/folder.db",
    ):  # fmt: skip
        engine = sa.create_engine(url)
        error = error_of(engine.connect)
        assert type(answered(error)) is Unavailable
        if codes_of(error.orig):
            assert kind_of(error.orig).name == "unreachable"
        engine.dispose()


def test_answers_of_a_store(place: Place) -> None:
    """Errors of the application's own statements in a transaction of the store get the answers of the same table."""
    store, scope = SqlStore(place.url), Scope(f"errors-{os.urandom(4).hex()}")
    for statement, answer in (
        (f"INSERT INTO {ROW} (id, name) VALUES (3, 'one')", Uniqueness),
        (f"INSERT INTO {ROW} (id, name) VALUES (3, NULL)", InvalidValue),
        ("SELECT * FROM no_such_table", Unavailable),
    ):
        with pytest.raises(answer):
            store.transaction(scope, lambda inner, statement=statement: inner.connection.exec_driver_sql(statement))
    assert store.search(scope, Query(USER)).total == 0
    store.engine.dispose()


class FakeError(Exception):
    """An error like that of a driver."""

    sqlstate: str | None = None
    sqlite_errorname: str | None = None


def fake(code: str | int) -> FakeError:
    """Return an error with a code, in the form in which the driver raises it."""
    if isinstance(code, int):
        return FakeError(code, "said")
    error = FakeError("said")
    if code.startswith("SQLITE_"):
        error.sqlite_errorname = code
    else:
        error.sqlstate = code.ljust(5, "0")
    return error


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_code_of_the_table(kind: Any) -> None:
    """Each code leads to its kind and to the answer of the kind."""
    for code in kind.codes:
        assert kind_of(fake(code)) is kind, code
        assert type(answer_to(fake(code))) is kind.answer


def test_codes_are_told_apart() -> None:
    """Each code belongs to one kind. An unlisted code counts by its first characters, and an unknown code is 503."""
    times = Counter(code for kind in KINDS for code in kind.codes)
    assert [code for code, number in times.items() if number > 1] == []
    for code, name in (
        ("SQLITE_BUSY_RECOVERY", "lock"), ("SQLITE_IOERR_WRITE", "unreachable"),
        ("SQLITE_CONSTRAINT_CHECK", "constraint"),
        ("23514", "constraint"), ("22003", "value"), ("08006", "connection"), ("53300", "full"),
        ("28P01", "unreachable"), ("40003", "other"), ("XX000", "other"), (1, "other"), ("SQLITE_ERROR", "other"),
    ):  # fmt: skip
        assert kind_of(fake(code)).name == name, code
    assert kind_of(None).name == "other"


def test_classes_decide_without_a_code() -> None:
    """An error without a code has the kind of its exception class, regardless of the driver."""
    for name, kind in (("DataError", "value"), ("IntegrityError", "constraint"), ("OperationalError", "other")):
        below = type("Special", (type(name, (Exception,), {}),), {})
        assert kind_of(below("said")).name == kind
    mysql = FakeError(1213, "said")
    mysql.sqlstate = "23000"
    assert kind_of(mysql).name == "deadlock"  # the number is more precise than the SQLSTATE


def test_an_unsupported_character_is_bad_input() -> None:
    """If no store compares by bytes, the client receives 400 `invalidValue`."""
    answer = answer_to(fake(1267))
    assert isinstance(answer, UnsupportedCharacter)
    assert (answer.status, answer.scim_type) == (400, "invalidValue")
