"""Engines, transactions and the repetition of transactions, for the SQL store.

A function of a connection is called "work". This module contains no rule of SCIM.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolResetState, QueuePool

from scimkit.errors import Unavailable
from scimkit.stores.database_error_kinds import codes_of, is_kind, kind_of, lost
from scimkit.stores.database_errors import ATTEMPTS, answer_to, exhausted, pause, unavailable
from scimkit.stores.sql.direct_reads import DirectReads, HotRead, NeedsMore
from scimkit.stores.sql.hot_statements import (
    BEGIN,
    OUTSIDE_TRANSACTION,
    PREPARES,
    Interfered,
    OutcomeUnknown,
    begin_with_next,
    has_transaction,
    has_unread_message,
    make_check,
    outside_transaction,
    run_command,
    takes_single_statements,
)
from scimkit.stores.sql.timeouts import (
    POOL_TIMEOUT,
    STATEMENT_TIMEOUT,
    BoundedPool,
    bound_statements,
    bounded,
    busy_timeout,
    connect_options,
    pool_deadline,
    share_session,
    shares_session,
    transaction_settings,
    unbounded,
)
from scimkit.tokens import TokenCheck

Result = TypeVar("Result")
Work: TypeAlias = Callable[[sa.Connection], Result]

_COMMITS: Final = "scimkit_commits"
"""Execution option of an engine whose connections commit each statement until a transaction begins."""

_NEVER: Final = 2**62
"""Number of executions after which psycopg prepares a statement of its own accord. None would refuse hot statements."""
_SETTINGS: Final = {"jit": "off"}
"""Settings of PostgreSQL. Without statistics, compiling a query takes longer than the query."""
_SETTINGS_FOR_PREPARED: Final = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
"""Settings for prepared statements: plan once, and never read a whole table because the table is small at that time."""

DRIVERS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql",
                   "mariadb": "mysql+pymysql"}  # fmt: skip

_EXTRAS: Final = {"psycopg": "postgresql", "pymysql": "mysql", "aiosqlite": "async", "asyncmy": "async"}
"""The extra of scimkit that installs a driver."""


@contextmanager
def missing_driver() -> Iterator[None]:
    """Name the extra of scimkit in the error for a driver that is not installed.

    Raises:
        ModuleNotFoundError: The driver is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        extra = _EXTRAS.get(missing.name or "")
        if extra is None:
            raise
        needs = f"This database needs {missing.name}: pip install 'scimkit[{extra}]'"
        raise ModuleNotFoundError(needs, name=missing.name) from missing


def sync_engine(
    url: str, statement_timeout: float = STATEMENT_TIMEOUT, *, prepare_statements: bool | None = None
) -> sa.Engine:
    """Return an engine for `sqlite:///FILE`, `postgresql+psycopg://...` or `mysql+pymysql://...`.

    Raises:
        ValueError: The URL names an unsupported database.
        ModuleNotFoundError: The driver of the database is not installed.
    """
    parsed = with_driver(url, DRIVERS)
    with missing_driver():
        engine = sa.create_engine(parsed, **engine_options(parsed, BoundedPool))
    return own(engine, statement_timeout, prepare_statements=prepare_statements)


def prepared(engine: sa.Engine) -> sa.Engine:
    """Set up the connections of an engine for the store, and return the engine."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def own(engine: sa.Engine, statement_timeout: float, *, prepare_statements: bool | None = None) -> sa.Engine:
    """Set up an engine that only the store uses, with a timeout for statements, and return the engine.

    Args:
        engine: An engine without connections.
        statement_timeout: Largest number of seconds for one statement or for the wait for one lock.
        prepare_statements: True to let PostgreSQL prepare the hot statements, and to change settings of the session.
            None means True, unless a connection pooler is in front of the server.
    """
    if engine.dialect.driver == "psycopg":
        engine.dialect.use_insertmanyvalues_wo_returning = True  # inserts many rows with one statement
        event.listen(engine, "connect", _postgresql_preparer(prepare_statements=prepare_statements))
        event.listen(engine, "begin", _begin_postgresql)
        event.listen(engine, "reset", _reset_postgresql)
        if not engine.dialect.is_async:
            event.listen(engine, "do_connect", _connect_psycopg)
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
        # after the table has grown. Only hot statements are prepared, because their plans suit tables of any size.
        options["connect_args"]["prepare_threshold"] = _NEVER
        # The connections commit each statement, unless `_begin_postgresql` begins a transaction.
        options |= {"isolation_level": "AUTOCOMMIT", "execution_options": {_COMMITS: True}}
        options["pool_reset_on_return"] = None  # `_reset_postgresql` resets
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


def _connect_psycopg(_: object, __: object, arguments: Any, options: Any) -> Any:
    """Return a connection that stops waiting for the server in time, and sends statements together."""
    from scimkit.stores.sql.psycopg_connections import SyncConnection

    return SyncConnection.connect(*arguments, **options)


async def awaited_connection(*arguments: Any, **options: Any) -> Any:
    """Return an async connection that does the same."""
    from scimkit.stores.sql.psycopg_connections import AwaitedConnection

    return await AwaitedConnection.connect(*arguments, **options)


def _postgresql_preparer(*, prepare_statements: bool | None) -> Callable[[Any, Any], None]:
    """Return a function that sets up a new connection of PostgreSQL."""

    def prepare(connection: Any, record: Any) -> None:
        from scimkit.stores.sql.psycopg_connections import send_together

        cursor = connection.cursor()
        own_session = prepare_statements
        if own_session is None:
            # A pooler gives its clients a number of its own for the process of the server.
            cursor.execute("SELECT pg_backend_pid()")
            own_session = cursor.fetchone()[0] == record.driver_connection.info.backend_pid
        record.info[PREPARES] = own_session
        if own_session:
            for name, value in (_SETTINGS | _SETTINGS_FOR_PREPARED).items():
                cursor.execute(f"SELECT set_config(name, '{value}', false) FROM pg_settings WHERE name = '{name}'")
            send_together(record.driver_connection)
        else:
            share_session(record.info)
            record.driver_connection.prepare_threshold = None
        cursor.close()
        connection.commit()

    return prepare


def _begin_sqlite(connection: sa.Connection) -> None:
    """Begin a transaction on SQLite. Transactions that write take the lock at their beginning."""
    reads = outside_transaction(connection)
    milliseconds = None if reads else busy_timeout(connection)
    if milliseconds is not None:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {milliseconds}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: sa.Connection) -> None:
    """Begin a transaction on a connection of PostgreSQL that commits each statement, except for reads.

    In a session that other clients share, reads have a transaction too, because settings end with it.
    """
    options = connection.get_execution_options()
    commits = _COMMITS in options and "isolation_level" not in options  # the application may choose AUTOCOMMIT itself
    if not commits:
        return
    if shares_session(connection):
        settings = [*transaction_settings(connection), *(f"SET LOCAL {name} = {_SETTINGS[name]}" for name in _SETTINGS)]
        run_command(connection, "; ".join([BEGIN, *settings]))  # one message to the server
    elif not outside_transaction(connection):
        begin_with_next(connection)


def _reset_postgresql(connection: Any, record: Any, state: PoolResetState) -> None:
    """End the transaction of a connection that returns to its pool, if one is open. Most connections have none."""
    if not state.terminate_only and has_transaction(record.driver_connection):
        connection.rollback()


class NeedsTransaction(Exception):
    """A write that began without a transaction cannot end without one, because another write came between."""


@dataclass(slots=True)
class Attempts:
    """Counts the attempts of a transaction and decides about the next attempt.

    `deadline` is a time of `time.monotonic()` until which the transaction is repeated. Without a deadline there are at
    most `ATTEMPTS` attempts. A transaction sets `committing` directly before COMMIT.
    """

    deadline: float | None = None
    committing: bool = False
    number: int = 0

    def failed(self, error: DBAPIError | PoolTimeout | OutcomeUnknown | Interfered) -> float:
        """Return the seconds to wait before the next attempt, if the failed attempt changed nothing.

        A connection lost during COMMIT is not retried, because the outcome is unknown. A statement that exceeded its
        timeout is not retried either.

        Raises:
            ScimError: Errors of this kind are not retried; see `scimkit.stores.database_error_kinds`.
            Unavailable: The deadline leaves no time for another attempt.
        """
        if isinstance(error, PoolTimeout):
            raise exhausted() from None
        if isinstance(error, OutcomeUnknown):
            raise unavailable(error.error.orig) from None
        if isinstance(error, Interfered):
            return self._next_attempt(error)
        broken = error.connection_invalidated or (is_kind(error.orig, "connection") and codes_of(error.orig))
        if is_kind(error.orig, "timeout"):
            again = False
        else:
            is_unlucky = lost(error.orig) or is_kind(error.orig, ("not-ready", "not-prepared"))
            again = is_unlucky or (bool(broken) and not self.committing)
        if not again and kind_of(error.orig).answer is not Unavailable:
            raise answer_to(error.orig) from None
        if not again:
            raise unavailable(error.orig) from None
        return self._next_attempt(error.orig)

    def _next_attempt(self, cause: BaseException | None) -> float:
        """Return the seconds to wait before the next attempt. Raises Unavailable if there is no time for one."""
        seconds = pause(self.number)
        self.number += 1
        over = self.number == ATTEMPTS if self.deadline is None else time.monotonic() + seconds >= self.deadline
        if over:
            raise unavailable(cause) from None
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
        except (DBAPIError, PoolTimeout, OutcomeUnknown, Interfered) as error:
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


def after_check(check: TokenCheck | None, work: Work[Result]) -> Work[Result]:
    """Return work that makes the check of a token first, if the check is pending."""
    if check is None or not check.is_pending:
        return work

    def run(connection: sa.Connection) -> Result:
        if isinstance(work, HotRead):
            result: Result = work(connection, check)
            return result
        make_check(connection, check)
        return work(connection)

    return run


def reading(engine: sa.Engine) -> dict[str, Any]:
    """Return the execution options of a connection that begins no transaction.

    PostgreSQL reads without a transaction, which saves two messages to the server. An engine of the application whose
    execution options name an isolation level has a transaction for every access.
    """
    options, chosen = {OUTSIDE_TRANSACTION: True}, engine.get_execution_options()
    if engine.dialect.name != "postgresql" or _COMMITS in chosen or "isolation_level" in chosen:
        return options
    return options | {"isolation_level": "AUTOCOMMIT"}


@dataclass(frozen=True, slots=True)
class Transactions:
    """Runs work once, on a connection of an engine. The async store calls the same methods in a greenlet."""

    engine: sa.Engine
    options: dict[str, Any]

    @classmethod
    def on(cls, engine: sa.Engine) -> Transactions:
        """Return the transactions on an engine."""
        return cls(engine, reading(engine))

    @property
    def are_optional(self) -> bool:
        """True if a write that takes one statement needs no transaction."""
        has_level = "isolation_level" in self.engine.get_execution_options()
        return takes_single_statements(self.engine.dialect) and not has_level

    @property
    def direct(self) -> DirectReads | None:
        """The direct reads on the engine; None for another database or driver, or if the engine sets its isolation."""
        options = self.engine.get_execution_options()
        if not takes_single_statements(self.engine.dialect) or "isolation_level" in options:
            return None
        return DirectReads(self.engine, commits=_COMMITS in options)

    def read(self, work: Work[Result], deadline: float | None) -> Result:
        """Run work that only reads."""
        with self.engine.connect().execution_options(**self.options) as connection, bounded(connection, deadline):
            if shares_session(connection):
                connection.begin()
            return work(connection)

    def write(self, work: Work[Result], attempts: Attempts, *, takes_long: bool) -> Result:
        """Run work in a transaction."""
        with self.engine.connect() as connection:
            return transact(connection, work, attempts, takes_long=takes_long)

    def write_once(self, work: Work[Result], deadline: float | None) -> Result:
        """Run work that writes with one statement, without a transaction.

        Raises:
            NeedsTransaction: Another write came between, the server may have ended the connection, or other clients
                share the session.
        """
        with self.engine.connect().execution_options(**self.options) as connection, bounded(connection, deadline):
            if shares_session(connection) or has_unread_message(connection):
                raise NeedsTransaction
            return work(connection)


class Database:
    """Runs work in transactions on an engine."""

    connection: None = None

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._transactions = Transactions.on(engine)
        self._direct = self._transactions.direct

    def read(self, work: Work[Result], deadline: float | None = None, check: TokenCheck | None = None) -> Result:
        """Run work that only reads, and return its result.

        Args:
            work: A function of a connection.
            deadline: Time of `time.monotonic()` by which the work must end.
            check: The check of a token that comes first.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
            TokenChanged: The token is not the one of the check.
        """
        if self._direct is not None and isinstance(work, HotRead):
            direct, hot = self._direct, work
            rows = insisted(lambda _: direct.rows(hot, deadline, check), deadline)
            if rows is not None:
                try:
                    result: Result = hot.result(rows)
                    return result
                except NeedsMore:
                    work = hot.otherwise
        checked = after_check(check, work)
        return insisted(lambda _: self._transactions.read(checked, deadline), deadline)

    def write(
        self,
        work: Work[Result],
        deadline: float | None = None,
        *,
        takes_long: bool = False,
        once: bool = False,
        guarded: bool = False,
    ) -> Result:
        """Run work in a transaction, and return its result. The transaction is repeated as `insisted` does.

        Args:
            work: A function of a connection.
            deadline: Time of `time.monotonic()` by which the work must end.
            takes_long: Lift the timeout of statements, for migrations.
            once: The work writes with one statement, so PostgreSQL needs no transaction for it.
            guarded: That statement inserts nothing, instead of failing, if a unique value is taken. Within another
                transaction, it then needs no savepoint.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """
        if once and self._transactions.are_optional:
            with suppress(NeedsTransaction):
                return insisted(lambda _: self._transactions.write_once(work, deadline), deadline)
        return insisted(lambda attempts: self._transactions.write(work, attempts, takes_long=takes_long), deadline)


class Joined:
    """Runs work in a transaction that is already open. A failed write undoes only itself."""

    def __init__(self, connection: sa.Connection, *, savepoints: bool = True) -> None:
        self.connection = connection
        self._savepoints = savepoints

    def read(self, work: Work[Result], deadline: float | None = None, check: TokenCheck | None = None) -> Result:
        """Run work that only reads. Errors are handled by the code that began the transaction."""
        return after_check(check, work)(self.connection)

    def write(
        self,
        work: Work[Result],
        deadline: float | None = None,
        *,
        takes_long: bool = False,
        once: bool = False,
        guarded: bool = False,
    ) -> Result:
        """Run work in a savepoint, or without one if savepoints are off.

        A single statement of PostgreSQL inserts nothing instead of failing, so it needs no savepoint. Errors and
        repetition are handled by the code that began the transaction.
        """
        is_guarded = once and guarded and takes_single_statements(self.connection.dialect)
        if not self._savepoints or is_guarded:
            return work(self.connection)
        with self.connection.begin_nested():
            return work(self.connection)
