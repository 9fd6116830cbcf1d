"""Reads of one hot statement on a connection of psycopg, without a connection of SQLAlchemy.

Of an awaited read, only the pool needs a greenlet. Every unusual case takes the usual way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.util import greenlet_spawn

from scimkit.errors import Unavailable
from scimkit.stores.sql.hot_statements import (
    PREPARES,
    HotStatement,
    Row,
    awaited_rows,
    make_check,
    outside_transaction,
    rows_after_check,
    rows_of,
)
from scimkit.stores.sql.timeouts import is_bound_by, listen_until
from scimkit.tokens import TokenCheck

Result = TypeVar("Result")


class NeedsMore(Exception):
    """The rows of one statement are not enough for the result of a read."""


@dataclass(frozen=True, slots=True)
class HotRead(Generic[Result]):
    """Work that reads, whose usual case is one hot statement of PostgreSQL.

    Args:
        statement: The hot statement.
        parameters: The parameters of the statement.
        result: Returns the result for the rows of the statement, or raises `NeedsMore`.
        otherwise: The same work with other statements, for other databases and for results that need more rows.
        in_transaction: The work within a transaction of PostgreSQL; None for the statement itself.
    """

    statement: HotStatement
    parameters: Mapping[str, Any]
    result: Callable[[Sequence[Row]], Result]
    otherwise: Callable[[sa.Connection], Result]
    in_transaction: Callable[[sa.Connection], Result] | None = None

    def __call__(self, connection: sa.Connection, check: TokenCheck | None = None) -> Result:
        """Do the work on a connection of SQLAlchemy, and make the check of a token first."""
        if connection.dialect.name == "postgresql":
            if self.in_transaction is not None and not outside_transaction(connection):
                return self.in_transaction(connection)
            with suppress(NeedsMore):
                return self.result(self.statement.rows(connection, self.parameters, check))
        else:
            make_check(connection, check)
        return self.otherwise(connection)


class DirectReads:
    """Runs hot reads on the connections in the pool of an engine.

    Each method returns None instead of rows if the read must take the usual way.

    Args:
        engine: An engine of PostgreSQL with psycopg.
        commits: True for an engine of scimkit, whose connections commit each statement. The connections of other
            engines do so during the read only.
    """

    __slots__ = ("_commits", "_engine")

    def __init__(self, engine: sa.Engine, *, commits: bool) -> None:
        self._engine: Final = engine
        self._commits: Final = commits

    def rows(self, work: HotRead[Any], deadline: float | None, check: TokenCheck | None = None) -> Sequence[Row] | None:
        """Return the rows of a hot read.

        Args:
            work: The hot read.
            deadline: Time of `time.monotonic()` by which the database must answer; None means no deadline.
            check: The check of a token that the statement makes too.

        Raises:
            DBAPIError: The statement failed.
            Unavailable: The deadline has passed.
            TokenChanged: The token is not the one of the check.
        """
        if self._is_observed():
            return None
        pooled = self._connect()
        try:
            if not self._is_usual(pooled, deadline):
                pooled._checkin(transaction_was_reset=True)
                return None
            driver: Any = pooled.driver_connection
            if not self._commits:
                driver.set_autocommit(True)
            listen_until(driver, deadline)
            rows = rows_of(pooled, self._engine.dialect, *work.statement.with_check(work.parameters, check))
            listen_until(driver, None)
            if not self._commits:
                driver.set_autocommit(False)
        except BaseException as error:
            self._fail(pooled, error)
            raise
        pooled._checkin(transaction_was_reset=True)  # without a rollback, because no transaction began
        return rows_after_check(rows, check)

    async def awaited_rows(
        self, work: HotRead[Any], deadline: float | None, check: TokenCheck | None = None
    ) -> Sequence[Row] | None:
        """Return the rows of a hot read, as `rows` does."""
        if self._is_observed():
            return None
        pooled = await greenlet_spawn(self._connect)
        try:
            if not self._is_usual(pooled, deadline):
                pooled._checkin(transaction_was_reset=True)
                return None
            driver: Any = pooled.driver_connection
            if not self._commits:
                await driver.set_autocommit(True)
            listen_until(driver, deadline)
            rows = await awaited_rows(pooled, self._engine.dialect, *work.statement.with_check(work.parameters, check))
            listen_until(driver, None)
            if not self._commits:
                await driver.set_autocommit(False)
        except BaseException as error:
            await greenlet_spawn(self._fail, pooled, error)
            raise
        pooled._checkin(transaction_was_reset=True)  # without a rollback, because no transaction began
        return rows_after_check(rows, check)

    def _connect(self) -> Any:
        """Return a connection of the pool. Raises DBAPIError if the server refuses a new one."""
        dialect = self._engine.dialect
        try:
            return self._engine.pool.connect()
        except dialect.loaded_dbapi.Error as error:
            sa.Connection._handle_dbapi_exception_noconnection(error, dialect, self._engine)

    def _is_observed(self) -> bool:
        """Report whether the application listens to connections or statements, or logs them."""
        heard = self._engine.dispatch
        return bool(
            heard.engine_connect or heard.before_cursor_execute or heard.after_cursor_execute or self._engine.echo
        )

    def _is_usual(self, pooled: Any, deadline: float | None) -> bool:
        """Report whether a connection has a session of its own, and its timeout ends before the deadline.

        Raises:
            Unavailable: The deadline has passed.
        """
        left = None if deadline is None else deadline - monotonic()
        if left is not None and left <= 0:
            raise Unavailable
        if not self._commits:
            return True  # an application's engine keeps its own timeouts
        return bool(pooled.info.get(PREPARES)) and (left is None or is_bound_by(pooled.info, left))

    def _fail(self, pooled: Any, error: BaseException) -> None:
        """Discard a connection after a failure, and raise the error of SQLAlchemy for an error of the driver.

        A lost connection means that the older connections of the pool are lost too, as after a restart of the server.
        """
        if isinstance(error, Unavailable):
            pooled.close()
            return
        dialect = self._engine.dialect
        is_lost = isinstance(error, dialect.loaded_dbapi.Error) and dialect.is_disconnect(
            error, pooled.dbapi_connection, None
        )
        if is_lost:
            self._engine.pool._invalidate(pooled, error)
        if pooled.is_valid:
            pooled.invalidate(error)
        if isinstance(error, dialect.loaded_dbapi.Error):
            sa.Connection._handle_dbapi_exception_noconnection(error, dialect, self._engine, is_lost)
