"""Engines and transactions: what each database needs to be told, what is tried again, what its errors become.

A piece of work is a function of a connection. This module knows no SCIM.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from scimkit.errors import Conflict
from scimkit.stores.databases import ATTEMPTS, lost, pause, unavailable

Result = TypeVar("Result")
Work: TypeAlias = Callable[[sa.Connection], Result]

DRIVERS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql",
                   "mariadb": "mysql+pymysql"}  # fmt: skip
_NOT_READY: Final = frozenset({1047})
"""A Galera node that is not part of its cluster, for now."""


def sync_engine(url: str) -> sa.Engine:
    """An engine for `sqlite:///FILE`, `postgresql+psycopg://...` or `mysql+pymysql://...`.

    Raises: ValueError for another database.
    """
    parsed = with_driver(url, DRIVERS)
    return own(sa.create_engine(parsed, **engine_options(parsed)))


def prepared(engine: sa.Engine) -> sa.Engine:
    """The engine, its connections told what the store needs of them."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def own(engine: sa.Engine) -> sa.Engine:
    """As `prepared`, for an engine that nobody else uses."""
    if engine.dialect.driver == "psycopg":
        engine.dialect.use_insertmanyvalues_wo_returning = True  # rows in one statement, not a statement a row
        event.listen(engine, "connect", _prepare_postgresql)
    return prepared(engine)


def with_driver(url: str, drivers: dict[str, str]) -> sa.URL:
    """The URL with the driver of its database. Raises: ValueError for another database."""
    parsed = sa.make_url(url)
    if parsed.drivername in ("sqlite", "postgresql", "mysql", "mariadb") or parsed.drivername in DRIVERS.values():
        parsed = parsed.set(drivername=drivers[parsed.get_backend_name()])
    if parsed.get_backend_name() not in DRIVERS:
        raise ValueError("the store takes sqlite:///FILE, postgresql+psycopg://... and mysql+pymysql://...")
    return parsed


def engine_options(url: sa.URL) -> dict[str, Any]:
    """What an engine for the URL is made with."""
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 30}}
    options: dict[str, Any] = {"isolation_level": "READ COMMITTED", "pool_size": 10}
    if url.get_backend_name() in ("mysql", "mariadb"):
        options["connect_args"] = {"charset": "utf8mb4"}
    elif url.drivername == DRIVERS["postgresql"]:
        # PostgreSQL keeps the plan of a prepared statement, and one made while a table was small reads all of it
        # for ever. It is also what a pooler between needs.
        options["connect_args"] = {"prepare_threshold": None}
    return options


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Leave transactions to `_begin_sqlite`; let readers go on while one writes."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_postgresql(connection: Any, _: object) -> None:
    """Compile no plan to machine code: where statistics are missing, it takes longer than all that is asked here."""
    cursor = connection.cursor()
    cursor.execute("SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'jit'")
    cursor.close()
    connection.commit()


def _begin_sqlite(connection: sa.Connection) -> None:
    reads = connection.get_execution_options().get("scimkit_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@dataclass(slots=True)
class Attempts:
    """How often a transaction was tried. It `reads` when it changes nothing, and says when it is `committing`."""

    reads: bool = False
    committing: bool = False
    number: int = 0

    def failed(self, error: DBAPIError) -> float:
        """Seconds to wait for the next attempt: the database did nothing.

        When a connection breaks at the commit, no one knows. Raises: what a client is told otherwise.
        """
        number = error.orig.args[0] if error.orig is not None and error.orig.args else None
        broken = error.connection_invalidated and not self.committing
        self.number += 1
        if self.number == ATTEMPTS or not (lost(error.orig) or broken or number in _NOT_READY):
            raise (Conflict() if lost(error.orig) and not self.reads else unavailable(error.orig)) from None
        self.committing = False
        return pause(self.number - 1)


def insisted(transaction: Callable[[Attempts], Result], *, reads: bool = False) -> Result:
    """The result of a transaction, tried again when another one was in its way or its connection was gone.

    Raises: Conflict when that went on too long, Unavailable.
    """
    attempts = Attempts(reads)
    while True:
        try:
            return transaction(attempts)
        except DBAPIError as error:
            seconds = attempts.failed(error)
        time.sleep(seconds)


def reading(dialect: str) -> dict[str, Any]:
    """Options of a connection that only reads. PostgreSQL needs no transaction for that, and is spared two messages."""
    return {"scimkit_reads": True} | ({"isolation_level": "AUTOCOMMIT"} if dialect == "postgresql" else {})


class Database:
    """Runs work in transactions on an engine."""

    connection: None = None

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def read(self, work: Work[Result]) -> Result:
        """The result of work that only reads. Raises: Unavailable."""
        options = reading(self.engine.dialect.name)

        def transaction(_: Attempts) -> Result:
            with self.engine.connect().execution_options(**options) as connection:
                return work(connection)

        return insisted(transaction, reads=True)

    def write(self, work: Work[Result]) -> Result:
        """The result of work, all of it committed or none; tried again as `insisted` does.

        Raises: Conflict when that went on too long, Unavailable.
        """

        def transaction(attempts: Attempts) -> Result:
            with self.engine.begin() as connection:
                result = work(connection)
                attempts.committing = True
            return result

        return insisted(transaction)


class Joined:
    """Runs work within a transaction that is open already; a write that fails leaves what was done before."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def read(self, work: Work[Result]) -> Result:
        """As `Database.read`; the transaction answers for failures."""
        return work(self.connection)

    def write(self, work: Work[Result]) -> Result:
        """As `Database.write`; the transaction answers for failures, and is what is tried again."""
        with self.connection.begin_nested():
            return work(self.connection)
