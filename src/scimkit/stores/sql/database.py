"""Engines, transactions and the repetition of transactions, for the SQL store.

A function of a connection is called "work". This module contains no rule of SCIM.
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
    """Return an engine for `sqlite:///FILE`, `postgresql+psycopg://...` or `mysql+pymysql://...`.

    Raises:
        ValueError: The URL names an unsupported database.
    """
    parsed = with_driver(url, DRIVERS)
    return own(sa.create_engine(parsed, **engine_options(parsed, BoundedPool)), statement_timeout)


def prepared(engine: sa.Engine) -> sa.Engine:
    """Set up the connections of an engine for the store, and return the engine."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def own(engine: sa.Engine, statement_timeout: float) -> sa.Engine:
    """Set up an engine that only the store uses, with a timeout for statements, and return the engine."""
    if engine.dialect.driver == "psycopg":
        engine.dialect.use_insertmanyvalues_wo_returning = True  # inserts many rows with one statement
        event.listen(engine, "connect", _prepare_postgresql)
        if not engine.dialect.is_async:
            event.listen(
                engine, "do_connect", lambda dialect, record, args, options: connection_that_listens(args, options)
            )
    prepared(engine)
    bound_statements(engine, statement_timeout)
    return engine


def with_driver(url: str, drivers: dict[str, str]) -> sa.URL:
    """Return a URL with the driver of its database.

    Raises:
        ValueError: The URL names an unsupported database.
    """
    parsed = sa.make_url(url)
    if parsed.drivername in ("sqlite", "postgresql", "mysql", "mariadb") or parsed.drivername in DRIVERS.values():
        parsed = parsed.set(drivername=drivers[parsed.get_backend_name()])
    if parsed.get_backend_name() not in DRIVERS:
        raise ValueError("The URL must be sqlite:///FILE, postgresql+psycopg://... or mysql+pymysql://...")
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
        # PostgreSQL keeps the plan of a prepared statement. A plan for a small table reads the whole table, even
        # after the table has grown. Connection poolers need statements without preparation, too.
        options["connect_args"]["prepare_threshold"] = None
    return options


def pool_size(engine: sa.Engine) -> int | None:
    """Return the number of connections in the pool of an engine, or None if the pool has no fixed size."""
    size = getattr(engine.pool, "size", None)
    return None if size is None else int(size())


def wait_for_pool(engine: sa.Engine, deadline: float | None) -> None:
    """Wait until the pool of an engine has a free connection, but no longer than the deadline.

    The pool of an application's engine may wait longer than a health check can.

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
    """Leave transactions to `_begin_sqlite`, and let connections read while another connection writes."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_postgresql(connection: Any, _: object) -> None:
    """Switch off the just-in-time compiler of PostgreSQL. Without statistics, compiling takes longer than the query."""
    cursor = connection.cursor()
    cursor.execute("SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'jit'")
    cursor.close()
    connection.commit()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Begin a transaction on SQLite. Transactions that write take the lock at their beginning."""
    reads = connection.get_execution_options().get("scimkit_reads", False)
    milliseconds = None if reads else busy_timeout(connection)
    if milliseconds is not None:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@dataclass(slots=True)
class Attempts:
    """Counts the attempts of a transaction and decides about the next attempt.

    `deadline` is a time of `time.monotonic()` until which the transaction is repeated. Without a deadline there are at
    most `ATTEMPTS` attempts. A transaction sets `committing` directly before COMMIT.
    """

    deadline: float | None = None
    committing: bool = False
    number: int = 0

    def failed(self, error: DBAPIError | PoolTimeout) -> float:
        """Return the seconds to wait before the next attempt, if the failed attempt changed nothing.

        A connection lost during COMMIT is not retried, because the outcome is unknown. A statement that exceeded its
        timeout is not retried either.

        Raises:
            ScimError: Errors of this kind are not retried; see `scimkit.stores.database_error_kinds`.
            Unavailable: The deadline leaves no time for another attempt.
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
    """Run a transaction, and repeat it if another transaction interfered or the connection was lost.

    Raises:
        Unavailable: The database failed, or the deadline has passed.
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
    """Run work in a transaction of a connection, bounded by the deadline of the attempts."""
    with unbounded(connection) if takes_long else bounded(connection, attempts.deadline):
        if connection.in_transaction():
            connection.commit()  # ends the transaction of the statements that set a timeout
        with connection.begin():
            result = work(connection)
            attempts.committing = True
        return result


def reading(dialect: str) -> dict[str, Any]:
    """Return the execution options of a connection that only reads.

    PostgreSQL reads without a transaction, which saves two messages to the server.
    """
    return {"scimkit_reads": True} | ({"isolation_level": "AUTOCOMMIT"} if dialect == "postgresql" else {})


class Database:
    """Runs work in transactions on an engine."""

    connection: None = None

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def read(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Run work that only reads, and return its result.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """
        options = reading(self.engine.dialect.name)

        def transaction(_: Attempts) -> Result:
            with self.engine.connect().execution_options(**options) as connection, bounded(connection, deadline):
                return work(connection)

        return insisted(transaction, deadline)

    def write(self, work: Work[Result], deadline: float | None = None, *, takes_long: bool = False) -> Result:
        """Run work in a transaction, and return its result. The transaction is repeated as `insisted` does.

        Args:
            work: A function of a connection.
            deadline: Time of `time.monotonic()` by which the work must end.
            takes_long: Lift the timeout of statements, for migrations.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """

        def transaction(attempts: Attempts) -> Result:
            with self.engine.connect() as connection:
                return transact(connection, work, attempts, takes_long=takes_long)

        return insisted(transaction, deadline)


class Joined:
    """Runs work in a transaction that is already open. A failed write undoes only itself."""

    def __init__(self, connection: sa.Connection, *, savepoints: bool = True) -> None:
        self.connection = connection
        self._savepoints = savepoints

    def read(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Run work that only reads. Errors are handled by the code that began the transaction."""
        return work(self.connection)

    def write(self, work: Work[Result], deadline: float | None = None, *, takes_long: bool = False) -> Result:
        """Run work in a savepoint, or without one if savepoints are off.

        Errors and repetition are handled by the code that began the transaction.
        """
        if not self._savepoints:
            return work(self.connection)
        with self.connection.begin_nested():
            return work(self.connection)
