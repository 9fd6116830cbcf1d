"""Bounds of the statements of a request on a connection of Django's. This module knows no SCIM.

The connection is the host's: its own timeouts come back afterward, and shorter ones stay in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Final

from django.db import Error

from scimkit.errors import Unavailable

_STEPS: Final = 20_000
"""Instructions of SQLite's virtual machine between two looks at the clock."""

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
"""Statements that bound later statements by a number of milliseconds, unless they are bounded by fewer already."""
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
    """Bound all statements on a connection by a deadline, a reading of `time.monotonic()`.

    PostgreSQL needs `bounded_transaction` within a transaction too.

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
    """Bound the statements of the present transaction of PostgreSQL by a deadline.

    The timeout ends with the transaction, so that a pooler such as PgBouncer gives it to nobody else. It is restored
    before if the transaction is one of the host's.
    """
    if deadline is None or connection.vendor != "postgresql":
        yield
        return
    old = _asked(connection, _SET_LOCAL.format(max(int((deadline - monotonic()) * 1000), 1)))
    yield
    if is_hosts:
        _asked(connection, _RESTORE_LOCAL.format(old))


@contextmanager
def _limited_server(connection: Any, _: float, milliseconds: int) -> Iterator[None]:
    name = "mariadb" if getattr(connection, "mysql_is_mariadb", False) else connection.vendor
    if name not in _SET:
        yield
        return
    _asked(connection, _SET[name].format(milliseconds))
    driver_connection = connection.connection
    try:
        yield
    finally:
        if connection.connection is driver_connection:
            with suppress(Error):  # the connection broke
                _asked(connection, _RESTORE[name])


@contextmanager
def _limited_sqlite(connection: Any, deadline: float, milliseconds: int) -> Iterator[None]:
    old = int(_asked(connection, "PRAGMA busy_timeout"))
    _asked(connection, f"PRAGMA busy_timeout = {min(old, milliseconds)}")
    driver_connection = connection.connection
    driver_connection.set_progress_handler(lambda: monotonic() > deadline, _STEPS)
    try:
        yield
    finally:
        if connection.connection is driver_connection:
            driver_connection.set_progress_handler(None, 0)
            _asked(connection, f"PRAGMA busy_timeout = {old}")


def _asked(connection: Any, statement: str) -> Any:
    """Run a statement on the driver's connection, past the host's wrappers, and return the first value of its row."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return None if row is None else row[0]
        finally:
            cursor.close()
