"""Stores with an outbox that nobody else uses, on each database."""

from __future__ import annotations

import atexit
import os
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.sql import AsyncSqlStore, SqlStore
from scimkit.stores.sql.tables import OUTBOX
from scimkit.stores.sqlalchemy import outbox_table
from tests.stores.databases import store_of, url_of

METADATA = sa.MetaData()
OWN_TABLE = outbox_table(METADATA, "helpdesk_outbox")
"""The table in the metadata of an application."""


@cache
def own_url(database: str) -> str:
    """Return the URL of a database that only this process uses. Other processes share the one MariaDB."""
    if database != "mysql":
        return url_of(database)
    name, engine = f"scim_outbox_{os.getpid()}", store_of(database).engine

    def execute(statement: str) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    execute(f"CREATE DATABASE {name}")
    atexit.register(execute, f"DROP DATABASE {name}")
    return engine.url.set(database=name).render_as_string(hide_password=False)


@cache
def own_engine(database: str) -> sa.Engine:
    """Return an engine for the database, with all tables of this module."""
    engine = SqlStore(own_url(database)).engine
    METADATA.create_all(engine)
    return engine


def sql_store(database: str) -> SqlStore:
    """Return a SQL store with an empty outbox."""
    store = SqlStore(own_engine(database), outbox=True)
    empty(store.engine, OUTBOX)
    return store


def async_sql_store(database: str) -> AsyncSqlStore:
    """Return an async SQL store with an empty outbox."""
    empty(own_engine(database), OUTBOX)
    return AsyncSqlStore(own_url(database), outbox=True)


def empty(engine: sa.Engine, table: sa.Table) -> None:
    """Delete all rows of an outbox."""
    with orm.Session(engine) as session, session.begin():
        session.execute(sa.delete(table))


def any_mapped(source: Any, kind: Any) -> Any:
    """Return a mapped store with the table of this module as its outbox."""
    from tests.stores.mapped.helpdesk import AGENTS, TEAMS

    return kind(source, [AGENTS, TEAMS], outbox=OWN_TABLE)
