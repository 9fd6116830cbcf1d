"""Statements that nearly every request runs, executed without the execution layer of SQLAlchemy.

SQLAlchemy compiles each statement once for a dialect. The text then goes straight to the driver, with a sync or an
async engine: to the `Messages` of a connection of psycopg that scimkit made, and otherwise to a cursor. Rows contain
the values of the driver, so columns of type `Exact` are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only

from scimkit.stores.sql.tables import Exact
from scimkit.stores.sql.token_access import TokenAccess
from scimkit.tokens import TokenCheck

if TYPE_CHECKING:
    from scimkit.stores.sql.psycopg_connections import Messages, Statement

Row: TypeAlias = Sequence[Any]

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""The statement of PostgreSQL that begins a transaction."""
_PLACEHOLDER: Final = re.compile(r"%(?:\((\w+)\)s|%)")

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
    numbered: bytes
    """The text with `$1` instead of the first name, and so on, for `Messages`."""
    numbers: tuple[str, ...]
    """The names of the parameters by number."""

    @classmethod
    def of(cls, statement: Any, dialect: sa.Dialect) -> _Text:
        """Compile a statement for a dialect."""
        compiled = statement.compile(dialect=dialect)
        exact = {name for bind, name in compiled.bind_names.items() if isinstance(bind.type, Exact)}
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        constants = {name: value.encode() if name in exact else value for name, value in constants.items()}
        numbers: dict[str, int] = {}

        def number(found: re.Match[str]) -> str:
            name = found[1]
            return "%" if name is None else f"${numbers.setdefault(name, len(numbers) + 1)}"

        sql = str(compiled)
        numbered = _PLACEHOLDER.sub(number, sql).encode()
        texts = tuple(exact - constants.keys())
        return cls(sql, constants, texts, compiled.positiontup, numbered, tuple(numbers))

    def values(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters with the constants. A value of a column of type `Exact` is bytes."""
        values = {**self.constants, **parameters}
        for name in self.texts:
            values[name] = values[name].encode()
        return values

    def arguments(self, parameters: Mapping[str, Any]) -> Any:
        """Return the parameters in the form that a cursor expects."""
        values = self.values(parameters)
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

    __slots__ = ("_checked", "_texts", "_writes", "binary", "may_prepare", "statement")

    def __init__(self, statement: Any, *, writes: bool = False, prepare: bool = True, binary: bool = True) -> None:
        self.statement: Any = statement
        """The statement of SQLAlchemy."""
        self._writes = writes
        self.binary: bool = binary
        """True if PostgreSQL sends values in its binary format."""
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
            checked, values = self.with_check(parameters, check)
            return rows_after_check(checked.rows(connection, values), check)
        try:
            return _run(connection, self, parameters)
        except DBAPIError as error:
            if self._writes and error.connection_invalidated and outside_transaction(connection):
                raise OutcomeUnknown(error) from None
            raise

    def with_check(
        self, parameters: Mapping[str, Any], check: TokenCheck | None
    ) -> tuple[HotStatement, Mapping[str, Any]]:
        """Return the statement with the check of a token, and the parameters of both.

        The rows have two more columns at the end, which `rows_after_check` reads. If the token is not the same,
        PostgreSQL does not run the statement. Without a check that is pending, nothing is added.
        """
        if check is None or not check.is_pending:
            return self, parameters
        access: TokenAccess = check.store.access
        found = self._checked.get(access)
        if found is None:
            token = sa.select(access.is_same.label("is_same")).subquery("token")
            read = self.statement.add_columns(sa.true().label("is_row")).lateral("read")
            both = sa.select(*read.c, token.c.is_same).select_from(token.outerjoin(read, token.c.is_same))
            found = HotStatement(both, prepare=self.may_prepare, binary=self.binary)
            self._checked[access] = found
        return found, {**parameters, **access.parameters(check.record)}

    def add_to_next(
        self,
        connection: sa.Connection,
        parameters: Mapping[str, Any],
        verify: Callable[[Sequence[Row]], None] | None = None,
    ) -> bool:
        """Let the statement wait for the next message of the transaction, which may be COMMIT.

        Args:
            connection: A connection.
            parameters: The parameters of the statement.
            verify: Called with the rows of the statement. After COMMIT, an error of this function undoes nothing.

        Returns:
            False if statements of this connection cannot wait, or if it has no transaction. The statement must then
            run at once.

        Raises:
            DBAPIError: A parameter has a character that PostgreSQL cannot store.
        """
        messages = _messages(connection.connection.driver_connection)
        if messages is None or outside_transaction(connection) or _is_observed(connection):
            return False
        try:
            statement = self.message(connection.dialect, parameters)
        except BaseException as error:
            _fail(connection, error, "", None, None)
        statement.verify = verify
        messages.waiting.append(statement)
        return True

    def run_with_next(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> None:
        """Run the statement together with the next message of the transaction, or at once if it cannot wait.

        Raises:
            DBAPIError: The statement failed.
        """
        if not self.add_to_next(connection, parameters):
            self.rows(connection, parameters)

    def text(self, dialect: sa.Dialect, parameters: Mapping[str, Any]) -> tuple[str, Any]:
        """Return the statement as text for a dialect, and the parameters in the form that a cursor expects."""
        text = self._text(dialect)
        return text.sql, text.arguments(parameters)

    def message(self, dialect: sa.Dialect, parameters: Mapping[str, Any]) -> Statement:
        """Return the statement for the `Messages` of a connection of psycopg.

        Raises:
            DataError: A parameter has a character that PostgreSQL cannot store.
        """
        from scimkit.stores.sql.psycopg_connections import Statement

        text = self._text(dialect)
        named = text.values(parameters)
        values = [named[name] for name in text.numbers]
        return Statement(text.numbered, values, prepare=self.may_prepare, binary=self.binary)

    def _text(self, dialect: sa.Dialect) -> _Text:
        """Return the statement as text for a dialect."""
        text = self._texts.get(dialect)
        if text is None:
            text = self._texts[dialect] = _Text.of(self.statement, dialect)
        return text


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


def _run(connection: sa.Connection, statement: HotStatement, parameters: Mapping[str, Any]) -> Sequence[Row]:
    """Run a statement, and return its rows."""
    dialect = connection.dialect
    if _is_observed(connection):
        return connection.exec_driver_sql(*statement.text(dialect, parameters)).all()
    pooled = connection.connection
    cursor: Any = None
    try:
        if dialect.driver == "psycopg":
            if dialect.is_async:
                rows: Sequence[Row] = await_only(awaited_rows(pooled, dialect, statement, parameters))
                return rows
            return rows_of(pooled, dialect, statement, parameters)
        cursor = pooled.cursor()
        cursor.execute(*statement.text(dialect, parameters))
        rows = cursor.fetchall()
        cursor.close()
        return rows
    except BaseException as error:
        _fail(connection, error, *statement.text(dialect, parameters), cursor)


def rows_of(pooled: Any, dialect: sa.Dialect, statement: HotStatement, parameters: Mapping[str, Any]) -> Sequence[Row]:
    """Run a statement on a pooled connection of psycopg, and return its rows.

    Raises:
        Error: The statement failed. This is an error of psycopg.
    """
    driver = pooled.driver_connection
    messages = _messages(driver)
    if messages is not None:
        rows: Sequence[Row] = driver.wait(messages.rows(statement.message(dialect, parameters)))
        return rows
    cursor = driver.cursor(binary=statement.binary)
    sql, arguments = statement.text(dialect, parameters)
    cursor.execute(sql, arguments, prepare=_may_prepare(pooled, statement))
    fetched: Sequence[Row] = cursor.fetchall()
    return fetched


async def awaited_rows(
    pooled: Any, dialect: sa.Dialect, statement: HotStatement, parameters: Mapping[str, Any]
) -> Sequence[Row]:
    """Run a statement on a pooled async connection of psycopg, as `rows_of` does."""
    driver = pooled.driver_connection
    messages = _messages(driver)
    if messages is not None:
        rows: Sequence[Row] = await driver.wait(messages.rows(statement.message(dialect, parameters)))
        return rows
    cursor = driver.cursor(binary=statement.binary)
    sql, arguments = statement.text(dialect, parameters)
    await cursor.execute(sql, arguments, prepare=_may_prepare(pooled, statement))
    fetched: Sequence[Row] = await cursor.fetchall()
    return fetched


def _may_prepare(pooled: Any, statement: HotStatement) -> bool | None:
    """Return whether the server prepares a statement, for a cursor of psycopg. None lets psycopg decide."""
    found: bool | None = pooled.info.get(PREPARES) if statement.may_prepare else False
    return found


def _messages(driver: Any) -> Messages | None:
    """Return the `Messages` of a connection of a driver; None if it sends each statement by itself."""
    found: Messages | None = getattr(driver, "scimkit_messages", None)
    return found


def begin_with_next(connection: sa.Connection) -> None:
    """Begin a transaction of PostgreSQL together with its first statement, if statements of the connection can wait.

    Raises:
        DBAPIError: The server refused to begin a transaction.
    """
    messages = None if _is_observed(connection) else _messages(connection.connection.driver_connection)
    if messages is None:
        run_command(connection, BEGIN)
    else:
        messages.begin()


def has_transaction(driver: Any) -> bool:
    """Report whether a connection of psycopg has a transaction, even if the server does not know of it yet."""
    messages = _messages(driver)
    return bool(driver.pgconn.transaction_status or (messages is not None and messages.waiting))


def _fail(connection: sa.Connection, error: BaseException, sql: str, arguments: Any, cursor: Any) -> NoReturn:
    """Raise the error of SQLAlchemy for an error of the driver. A connection that is lost or canceled is discarded."""
    connection._handle_dbapi_exception(error, sql, arguments, cursor, None)
