"""Statements that nearly every request runs, executed without the execution layer of SQLAlchemy.

SQLAlchemy compiles each statement once for a dialect. The text then goes straight to the cursor of the driver, with a
sync or an async engine. Rows contain the values of the driver, so columns of type `Exact` are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from select import POLLIN, poll
from typing import Any, Final, NoReturn, TypeAlias
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from scimkit.stores.sql.tables import Exact
from scimkit.stores.sql.token_access import TokenAccess
from scimkit.tokens import TokenCheck

Row: TypeAlias = Sequence[Any]

PREPARES: Final = "scimkit_prepares"
"""Key in the `info` of a connection: whether the server prepares hot statements. Without it, the driver decides."""

OUTSIDE_TRANSACTION: Final = "scimkit_reads"
"""Execution option of a connection that begins no transaction: for reads, and for writes of one statement."""


def outside_transaction(connection: sa.Connection) -> bool:
    """Report whether a connection is used without a transaction."""
    return bool(connection.get_execution_options().get(OUTSIDE_TRANSACTION))


def takes_single_statements(dialect: sa.Dialect) -> bool:
    """Report whether a write may be a single statement: with PostgreSQL and psycopg, whose arrays are texts."""
    return dialect.name == "postgresql" and dialect.driver == "psycopg"


def has_unread_message(connection: sa.Connection) -> bool:
    """Report whether the server sent a message while a connection was not in use, such as the end of the connection."""
    found = poll()
    found.register(connection.connection.driver_connection.fileno(), POLLIN)  # type: ignore[union-attr]
    return bool(found.poll(0))


class OutcomeUnknown(Exception):
    """A connection was lost while a single statement wrote outside a transaction, so the write may be done."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__("The outcome of a statement is unknown")
        self.error: DBAPIError = error
        """The error of the lost connection."""


class Interfered(Exception):
    """Another transaction took a unique value at the same moment, so the whole transaction begins again."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A statement as text for one dialect, with the names and the constant values of its parameters."""

    sql: str
    constants: Mapping[str, Any]
    texts: tuple[str, ...]
    order: Sequence[str] | None

    @classmethod
    def of(cls, statement: Any, dialect: sa.Dialect) -> _Text:
        """Compile a statement for a dialect."""
        compiled = statement.compile(dialect=dialect)
        exact = {name for bind, name in compiled.bind_names.items() if isinstance(bind.type, Exact)}
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        constants = {name: value.encode() if name in exact else value for name, value in constants.items()}
        return cls(str(compiled), constants, tuple(exact - constants.keys()), compiled.positiontup)

    def arguments(self, parameters: Mapping[str, Any]) -> Any:
        """Return the parameters in the form that the driver expects."""
        values = {**self.constants, **parameters}
        for name in self.texts:
            values[name] = values[name].encode()
        return values if self.order is None else tuple([values[name] for name in self.order])


class HotStatement:
    """A statement that returns rows and whose text never changes.

    Args:
        statement: The statement, built with SQLAlchemy and without parameters that expand.
        writes: True if the statement writes. A lost connection then leaves its outcome unknown outside a transaction.
        prepare: True if a plan for empty tables is as good for large tables, so that PostgreSQL may keep the plan.
        binary: True if PostgreSQL sends values in its binary format. psycopg turns binary values of a type that it does
            not know into bytes.
    """

    __slots__ = ("_binary", "_checked", "_texts", "_writes", "may_prepare", "statement")

    def __init__(self, statement: Any, *, writes: bool = False, prepare: bool = True, binary: bool = True) -> None:
        self.statement: Any = statement
        """The statement of SQLAlchemy."""
        self._writes = writes
        self._binary = binary
        self.may_prepare: bool = prepare
        """True if PostgreSQL may keep the plan."""
        self._texts: WeakKeyDictionary[sa.Dialect, _Text] = WeakKeyDictionary()
        self._checked: WeakKeyDictionary[TokenAccess, HotStatement] = WeakKeyDictionary()

    def rows(
        self, connection: sa.Connection, parameters: Mapping[str, Any], check: TokenCheck | None = None
    ) -> Sequence[Row]:
        """Run the statement and return all rows.

        Args:
            connection: A connection.
            parameters: The parameters of the statement.
            check: The check of a token, for a statement that reads. With PostgreSQL, the statement makes the check.

        Raises:
            DBAPIError: The statement failed.
            OutcomeUnknown: The connection was lost while the statement wrote outside a transaction.
            TokenChanged: The token is not the one of the check. No row was read.
        """
        if check is not None and check.is_pending:
            if connection.dialect.name != "postgresql":
                make_check(connection, check)
                return self.rows(connection, parameters)
            checked, more = self.with_check(check)
            return rows_after_check(checked.rows(connection, {**parameters, **more}), check)
        sql, arguments = self.text(connection.dialect, parameters)
        try:
            if _is_observed(connection):
                return connection.exec_driver_sql(sql, arguments).all()
            return _run(connection, sql, arguments, prepare=self.may_prepare, binary=self._binary)
        except DBAPIError as error:
            if self._writes and error.connection_invalidated and outside_transaction(connection):
                raise OutcomeUnknown(error) from None
            raise

    def with_check(self, check: TokenCheck) -> tuple[HotStatement, Mapping[str, Any]]:
        """Return the statement with the check of a token, and the parameters of the check.

        The rows have two more columns at the end, which `rows_after_check` reads. If the token is not the same,
        PostgreSQL does not run the statement.
        """
        access: TokenAccess = check.store.access
        found = self._checked.get(access)
        if found is None:
            token = sa.select(access.is_same.label("is_same")).subquery("token")
            read = self.statement.add_columns(sa.true().label("is_row")).lateral("read")
            both = sa.select(*read.c, token.c.is_same).select_from(token.outerjoin(read, token.c.is_same))
            found = HotStatement(both, prepare=self.may_prepare, binary=self._binary)
            self._checked[access] = found
        return found, access.parameters(check.record)

    def text(self, dialect: sa.Dialect, parameters: Mapping[str, Any]) -> tuple[str, Any]:
        """Return the statement as text for a dialect, and the parameters in the form that the driver expects."""
        text = self._texts.get(dialect)
        if text is None:
            text = self._texts[dialect] = _Text.of(self.statement, dialect)
        return text.sql, text.arguments(parameters)


def rows_after_check(rows: Sequence[Row], check: TokenCheck | None) -> Sequence[Row]:
    """Settle a check with the rows of a statement that contains it, and return the rows of the statement itself.

    Without a check that is pending, these are all rows.

    Raises:
        TokenChanged: The token is not the one of the check.
    """
    if check is None or not check.is_pending:
        return rows
    check.settle(rows[0][-1])
    return rows if rows[0][-2] else ()


_CHECKS: Final[WeakKeyDictionary[TokenAccess, HotStatement]] = WeakKeyDictionary()


def make_check(connection: sa.Connection, check: TokenCheck | None) -> None:
    """Make the check of a token with a statement of its own, if the check is pending.

    Raises:
        DBAPIError: The statement failed.
        TokenChanged: The token is not the one of the check.
    """
    if check is None or not check.is_pending:
        return
    access: TokenAccess = check.store.access
    statement = _CHECKS.get(access)
    if statement is None:
        statement = _CHECKS[access] = HotStatement(sa.select(access.is_same))
    check.settle(bool(statement.rows(connection, access.parameters(check.record))[0][0]))


def _is_observed(connection: sa.Connection) -> bool:
    """Report whether the application listens to statements, or logs them."""
    heard = connection.engine.dispatch
    if heard.before_cursor_execute or heard.after_cursor_execute or connection._echo:
        return True
    if not connection._has_events:
        return False
    heard = connection.dispatch  # an attribute creates objects, so a connection without listeners is not asked
    return bool(heard.before_cursor_execute or heard.after_cursor_execute)


def run_command(connection: sa.Connection, sql: str) -> None:
    """Run a statement of PostgreSQL that returns nothing, with psycopg.

    Raises:
        DBAPIError: The statement failed.
    """
    if _is_observed(connection):
        connection.exec_driver_sql(sql)
        return
    driver: Any = connection.connection.driver_connection
    try:
        if connection.dialect.is_async:
            await_only(driver.execute(sql))
        else:
            driver.execute(sql)
    except BaseException as error:
        _fail(connection, error, sql, None, None)


def _run(connection: sa.Connection, sql: str, arguments: Any, *, prepare: bool, binary: bool) -> Sequence[Row]:
    """Run a statement on the cursor of the driver."""
    dialect, pooled = connection.dialect, connection.connection
    cursor: Any = None
    try:
        if dialect.driver == "psycopg":
            driver: Any = pooled.driver_connection
            may = pooled.info.get(PREPARES) if prepare else False
            if dialect.is_async:
                return await_only(_fetch(driver, sql, arguments, may, binary))
            cursor = driver.cursor(binary=binary)
            rows: Sequence[Row] = cursor.execute(sql, arguments, prepare=may).fetchall()
            return rows
        cursor = pooled.cursor()
        cursor.execute(sql, arguments)
        rows = cursor.fetchall()
        cursor.close()
        return rows
    except BaseException as error:
        _fail(connection, error, sql, arguments, cursor)


async def _fetch(driver: Any, sql: str, arguments: Any, prepare: bool | None, binary: bool) -> Sequence[Row]:
    """Run a statement on an async connection of psycopg."""
    cursor = driver.cursor(binary=binary)
    await cursor.execute(sql, arguments, prepare=prepare)
    rows: Sequence[Row] = await cursor.fetchall()
    return rows


def _fail(connection: sa.Connection, error: BaseException, sql: str, arguments: Any, cursor: Any) -> NoReturn:
    """Raise the error of SQLAlchemy for an error of the driver. A connection that is lost or canceled is discarded."""
    connection._handle_dbapi_exception(error, sql, arguments, cursor, None)
