"""Transactions of connections, for calls of the mapped store that need no session.

A function of a connection and of the session that the connection belongs to, or None, is called "work". This module
contains no rule of SCIM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.sql.database import Attempts, Result

ConnectionWork: TypeAlias = Callable[[sa.Connection, orm.Session | None], Result]


class Connections:
    """Runs work in transactions on connections of the application's engine.

    The code is synchronous. The async store runs it in a greenlet.

    Args:
        engine: The engine of the application.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._readers = engine.execution_options(scimkit_reads=True)
        self._without_transaction = engine.execution_options(isolation_level="AUTOCOMMIT")

    def read(self, work: ConnectionWork[Result]) -> Result:
        """Run work that only reads, and return its result."""
        engine = self._without_transaction if self._needs_no_transaction() else self._readers
        with engine.connect() as connection:
            begin_sqlite(connection, "BEGIN")
            return work(connection, None)

    def write(self, work: ConnectionWork[Result], attempts: Attempts, *, writes_once: bool) -> Result:
        """Run work in a transaction, and return its result.

        Args:
            work: The work.
            attempts: The attempts of the transaction.
            writes_once: True if at most one statement of the work writes.
        """
        if writes_once and self._needs_no_transaction():
            attempts.committing = True
            with self._without_transaction.connect() as connection:
                return work(connection, None)
        with self._engine.begin() as connection:
            begin_sqlite(connection, "BEGIN IMMEDIATE")
            result = work(connection, None)
            attempts.committing = True
            return result

    def _needs_no_transaction(self) -> bool:
        """Report whether a statement may run without a transaction, which saves two messages to the server.

        This is so on PostgreSQL, unless the application chose another isolation level or listens to the beginning of
        transactions. The level is known after the first connection.
        """
        engine = self._engine
        return (
            engine.dialect.name == "postgresql"
            and getattr(engine.dialect, "default_isolation_level", None) == "READ COMMITTED"
            and "isolation_level" not in engine.get_execution_options()
            and not engine.dispatch.begin
        )


def begin_sqlite(connection: sa.Connection, statement: str) -> None:
    """Begin a transaction with a statement if the database is SQLite and no transaction has begun.

    The driver of SQLite begins no transaction before the first write.
    """
    if connection.dialect.name == "sqlite":
        if not connection.in_transaction():
            connection.begin()  # runs the application's listeners, which may begin the transaction of the database
        driver: Any = connection.connection.driver_connection
        if not driver.in_transaction:
            connection.exec_driver_sql(statement)
