"""Transactions of connections, for calls of the mapped store that need no session.

A function of a connection and of the session that the connection belongs to, or None, is called "work". This module
contains no rule of SCIM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.sql.database import Attempts, Result, reading

ConnectionWork: TypeAlias = Callable[[sa.Connection, orm.Session | None], Result]


class Connections:
    """Runs work in transactions on connections of the application's engine.

    The code is synchronous. The async store runs it in a greenlet.

    Args:
        engine: The engine of the application.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._plain_readers = engine.execution_options(scimkit_reads=True)
        self._readers: sa.Engine | None = None

    def read(self, work: ConnectionWork[Result]) -> Result:
        """Run work that only reads, and return its result."""
        with self._reading_engine().connect() as connection:
            begin_sqlite(connection, "BEGIN")
            return work(connection, None)

    def write(self, work: ConnectionWork[Result], attempts: Attempts) -> Result:
        """Run work in a transaction, and return its result."""
        with self._engine.begin() as connection:
            begin_sqlite(connection, "BEGIN IMMEDIATE")
            result = work(connection, None)
            attempts.committing = True
            return result

    def _reading_engine(self) -> sa.Engine:
        """Return the engine for reads.

        PostgreSQL reads without a transaction, unless the application chose another isolation level or listens to the
        beginning of transactions. The level is known after the first connection.
        """
        if self._readers is None:
            level = getattr(self._engine.dialect, "default_isolation_level", None)
            if level is None:
                return self._plain_readers
            chosen = self._engine.get_execution_options().get("isolation_level")
            is_usual = level == "READ COMMITTED" and chosen is None
            options = reading(self._engine.dialect.name) if is_usual else {}
            self._readers = self._plain_readers.execution_options(**options)
        return self._plain_readers if self._engine.dispatch.begin else self._readers


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
