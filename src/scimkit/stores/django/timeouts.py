"""Limits for the statements of a request on a connection of Django.

The connection belongs to the application. Its own timeouts are restored afterward, and shorter timeouts stay in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final

from django.db import Error

from scimkit.errors import Unavailable

_STEPS: Final = 20_000
"""Number of instructions of SQLite's virtual machine between two checks of the time."""

_SET: Final = {
    "mariadb": (
        "SET @scimkit_timeout = @@SESSION.max_statement_time, SESSION max_statement_time = "
        "IF(@@SESSION.max_statement_time BETWEEN 0.001 AND {0} / 1000, @@SESSION.max_statement_time, {0} / 1000)"
    ),
    "mysql": (
        "SET @scimkit_timeout = @@SESSION.max_execution_time, SESSION max_execution_time = "
        "IF(@@SESSION.max_execution_time BETWEEN 1 AND {0}, @@SESSION.max_execution_time, {0})"
    ),
}
"""Statements that set a timeout in milliseconds for later statements, unless a shorter timeout is set."""
_SET_LOCAL: Final = (
    "SELECT old, set_config('statement_timeout', CASE WHEN old::interval > '0' AND old::interval < '{0} ms' "
    "THEN old ELSE '{0}' END, true) FROM (SELECT current_setting('statement_timeout') AS old) AS present"
)
_RESTORE_LOCAL: Final = "SELECT set_config('statement_timeout', '{0}', true)"
_RESTORE: Final = {
    "mariadb": "SET SESSION max_statement_time = @scimkit_timeout",
    "mysql": "SET SESSION max_execution_time = @scimkit_timeout",
}


@contextmanager
def bounded(connection: Any, deadline: float | None) -> Iterator[None]:
    """Limit all statements on a connection by a deadline, a time of `time.monotonic()`.

    Within a transaction of PostgreSQL, use `bounded_transaction`, too.

    Raises:
        Unavailable: The deadline has passed.
    """
    if deadline is None:
        yield
        return

    def execute(run: Callable[..., Any], *arguments: Any) -> Any:
        if monotonic() >= deadline:
            raise Unavailable()
        return run(*arguments)

    milliseconds = int((deadline - monotonic()) * 1000)
    if milliseconds <= 0:
        raise Unavailable()
    limited = _limited_sqlite if connection.vendor == "sqlite" else _limited_server
    with connection.execute_wrapper(execute), limited(connection, deadline, milliseconds):
        yield


@contextmanager
def bounded_transaction(connection: Any, deadline: float | None, *, is_hosts: bool) -> Iterator[None]:
    """Limit the statements of the present PostgreSQL transaction by a deadline.

    The timeout ends with the transaction, so that a connection pooler such as PgBouncer passes it to nobody else. In a
    transaction of the application, the old timeout is restored at the end of the block.
    """
    if deadline is None or connection.vendor != "postgresql":
        yield
        return
    old = _query_value(connection, _SET_LOCAL.format(max(int((deadline - monotonic()) * 1000), 1)))
    yield
    if is_hosts:
        _query_value(connection, _RESTORE_LOCAL.format(old))


@contextmanager
def _limited_server(connection: Any, _: float, milliseconds: int) -> Iterator[None]:
    """Limit the statements on a connection to MariaDB, MySQL or another server."""
    name = "mariadb" if getattr(connection, "mysql_is_mariadb", False) else connection.vendor
    if name not in _SET:
        yield
        return
    _query_value(connection, _SET[name].format(milliseconds))
    driver_connection = connection.connection
    try:
        yield
    finally:
        if connection.connection is driver_connection:
            with suppress(Error):  # the connection is broken
                _query_value(connection, _RESTORE[name])


@contextmanager
def _limited_sqlite(connection: Any, deadline: float, milliseconds: int) -> Iterator[None]:
    """Limit the statements and the waits for locks on a connection to SQLite."""
    old = int(_query_value(connection, "PRAGMA busy_timeout"))
    _query_value(connection, f"PRAGMA busy_timeout = {min(old, milliseconds)}")
    driver_connection = connection.connection
    driver_connection.set_progress_handler(lambda: monotonic() > deadline, _STEPS)
    try:
        yield
    finally:
        if connection.connection is driver_connection:
            driver_connection.set_progress_handler(None, 0)
            _query_value(connection, f"PRAGMA busy_timeout = {old}")


def _query_value(connection: Any, statement: str) -> Any:
    """Run a statement on the driver's connection without Django's wrappers, and return the first value of its row."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return None if row is None else row[0]
        finally:
            cursor.close()
