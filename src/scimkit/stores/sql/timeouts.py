"""Limits for every wait in a database: connections, locks and statements.

Each connection of an engine that scimkit created has a timeout for statements. A request with enough time left
therefore needs no extra message to the server. A transaction with less time left sets a shorter timeout. If a pooler
shares the sessions of the server among clients, each transaction sets its own timeout, which ends with the transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool

from scimkit.errors import Unavailable

STATEMENT_TIMEOUT: Final = 5.0
"""Default of the largest number of seconds for one statement or for the wait for one lock."""
CONNECT_TIMEOUT: Final = 5
"""Largest number of seconds to wait for a new connection."""
POOL_TIMEOUT: Final = 2.0
"""Largest number of seconds to wait for a connection of the pool, unless the deadline of the request is earlier."""

_PATIENCE: Final = 10.0
"""Seconds that an access without a scope may take: to a token, an entry of the outbox, or the state of a breaker."""
_READ_TIMEOUT: Final = 20
_GRACE: Final = 0.5
"""Seconds that a server has to report a canceled statement. After that, the server counts as unreachable."""
_LIMIT: Final = "scimkit_statement_timeout"
_NEXT_LIMIT: Final = "scimkit_next_statement_timeout"
_IS_SHARED: Final = "scimkit_session_is_shared"
_UNTIL: Final = "scimkit_until"
_POOL_DEADLINE: Final[ContextVar[float | None]] = ContextVar("scimkit_pool_deadline", default=None)
_STEPS: Final = 20_000
"""Number of instructions of SQLite's virtual machine between two checks of the time."""


def soon() -> float:
    """Return the deadline of an access to the database that belongs to no request, such as that of a token."""
    return monotonic() + _PATIENCE


class BoundedPool(QueuePool):
    """A pool of connections that cuts the wait for a connection at the deadline of the request.

    SQLAlchemy has one timeout for all waits of a pool. This pool computes the timeout anew for each wait.
    """

    _sqla_logger_namespace = "sqlalchemy.pool.BoundedPool"  # messages belong to SQLAlchemy, and not to scimkit

    @property
    def _timeout(self) -> float:
        """The seconds to wait now: the timeout of the pool, or the time left before the deadline."""
        until = _POOL_DEADLINE.get()
        return self._longest if until is None else min(self._longest, max(until - monotonic(), 0.0))

    @_timeout.setter
    def _timeout(self, seconds: float) -> None:
        self._longest = seconds


class AsyncBoundedPool(BoundedPool, AsyncAdaptedQueuePool):
    """A `BoundedPool` for an async engine."""

    _sqla_logger_namespace = "sqlalchemy.pool.AsyncBoundedPool"


@contextmanager
def pool_deadline(deadline: float | None) -> Iterator[None]:
    """Cut waits for a connection of a `BoundedPool` at a deadline, a time of `time.monotonic()`."""
    if deadline is None or deadline - monotonic() > POOL_TIMEOUT:
        yield
        return
    token = _POOL_DEADLINE.set(deadline)
    try:
        yield
    finally:
        _POOL_DEADLINE.reset(token)


def connect_options(url: sa.URL) -> dict[str, Any]:
    """Return arguments of the driver that limit the wait for a new connection and for a host that does not answer."""
    driver = url.get_driver_name()
    if driver == "psycopg":
        return {"connect_timeout": CONNECT_TIMEOUT, "keepalives_idle": 5, "keepalives_interval": 2,
                "keepalives_count": 3, "tcp_user_timeout": 10_000}  # fmt: skip
    if driver == "pymysql":
        return {"connect_timeout": CONNECT_TIMEOUT, "read_timeout": _READ_TIMEOUT, "write_timeout": _READ_TIMEOUT}
    if driver == "asyncmy":
        return {"connect_timeout": CONNECT_TIMEOUT}
    return {}


def bound_statements(engine: sa.Engine, seconds: float) -> None:
    """Set a timeout for statements and locks on every connection of an engine that scimkit created."""

    def bound(dbapi_connection: Any, record: Any) -> None:
        record.info[_LIMIT] = seconds
        if engine.dialect.name == "sqlite":
            _watch(dbapi_connection, record.info)
            return
        if record.info.get(_IS_SHARED):
            return
        cursor = dbapi_connection.cursor()
        for statement in _statements(engine.dialect, seconds):
            cursor.execute(statement)
        cursor.close()
        if engine.dialect.name == "postgresql":
            dbapi_connection.commit()

    event.listen(engine, "connect", bound)


def is_bound_by(info: dict[Any, Any], seconds: float) -> bool:
    """Report whether the timeout for the statements of a connection is no longer than some seconds."""
    limit: float | None = info.get(_LIMIT)
    return limit is not None and limit <= seconds


def share_session(info: dict[Any, Any]) -> None:
    """Mark a connection whose session of the server may serve other clients after each transaction."""
    info[_IS_SHARED] = True


def shares_session(connection: sa.Connection) -> bool:
    """Report whether a connection changes no setting of its session, so that each access needs a transaction."""
    return _IS_SHARED in connection.info


def transaction_settings(connection: sa.Connection) -> list[str]:
    """Return the statements that set the timeouts of one transaction of PostgreSQL."""
    info: dict[Any, Any] = connection.info
    seconds = info.get(_NEXT_LIMIT, info[_LIMIT])
    return [each.replace("SET ", "SET LOCAL ", 1) for each in _statements(connection.dialect, seconds)]


@contextmanager
def bounded(connection: sa.Connection, deadline: float | None) -> Iterator[None]:
    """Limit the statements on a connection by a deadline, a time of `time.monotonic()`.

    Connections of an application's engine keep their timeouts.

    Raises:
        Unavailable: The deadline has passed.
    """
    left = None if deadline is None else deadline - monotonic()
    if left is not None and left <= 0:
        raise Unavailable()
    limit = connection.info.get(_LIMIT)
    if limit is None:
        yield
        return
    if connection.dialect.name == "sqlite":
        connection.info[_UNTIL] = monotonic() + min(limit, left or limit)
        try:
            yield
        finally:
            connection.info[_UNTIL] = None
        return
    dbapi_connection = connection.connection.dbapi_connection
    listen_until(dbapi_connection, deadline)
    try:
        if left is None or left >= limit:
            yield
            return
        with _other_timeouts(connection, left, limit):
            yield
    finally:
        listen_until(dbapi_connection, None)  # later users of the connection have deadlines of their own, or none


def listen_until(dbapi_connection: Any, deadline: float | None) -> None:
    """Set the time at which a blocking driver stops waiting for a server that does not answer."""
    connection = getattr(dbapi_connection, "driver_connection", dbapi_connection)
    if hasattr(connection, "listens_until"):
        connection.listens_until = None if deadline is None else deadline + _GRACE
    elif hasattr(dbapi_connection, "_read_timeout"):  # PyMySQL reads this value before each read of its socket
        left = _READ_TIMEOUT if deadline is None else min(deadline - monotonic() + _GRACE, _READ_TIMEOUT)
        dbapi_connection._read_timeout = left


@contextmanager
def unbounded(connection: sa.Connection) -> Iterator[None]:
    """Lift the timeout of statements on a connection, for migrations."""
    limit = connection.info.get(_LIMIT)
    if limit is None or connection.dialect.name == "sqlite":
        yield
        return
    with _other_timeouts(connection, 0, limit):
        yield


@contextmanager
def _other_timeouts(connection: sa.Connection, seconds: float, usual: float) -> Iterator[None]:
    """Set the timeouts of a session, and restore the usual timeouts at the end. 0 seconds mean no timeout.

    If the session is shared, the timeouts apply to the transactions that begin within the block.
    """
    if shares_session(connection):
        info = connection.info
        info[_NEXT_LIMIT] = seconds
        try:
            yield
        finally:
            info.pop(_NEXT_LIMIT, None)  # a connection that was lost has forgotten everything
        return
    for statement in _statements(connection.dialect, seconds):
        connection.exec_driver_sql(statement)
    try:
        yield
    finally:
        if not connection.closed and not connection.invalidated:
            _restore(connection, usual)


def busy_timeout(connection: sa.Connection) -> int | None:
    """Return the milliseconds that SQLite may wait for a lock; None keeps the timeout of the driver."""
    until = connection.info.get(_UNTIL)
    return None if until is None else max(int((until - monotonic()) * 1000), 0)


def _restore(connection: sa.Connection, seconds: float) -> None:
    """Restore the usual timeouts of a connection. A connection that fails to do so is not used again."""
    try:
        for statement in _statements(connection.dialect, seconds):
            connection.exec_driver_sql(statement)
        if connection.in_transaction():
            connection.commit()
    except DBAPIError:
        connection.invalidate()


def _statements(dialect: Any, seconds: float) -> list[str]:
    """Return the statements that set the timeouts of a session; 0 seconds means no timeout."""
    if dialect.name == "postgresql":
        milliseconds = max(int(seconds * 1000), 1) if seconds else 0
        return [f"SET statement_timeout = {milliseconds}", f"SET lock_timeout = {milliseconds}"]
    lock = f"SET SESSION innodb_lock_wait_timeout = {max(int(seconds), 1) if seconds else 3600}"
    if getattr(dialect, "is_mariadb", False):
        return [f"SET SESSION max_statement_time = {max(seconds, 0.001) if seconds else 0:.3f}", lock]
    return [f"SET SESSION max_execution_time = {max(int(seconds * 1000), 1) if seconds else 0}", lock]


def _watch(dbapi_connection: Any, info: dict[Any, Any]) -> None:
    """Make SQLite check the time while a statement runs, and cancel the statement after its deadline."""

    def is_over() -> bool:
        until = info.get(_UNTIL)
        return until is not None and monotonic() > until

    if hasattr(dbapi_connection, "run_async"):
        dbapi_connection.run_async(lambda connection: connection.set_progress_handler(is_over, _STEPS))
    else:
        dbapi_connection.set_progress_handler(is_over, _STEPS)
