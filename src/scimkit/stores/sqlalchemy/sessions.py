"""Transactions of sessions, for the mapped store.

A function of a session is called "work". This module contains no rule of SCIM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.exc import DBAPIError

from scimkit.stores.database_error_kinds import UnsupportedCharacter, is_kind
from scimkit.stores.mapped.collations import COLLATION_QUERY, CollationCheck
from scimkit.stores.sql.database import Attempts, Result, insisted
from scimkit.stores.sqlalchemy.connections import Connections, ConnectionWork, begin_sqlite

SessionWork: TypeAlias = Callable[[orm.Session], Result]


class Sessions:
    """Runs work in transactions, with sessions of the application's sessionmaker.

    The sessions do not flush automatically, because an instance may be only partly written.

    Args:
        maker: The sessionmaker of the application.
    """

    session: None = None

    def __init__(self, maker: orm.sessionmaker[Any]) -> None:
        self._maker = maker
        self._connections = Connections(maker.kw)

    @property
    def engine(self) -> sa.Engine | None:
        """The engine of the sessions, or None if they have no engine."""
        bind = self._maker.kw.get("bind")
        return bind if isinstance(bind, sa.Engine) else None

    def read_connection(self, work: ConnectionWork[Result], deadline: float | None = None) -> Result:
        """Run work that only reads on a connection of the engine, and return its result.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """
        return insisted(lambda _: self._connections.read(work), deadline)

    def write_connection(
        self, work: ConnectionWork[Result], deadline: float | None = None, *, writes_once: bool
    ) -> Result:
        """Run work in a transaction on a connection of the engine, as `Connections.write` does.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """
        return insisted(lambda attempts: self._connections.write(work, attempts, writes_once=writes_once), deadline)

    def read(self, work: SessionWork[Result], deadline: float | None = None) -> Result:
        """Run work that only reads, and return its result.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """

        def transaction(_: Attempts) -> Result:
            with self._maker(autoflush=False) as session:
                begin(session, "BEGIN", scimkit_reads=True)
                return work(session)

        return insisted(transaction, deadline)

    def write(self, work: SessionWork[Result], deadline: float | None = None) -> Result:
        """Run work in a transaction, and return its result. The transaction is repeated as `insisted` does.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """

        def transaction(attempts: Attempts) -> Result:
            with self._maker(autoflush=False) as session, session.begin():
                begin(session, "BEGIN IMMEDIATE")
                result = work(session)
                session.flush()
                attempts.committing = True
                return result

        return insisted(transaction, deadline)


class JoinedSession:
    """Runs work in a transaction that is already open. A failed write undoes only itself."""

    engine: None = None

    def __init__(self, session: orm.Session, *, savepoints: bool = True) -> None:
        self.session = session
        self._savepoints = savepoints

    def read_connection(self, work: ConnectionWork[Result], deadline: float | None = None) -> Result:
        """Run work that only reads on the connection of the session, as `read` does."""
        return self.read(lambda session: work(session.connection(), session))

    def write_connection(
        self, work: ConnectionWork[Result], deadline: float | None = None, *, writes_once: bool
    ) -> Result:
        """Run work on the connection of the session, as `write` does."""
        return self.write(lambda session: work(session.connection(), session))

    def read(self, work: SessionWork[Result], deadline: float | None = None) -> Result:
        """Run work that only reads. Errors are handled by the code that began the transaction."""
        with comparisons_translated():
            return work(self.session)

    def write(self, work: SessionWork[Result], deadline: float | None = None) -> Result:
        """Run work in a savepoint, or without one if savepoints are off.

        Errors and repetition are handled by the code that began the transaction.
        """
        with comparisons_translated(), self.session.begin_nested() if self._savepoints else nullcontext():
            return work(self.session)


@contextmanager
def comparisons_translated() -> Iterator[None]:
    """Raise `UnsupportedCharacter` if a text has characters that the compared column cannot contain."""
    try:
        yield
    except DBAPIError as error:
        if is_kind(error.orig, "charset"):
            raise UnsupportedCharacter() from None
        raise


def check_collations(check: CollationCheck, connection: sa.Connection) -> None:
    """Warn of collations that ignore case or accents, on MariaDB and MySQL."""
    if check.is_done:
        return
    query = sa.text(COLLATION_QUERY.format(":schema", ":table", ":column"))
    check.run(
        connection.dialect.name in ("mysql", "mariadb"),
        lambda place: connection.scalar(query, dict(zip(("schema", "table", "column"), place, strict=True))),
    )


def begin(session: orm.Session, /, statement: str, **options: Any) -> None:
    """Begin a transaction on the session's database."""
    begin_sqlite(session.connection(execution_options=options), statement)
