"""The states of a breaker in a table of the database, so that all processes count together."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scimkit.events import Transaction
from scimkit.stores.breaker import BreakerState, StateChange
from scimkit.stores.sql.database import Database, Work
from scimkit.stores.sql.tables import BREAKERS
from scimkit.stores.sql.timeouts import soon


def read_state(table: sa.Table, tenant: str) -> Work[BreakerState]:
    """Return the work that reads the state of a tenant."""
    query = sa.select(table.c.state).where(table.c.tenant == tenant.encode())
    return lambda connection: BreakerState.from_text(connection.scalar(query))


def update_state(table: sa.Table, tenant: str, change: StateChange) -> Work[BreakerState]:
    """Return the work that locks the row of a tenant and changes its state."""
    key = tenant.encode()
    locked = sa.select(table.c.state).where(table.c.tenant == key).with_for_update()

    def run(connection: sa.Connection) -> BreakerState:
        dialect = connection.dialect.name
        # SQLite has no row locks: only a statement that writes takes its lock.
        text = None if dialect == "sqlite" else connection.scalar(locked)
        if text is None:
            connection.execute(insert_if_missing(table, dialect), {"tenant": key, "state": BreakerState().to_text()})
            text = connection.scalar(locked)
        before = BreakerState.from_text(text)
        after = change(before)
        if after != before:
            connection.execute(sa.update(table).where(table.c.tenant == key).values(state=after.to_text()))
        return after

    return run


@cache
def insert_if_missing(table: sa.Table, dialect: str) -> Any:
    """Return the statement that inserts a row, and does nothing if the row exists. Statements are built once."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    if dialect == "sqlite":
        return sqlite.insert(table).on_conflict_do_nothing()
    return sa.insert(table).prefix_with("IGNORE")


class SqlBreakerStore:
    """A `BreakerStore` in a SQL database, for a `SqlStore` or a `MappedStore`.

    Args:
        engine: The engine of the database.
        table: The table that `breaker_table` added to the metadata of an application. The default is the table that
            the migrations of `SqlStore` create.
    """

    is_async: Literal[False] = False

    def __init__(self, engine: sa.Engine, table: sa.Table = BREAKERS) -> None:
        self._database = Database(engine)
        self._table = table

    def read(self, tenant: str) -> BreakerState:
        return self._database.read(read_state(self._table, tenant), soon())

    def update(self, tenant: str, change: StateChange, transaction: Transaction | None = None) -> BreakerState:
        work = update_state(self._table, tenant, change)
        if transaction is None:
            return self._database.write(work, soon())
        return work(_connection(transaction))


def _connection(transaction: Transaction) -> sa.Connection:
    """Return the connection of a transaction of a `SqlStore` or a `MappedStore`."""
    session = getattr(transaction.store, "session", None)
    connection: sa.Connection = transaction.connection if session is None else session.connection()
    return connection
