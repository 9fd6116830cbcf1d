"""Sessions of the host's own sessionmaker: one transaction for a piece of work, and the next attempt when it lost.

A piece of work is a function of a session. This module knows no SCIM.
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

SessionWork: TypeAlias = Callable[[orm.Session], Result]


class Sessions:
    """Runs work in transactions of sessions that a sessionmaker makes.

    The sessions do not flush by themselves: what is half written to an instance is not for the database yet.
    """

    session: None = None

    def __init__(self, maker: orm.sessionmaker[Any]) -> None:
        self._maker = maker

    @property
    def engine(self) -> sa.Engine | None:
        """The engine that the sessions are bound to, if it is one."""
        bind = self._maker.kw.get("bind")
        return bind if isinstance(bind, sa.Engine) else None

    def read(self, work: SessionWork[Result], deadline: float | None = None) -> Result:
        """The result of work that only reads. Raises: Unavailable."""

        def transaction(_: Attempts) -> Result:
            with self._maker(autoflush=False) as session:
                begin(session, "BEGIN", scimkit_reads=True)
                return work(session)

        return insisted(transaction, deadline)

    def write(self, work: SessionWork[Result], deadline: float | None = None) -> Result:
        """The result of work, all of it committed or none; tried again as `insisted` does.

        Raises: Unavailable, by the deadline at the latest.
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
    """Runs work within a transaction that is open already; a write that fails leaves what was done before."""

    engine: None = None

    def __init__(self, session: orm.Session, *, savepoints: bool = True) -> None:
        self.session = session
        self._savepoints = savepoints

    def read(self, work: SessionWork[Result], deadline: float | None = None) -> Result:
        """As `Sessions.read`; the transaction answers for failures."""
        with comparisons_translated():
            return work(self.session)

    def write(self, work: SessionWork[Result], deadline: float | None = None) -> Result:
        """As `Sessions.write`; the transaction answers for failures, and is what is tried again."""
        with comparisons_translated(), self.session.begin_nested() if self._savepoints else nullcontext():
            return work(self.session)


@contextmanager
def comparisons_translated() -> Iterator[None]:
    """Raise UnsupportedCharacter if a text is compared with a column that does not have its characters."""
    try:
        yield
    except DBAPIError as error:
        if is_kind(error.orig, "charset"):
            raise UnsupportedCharacter() from None
        raise


def check_collations(check: CollationCheck, session: orm.Session) -> None:
    """Warn of collations that ignore case or accents, on MariaDB and MySQL."""
    connection = session.connection()
    query = sa.text(COLLATION_QUERY.format(":schema", ":table", ":column"))
    check.run(
        connection.dialect.name in ("mysql", "mariadb"),
        lambda place: connection.scalar(query, dict(zip(("schema", "table", "column"), place, strict=True))),
    )


def begin(session: orm.Session, /, statement: str, **options: Any) -> None:
    """Begin a transaction on the session's database; SQLite's driver begins none by itself before the first write."""
    connection = session.connection(execution_options=options)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite" and not driver.in_transaction:
        connection.exec_driver_sql(statement)
