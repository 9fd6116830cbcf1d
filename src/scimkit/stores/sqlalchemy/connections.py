"""Transactions of connections, for calls of the mapped store that need no session.

A function of a connection and of the session that the connection belongs to, or None, is called "work". This module
contains no rule of SCIM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.sql.database import Attempts, Result

ConnectionWork: TypeAlias = Callable[[sa.Connection, orm.Session | None], Result]


@dataclass(frozen=True, slots=True)
class _Engines:
    """An engine, with other options for reads and for statements without a transaction."""

    usual: sa.Engine
    reading: sa.Engine
    without_transaction: sa.Engine

    @property
    def need_no_transaction(self) -> bool:
        """True if a single statement may run without a transaction, which saves two messages to the server.

        This is so on PostgreSQL, unless the application chose another isolation level or listens to the beginning of
        transactions. The level is known after the first connection.
        """
        engine = self.usual
        return (
            engine.dialect.name == "postgresql"
            and getattr(engine.dialect, "default_isolation_level", None) == "READ COMMITTED"
            and "isolation_level" not in engine.get_execution_options()
            and not engine.dispatch.begin
        )


class Connections:
    """Runs work in transactions on connections of the application's engine.

    The code is synchronous. The async store runs it in a greenlet.

    Args:
        options: The options of the application's sessionmaker. `bind` is the engine, which may change.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._known: _Engines | None = None

    @property
    def _engines(self) -> _Engines:
        """The engine of the application, with its options for reads and for single statements."""
        engine = engine_of(self._options)
        assert engine is not None
        if self._known is None or self._known.usual is not engine:
            single = engine.execution_options(isolation_level="AUTOCOMMIT")
            self._known = _Engines(engine, engine.execution_options(scimkit_reads=True), single)
        return self._known

    def read(self, work: ConnectionWork[Result]) -> Result:
        """Run work that only reads, and return its result."""
        engines = self._engines
        with (engines.without_transaction if engines.need_no_transaction else engines.reading).connect() as connection:
            begin_sqlite(connection, "BEGIN")
            return work(connection, None)

    def write(self, work: ConnectionWork[Result], attempts: Attempts, *, writes_once: bool) -> Result:
        """Run work in a transaction, and return its result.

        Args:
            work: The work.
            attempts: The attempts of the transaction.
            writes_once: True if at most one statement of the work writes.
        """
        engines = self._engines
        if writes_once and engines.need_no_transaction:
            attempts.committing = True
            with engines.without_transaction.connect() as connection:
                return work(connection, None)
        with engines.usual.begin() as connection:
            begin_sqlite(connection, "BEGIN IMMEDIATE")
            result = work(connection, None)
            attempts.committing = True
            return result


def engine_of(options: Mapping[str, Any]) -> sa.Engine | None:
    """Return the synchronous engine of a sessionmaker's options, or None if there is no engine."""
    bind = options.get("bind")
    engine = getattr(bind, "sync_engine", bind)  # an AsyncEngine has a synchronous engine
    return engine if isinstance(engine, sa.Engine) else None


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
