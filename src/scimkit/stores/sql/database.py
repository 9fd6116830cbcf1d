"""Engines and transactions: what each database needs to be told, what is tried again, what its errors become.

A piece of work is a function of a connection. This module knows no SCIM.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from scimkit.errors import Unavailable
from scimkit.stores.database_error_kinds import codes_of, is_kind, kind_of, lost
from scimkit.stores.database_errors import ATTEMPTS, answer_to, exhausted, pause, unavailable
from scimkit.stores.sql.timeouts import (
    POOL_TIMEOUT,
    STATEMENT_TIMEOUT,
    BoundedPool,
    bound_statements,
    bounded,
    busy_timeout,
    connect_options,
    connection_that_listens,
    pool_deadline,
    unbounded,
)

Result = TypeVar("Result")
Work: TypeAlias = Callable[[sa.Connection], Result]

DRIVERS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql",
                   "mariadb": "mysql+pymysql"}  # fmt: skip


def sync_engine(url: str, statement_timeout: float = STATEMENT_TIMEOUT) -> sa.Engine:
    """An engine for `sqlite:///FILE`, `postgresql+psycopg://...` or `mysql+pymysql://...`.

    Raises: ValueError for another database.
    """
    parsed = with_driver(url, DRIVERS)
    return own(sa.create_engine(parsed, **engine_options(parsed, BoundedPool)), statement_timeout)


def prepared(engine: sa.Engine) -> sa.Engine:
    """The engine, its connections told what the store needs of them."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def own(engine: sa.Engine, statement_timeout: float) -> sa.Engine:
    """Prepare an engine that nobody else uses; its statements end after some seconds."""
    if engine.dialect.driver == "psycopg":
        engine.dialect.use_insertmanyvalues_wo_returning = True  # rows in one statement, not a statement a row
        event.listen(engine, "connect", _prepare_postgresql)
        if not engine.dialect.is_async:
            event.listen(
                engine, "do_connect", lambda dialect, record, args, options: connection_that_listens(args, options)
            )
    prepared(engine)
    bound_statements(engine, statement_timeout)
    return engine


def with_driver(url: str, drivers: dict[str, str]) -> sa.URL:
    """The URL with the driver of its database. Raises: ValueError for another database."""
    parsed = sa.make_url(url)
    if parsed.drivername in ("sqlite", "postgresql", "mysql", "mariadb") or parsed.drivername in DRIVERS.values():
        parsed = parsed.set(drivername=drivers[parsed.get_backend_name()])
    if parsed.get_backend_name() not in DRIVERS:
        raise ValueError("the store takes sqlite:///FILE, postgresql+psycopg://... and mysql+pymysql://...")
    return parsed


def engine_options(url: sa.URL, pool: type[BoundedPool]) -> dict[str, Any]:
    """Return the options of `create_engine` for a URL, with a pool whose waits end at the deadline of the request."""
    if url.get_backend_name() == "sqlite":
        options: dict[str, Any] = {"connect_args": {"timeout": STATEMENT_TIMEOUT}}
        in_memory = url.database in (None, "", ":memory:") or "mode" in url.query
        return options if in_memory else options | {"poolclass": pool, "pool_timeout": POOL_TIMEOUT}
    options = {"isolation_level": "READ COMMITTED", "pool_size": 10, "pool_timeout": POOL_TIMEOUT, "poolclass": pool}
    options["connect_args"] = connect_options(url)
    if url.get_backend_name() in ("mysql", "mariadb"):
        options["connect_args"]["charset"] = "utf8mb4"
    elif url.drivername == DRIVERS["postgresql"]:
        # PostgreSQL keeps the plan of a prepared statement, and one made while a table was small reads all of it
        # for ever. It is also what a pooler between needs.
        options["connect_args"]["prepare_threshold"] = None
    return options


def pool_size(engine: sa.Engine) -> int | None:
    """Return how many connections the pool of an engine keeps; None for a pool that does not say."""
    size = getattr(engine.pool, "size", None)
    return None if size is None else int(size())


def wait_for_pool(engine: sa.Engine, deadline: float | None) -> None:
    """Wait until the pool of an engine has a connection, but no longer than the deadline.

    The pool of an application's own engine may wait longer than a health check can.

    Raises:
        Unavailable: Every connection is in use at the deadline.
    """
    pool = engine.pool
    if not isinstance(pool, QueuePool) or pool._max_overflow < 0:
        return
    while pool.checkedout() >= pool.size() + pool._max_overflow:
        if deadline is None or time.monotonic() >= deadline:
            raise exhausted()
        time.sleep(0.02)


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Leave transactions to `_begin_sqlite`; let readers go on while one writes."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_postgresql(connection: Any, _: object) -> None:
    """Compile no plan to machine code: where statistics are missing, it takes longer than all that is asked here."""
    cursor = connection.cursor()
    cursor.execute("SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'jit'")
    cursor.close()
    connection.commit()


def _begin_sqlite(connection: sa.Connection) -> None:
    reads = connection.get_execution_options().get("scimkit_reads", False)
    milliseconds = None if reads else busy_timeout(connection)
    if milliseconds is not None:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@dataclass(slots=True)
class Attempts:
    """Counts the attempts at a transaction and decides about the next one.

    `deadline` is a reading of `time.monotonic()`: the transaction is tried again until then, or `ATTEMPTS` times if
    there is no deadline. A transaction says when it is `committing`.
    """

    deadline: float | None = None
    committing: bool = False
    number: int = 0

    def failed(self, error: DBAPIError | PoolTimeout) -> float:
        """Return the seconds to wait before the next attempt, if the database did nothing in this one.

        A connection lost during COMMIT is not retried, because the outcome is unknown. Neither is a statement that
        took too long.

        Raises:
            ScimError: The error is not one of those that are tried again; see `scimkit.stores.database_error_kinds`.
            Unavailable: There is no time left.
        """
        if isinstance(error, PoolTimeout):
            raise exhausted() from None
        broken = error.connection_invalidated or (is_kind(error.orig, "connection") and codes_of(error.orig))
        if is_kind(error.orig, "timeout"):
            again = False
        else:
            again = lost(error.orig) or is_kind(error.orig, "not-ready") or (bool(broken) and not self.committing)
        if not again and kind_of(error.orig).answer is not Unavailable:
            raise answer_to(error.orig) from None
        seconds = pause(self.number)
        self.number += 1
        over = self.number == ATTEMPTS if self.deadline is None else time.monotonic() + seconds >= self.deadline
        if over or not again:
            raise unavailable(error.orig) from None
        self.committing = False
        return seconds


def insisted(transaction: Callable[[Attempts], Result], deadline: float | None = None) -> Result:
    """Return the result of a transaction, tried again if another one was in its way or its connection was gone.

    Raises:
        Unavailable: The database failed, or the deadline passed.
    """
    attempts = Attempts(deadline)
    while True:
        try:
            with pool_deadline(deadline):
                return transaction(attempts)
        except (DBAPIError, PoolTimeout) as error:
            seconds = attempts.failed(error)
        time.sleep(seconds)


def transact(connection: sa.Connection, work: Work[Result], attempts: Attempts, *, takes_long: bool) -> Result:
    """Return the result of work in a transaction of a connection, bounded by the deadline of the attempts."""
    with unbounded(connection) if takes_long else bounded(connection, attempts.deadline):
        if connection.in_transaction():
            connection.commit()  # of the statements that set a timeout
        with connection.begin():
            result = work(connection)
            attempts.committing = True
        return result


def reading(dialect: str) -> dict[str, Any]:
    """Options of a connection that only reads. PostgreSQL needs no transaction for that, and is spared two messages."""
    return {"scimkit_reads": True} | ({"isolation_level": "AUTOCOMMIT"} if dialect == "postgresql" else {})


class Database:
    """Runs work in transactions on an engine."""

    connection: None = None

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def read(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Return the result of work that only reads. Raises Unavailable, by the deadline at the latest."""
        options = reading(self.engine.dialect.name)

        def transaction(_: Attempts) -> Result:
            with self.engine.connect().execution_options(**options) as connection, bounded(connection, deadline):
                return work(connection)

        return insisted(transaction, deadline)

    def write(self, work: Work[Result], deadline: float | None = None, *, takes_long: bool = False) -> Result:
        """Return the result of work, all of it committed or none; tried again as `insisted` does.

        Args:
            work: A function of a connection.
            deadline: A reading of `time.monotonic()` by which the work must end.
            takes_long: Lift the timeout of statements, for migrations.
        """

        def transaction(attempts: Attempts) -> Result:
            with self.engine.connect() as connection:
                return transact(connection, work, attempts, takes_long=takes_long)

        return insisted(transaction, deadline)


class Joined:
    """Runs work within a transaction that is open already; a write that fails leaves what was done before."""

    def __init__(self, connection: sa.Connection, *, savepoints: bool = True) -> None:
        self.connection = connection
        self._savepoints = savepoints

    def read(self, work: Work[Result], deadline: float | None = None) -> Result:
        """As `Database.read`; the transaction answers for failures."""
        return work(self.connection)

    def write(self, work: Work[Result], deadline: float | None = None, *, takes_long: bool = False) -> Result:
        """As `Database.write`; the transaction answers for failures, and is what is tried again."""
        if not self._savepoints:
            return work(self.connection)
        with self.connection.begin_nested():
            return work(self.connection)
