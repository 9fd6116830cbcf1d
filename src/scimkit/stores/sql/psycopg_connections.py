"""Connections of psycopg that send hot statements with few messages to the server.

A cursor of psycopg takes twice the time of the statement itself, and sends a message for each statement. The
connections of this module give statements to libpq directly. A statement may also wait for the next one, so that BEGIN
and the first statement of a transaction are one message, and the last statement and COMMIT are another. Whatever else
uses the connection sends the statements that wait first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import count
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar

import psycopg
from psycopg import generators, pq
from psycopg.adapt import PyFormat, Transformer

from scimkit.stores.sql.hot_statements import BEGIN, Row

Returned = TypeVar("Returned")
Waits: TypeAlias = Generator[Any, Any, Returned]
"""A generator that a connection runs with its method `wait`. psycopg calls its own generators so, too."""

_MOST_PREPARED: Final = 200
"""Largest number of statements that one connection prepares. Every later statement is parsed each time."""
_NO_SUCH_STATEMENT: Final = "26000"
_TEXT: Final[int] = pq.Format.TEXT
_BINARY: Final[int] = pq.Format.BINARY


class Statement:
    """A statement with the values of its parameters, encoded for PostgreSQL.

    Args:
        sql: The statement, with `$1`, `$2` and so on for its parameters.
        values: The values of the parameters. The server infers the type of each parameter from the statement.
        prepare: True if the server prepares the statement.
        binary: True if the server sends values in its binary format.

    Raises:
        DataError: A text has the character NUL.
        ProgrammingError: psycopg cannot encode a value of this type.
    """

    __slots__ = ("binary", "formats", "prepare", "sql", "values", "verify")

    def __init__(self, sql: bytes, values: Sequence[Any] = (), *, prepare: bool = True, binary: bool = True) -> None:
        self.sql: bytes = sql
        self.values: list[Any] = [each if type(each) is bytes else _text(each) for each in values]
        self.formats: list[int] = [_BINARY if type(each) is bytes else _TEXT for each in values]
        self.prepare: bool = prepare
        self.binary: int = _BINARY if binary else _TEXT
        self.verify: Callable[[Sequence[Row]], None] | None = None
        """Called with the rows of a statement that waited, once the server has sent them."""


def _text(value: Any) -> Any:
    """Return a value in the text format of PostgreSQL, or None."""
    if value is None:
        return None
    if type(value) is str:
        if "\0" in value:
            raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        return value.encode()
    if type(value) is bool:
        return b"t" if value else b"f"
    if type(value) is int:
        return b"%d" % value
    return Transformer().get_dumper(value, PyFormat.TEXT).dump(value)


_BEGIN: Final = Statement(BEGIN.encode())
_COMMIT: Final = Statement(b"COMMIT")


class Messages:
    """The messages of one connection to the server. The session must belong to this connection alone.

    The methods without `Waits` send nothing.
    """

    __slots__ = ("_names", "_numbers", "_pgconn", "_values", "waiting")

    def __init__(self, connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> None:
        self._pgconn: Final = connection.pgconn
        self._values: Final = Transformer(connection)
        self._names: dict[bytes, bytes] = {}
        self._numbers: Final = count()
        self.waiting: list[Statement] = []
        """The statements that the next message sends first."""

    def begin(self) -> None:
        """Let BEGIN wait for the first statement of the transaction."""
        self.waiting.append(_BEGIN)

    def forget(self) -> None:
        """Drop the statements that wait, because their transaction is rolled back."""
        self.waiting = []

    def rows(self, statement: Statement) -> Waits[Sequence[Row]]:
        """Send the statements that wait and another one, and return the rows of the last.

        Raises:
            Error: One of the statements failed. The server ran none of the later ones.
        """
        if self.waiting:
            sent, self.waiting = [*self.waiting, statement], []
            return self._send_together(sent)
        if statement.prepare and statement.sql in self._names:
            return self._send_prepared(statement)
        return self._send_together([statement])

    def before(self, work: Waits[Returned]) -> Waits[Returned]:
        """Send the statements that wait, and then do other work on the connection."""
        sent, self.waiting = self.waiting, []
        yield from self._send_together(sent)
        return (yield from work)

    def commit(self) -> Waits[Sequence[Row]] | None:
        """Send the statements that wait, and COMMIT. None if the transaction has sent nothing, so that none began.

        Raises:
            Error: One of the statements failed. The transaction is not committed.
        """
        sent, self.waiting = self.waiting, []
        return None if sent == [_BEGIN] else self._send_together([*sent, _COMMIT])

    def _send_prepared(self, statement: Statement) -> Waits[Sequence[Row]]:
        """Send a single statement that the server has prepared."""
        pgconn = self._pgconn
        name = self._names[statement.sql]
        pgconn.send_query_prepared(name, statement.values, statement.formats, result_format=statement.binary)
        results = yield from generators.execute(pgconn)
        return self._read(results)

    def _send_together(self, statements: Sequence[Statement]) -> Waits[Sequence[Row]]:
        """Send statements in one message, and return the rows of the last. The server stops at the first error."""
        pgconn, names, fresh = self._pgconn, self._names, dict[bytes, bytes]()
        pgconn.enter_pipeline_mode()
        expected: list[Statement | bytes] = []
        for each in statements:
            name = names.get(each.sql) or fresh.get(each.sql)
            if each.prepare and name is None and len(names) + len(fresh) < _MOST_PREPARED:
                name = fresh[each.sql] = b"scimkit_%d" % next(self._numbers)
                pgconn.send_prepare(name, each.sql)
                expected.append(each.sql)
            if name is None:
                pgconn.send_query_params(each.sql, each.values, None, each.formats, each.binary)
            else:
                pgconn.send_query_prepared(name, each.values, each.formats, each.binary)
            expected.append(each)
        pgconn.pipeline_sync()
        yield from generators.send(pgconn)
        received = []
        for _ in expected:
            received.append((yield from generators.fetch_many(pgconn)))
        yield from generators.fetch_many(pgconn)  # the end of the message
        if pgconn.status == pq.ConnStatus.OK:
            pgconn.exit_pipeline_mode()
        rows: Sequence[Row] = ()
        for answered, results in zip(expected, received, strict=True):
            rows = self._read(results)
            if isinstance(answered, bytes):
                names[answered] = fresh[answered]
            elif answered.verify is not None:
                answered.verify(rows)
        return rows

    def _read(self, results: Sequence[Any]) -> Sequence[Row]:
        """Return the rows of a result, or raise the error that the server sent."""
        if not results:
            raise psycopg.OperationalError("The connection was lost")
        result = results[-1]
        status = result.status
        if status == pq.ExecStatus.TUPLES_OK:
            self._values.set_pgresult(result)
            rows: Sequence[Row] = self._values.load_rows(0, result.ntuples, tuple)
            return rows
        if status == pq.ExecStatus.COMMAND_OK:
            return ()
        error = psycopg.errors.error_from_result(result, encoding="utf-8")
        if error.sqlstate == _NO_SUCH_STATEMENT:
            self._names.clear()  # the application deallocated all statements of the session
        raise error


def _ending(work: Waits[Returned], until: float, pgconn: Any) -> Waits[Returned]:
    """Do work on a connection until a time of `time.monotonic()`, and then end the connection.

    psycopg asks ten times a second whether to wait on. Only its newest versions have a timeout, and without one they
    spend ten more seconds on canceling a statement of a server that does not answer.

    Raises:
        OperationalError: The server did not answer in time.
    """
    try:
        wanted = next(work)
        while True:
            ready = yield wanted
            if not ready and monotonic() >= until:
                pgconn.finish()
                raise psycopg.OperationalError("The server did not answer in time")
            wanted = work.send(ready)
    except StopIteration as end:
        returned: Returned = end.value
        return returned


def _completed(connection: SyncConnection | AwaitedConnection, work: Waits[Returned]) -> Waits[Returned]:
    """Return work on a connection, with the statements that wait before it and with the time at which it ends."""
    messages, until = connection.scimkit_messages, connection.listens_until
    if messages is not None and messages.waiting:
        work = messages.before(work)
    return work if until is None else _ending(work, until, connection.pgconn)


class SyncConnection(psycopg.Connection[Any]):
    """A connection of psycopg with `Messages`, and with a time at which it stops waiting for the server."""

    listens_until: float | None = None
    """Time of `time.monotonic()`; None waits without end."""
    scimkit_messages: Messages | None = None
    """The messages to the server; None if other clients share the session."""

    def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Run a generator of psycopg. The statements that wait are sent first."""
        return super().wait(_completed(self, gen), *arguments, **options)

    def commit(self) -> None:
        """Commit the transaction. The statements that wait are sent with COMMIT."""
        if self.scimkit_messages is None or not self.scimkit_messages.waiting:
            super().commit()
        elif (work := self.scimkit_messages.commit()) is not None:
            self.wait(work)

    def rollback(self) -> None:
        """Roll the transaction back. The statements that wait are not sent."""
        if self.scimkit_messages is not None:
            self.scimkit_messages.forget()
        super().rollback()


class AwaitedConnection(psycopg.AsyncConnection[Any]):
    """An async connection of psycopg that does the same as `SyncConnection`."""

    listens_until: float | None = None
    """Time of `time.monotonic()`; None waits without end."""
    scimkit_messages: Messages | None = None
    """The messages to the server; None if other clients share the session."""

    async def wait(self, gen: Any, *arguments: Any, **options: Any) -> Any:
        """Run a generator of psycopg. The statements that wait are sent first."""
        return await super().wait(_completed(self, gen), *arguments, **options)

    async def commit(self) -> None:
        """Commit the transaction. The statements that wait are sent with COMMIT."""
        if self.scimkit_messages is None or not self.scimkit_messages.waiting:
            await super().commit()
        elif (work := self.scimkit_messages.commit()) is not None:
            await self.wait(work)

    async def rollback(self) -> None:
        """Roll the transaction back. The statements that wait are not sent."""
        if self.scimkit_messages is not None:
            self.scimkit_messages.forget()
        await super().rollback()


def send_together(connection: SyncConnection | AwaitedConnection) -> None:
    """Let a connection of this module send statements together, if libpq can and texts are UTF-8.

    The session of the connection must have no other clients. psycopg itself prepares nothing then. It would remove all
    prepared statements of the session at a rollback.
    """
    if psycopg.Pipeline.is_supported() and connection.info.encoding == "utf-8":
        connection.scimkit_messages = Messages(connection)
        connection.prepare_threshold = None
