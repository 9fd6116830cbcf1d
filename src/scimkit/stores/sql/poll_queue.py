"""`SqlPollQueue`: the tokens that wait for polling receivers, in a table of a SQL database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import sqlalchemy as sa

from scimkit.events.outbox import milliseconds
from scimkit.events.poll_queue import QueuedTokens
from scimkit.stores.sql.breaker import insert_if_missing
from scimkit.stores.sql.database import Database
from scimkit.stores.sql.tables import POLL_QUEUE
from scimkit.stores.sql.timeouts import soon
from scimkit.uuid7 import to_milliseconds

MAX_JTI: Final = 64
"""The largest number of characters of a `jti` in the table. A longer one, or one with other characters, is unknown."""
_AT_ONCE: Final = 500
"""The largest number of tokens that one statement deletes."""


class SqlPollQueue:
    """A `PollQueue` in a SQL database, for a `SqlStore` or for tables of an application.

    Args:
        engine: A sync engine of the database.
        table: The table that `poll_queue_table` added to the metadata of an application. The default is the table that
            the migrations of `SqlStore` create.
    """

    def __init__(self, engine: sa.Engine, table: sa.Table = POLL_QUEUE) -> None:
        self._database = Database(engine)
        self._table = table

    def add(self, stream: str, jti: str, token: str) -> None:
        body = token.encode()
        row = {"stream": stream, "jti": jti, "token": body, "size": len(body), "added": milliseconds()}

        def run(connection: sa.Connection) -> None:
            connection.execute(insert_if_missing(self._table, connection.dialect.name), row)

        self._database.write(run, soon())

    def first(self, stream: str, count: int, max_bytes: int) -> QueuedTokens:
        """Return the oldest tokens of a stream. The sizes are read before the tokens."""
        columns = self._table.c
        sizes = sa.select(columns.sequence, columns.size).where(columns.stream == stream)
        sizes = sizes.order_by(columns.sequence).limit(count + 1)

        def run(connection: sa.Connection) -> QueuedTokens:
            waiting = [(row[0], row[1]) for row in connection.execute(sizes)]
            chosen = list(_fitting(waiting[:count], max_bytes))
            found = sa.select(columns.jti, columns.token).where(columns.sequence.in_(chosen))
            rows = connection.execute(found.order_by(columns.sequence)) if chosen else ()
            return QueuedTokens({row[0]: bytes(row[1]).decode() for row in rows}, len(chosen) < len(waiting))

        return self._database.read(run, soon())

    def remove(self, stream: str, jtis: Collection[str]) -> int:
        """Remove tokens in several statements, and return their number."""
        columns = self._table.c
        known = [each for each in set(jtis) if len(each) <= MAX_JTI and each.isascii() and each.isprintable()]
        total = 0
        for some in _batches(known):
            gone = sa.delete(self._table).where(columns.stream == stream, columns.jti.in_(some))
            total += self._database.write(partial(_deleted, gone), soon())
        return total

    def purge(self, stream: str, older_than: datetime) -> int:
        columns = self._table.c
        is_old = sa.and_(columns.stream == stream, columns.added < to_milliseconds(older_than))
        old = sa.select(columns.sequence).where(is_old).limit(_AT_ONCE)

        def run(connection: sa.Connection) -> int:
            found = connection.scalars(old).all()
            return _deleted(sa.delete(self._table).where(columns.sequence.in_(found)), connection) if found else 0

        total = 0
        while deleted := self._database.write(run, soon()):
            total += deleted
        return total


def _deleted(statement: sa.Delete, connection: sa.Connection) -> int:
    """Run a statement, and return the number of deleted rows."""
    return int(connection.execute(statement).rowcount)


def _fitting(waiting: Sequence[tuple[int, int]], max_bytes: int) -> Iterator[int]:
    """Yield the sequences of tokens until their size is too large. The first one is always yielded."""
    size = 0
    for number, (sequence, length) in enumerate(waiting):
        size += length
        if number and size > max_bytes:
            return
        yield sequence


def _batches(jtis: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the ids in parts that one statement can name."""
    for start in range(0, len(jtis), _AT_ONCE):
        yield jtis[start : start + _AT_ONCE]
