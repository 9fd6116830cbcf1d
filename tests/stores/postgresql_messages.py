"""What an engine sends to PostgreSQL, as libpq records it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

_SENT = re.compile(r"^F\t\d+\t(Query|Execute|Sync)\b", re.MULTILINE)


class SentMessages:
    """The messages that the connections of an engine sent to the server since the last count.

    A message is what the server answers at once, so it has one or several statements.
    """

    def __init__(self, file: Any) -> None:
        self._file = file

    def count(self) -> tuple[int, int]:
        """Return the number of messages and the number of statements, and begin to count again."""
        self._file.seek(0)
        kinds = _SENT.findall(self._file.read().decode("latin-1"))
        self._file.seek(0)
        self._file.truncate()
        statements = len(kinds) - kinds.count("Sync")
        return len(kinds) - kinds.count("Execute"), statements


@contextmanager
def sent_messages(engine: sa.Engine | AsyncEngine) -> Iterator[SentMessages]:
    """Record what the connections of an engine with psycopg send, from their next use on.

    libpq writes to the file, so nothing takes another way than without the record.
    """
    observed = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    traced: dict[int, Any] = {}
    with tempfile.TemporaryFile() as file:

        def trace(_: object, record: Any, __: object) -> None:
            connection = record.driver_connection.pgconn
            if id(connection) not in traced:
                traced[id(connection)] = connection
                connection.trace(file.fileno())
                connection.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)

        sa.event.listen(observed, "checkout", trace)
        try:
            yield SentMessages(file)
        finally:
            sa.event.remove(observed, "checkout", trace)
            for connection in traced.values():
                if connection.status == psycopg.pq.ConnStatus.OK:
                    connection.untrace()
