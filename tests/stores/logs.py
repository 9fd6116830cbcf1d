"""Stores with a provisioning log that nobody else uses, on each database."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.sql import AsyncSqlStore, SqlStore
from scimkit.stores.sql.tables import LOG
from scimkit.stores.sqlalchemy import LogTables, provisioning_log_tables
from tests.stores.outboxes import own_engine, own_url

METADATA = sa.MetaData()
OWN_TABLES = provisioning_log_tables(METADATA, "helpdesk_log")
"""The tables in the metadata of an application."""


@cache
def own_log_engine(database: str) -> sa.Engine:
    """Return an engine for a database that only this process uses, with all tables of this module."""
    engine = own_engine(database)
    METADATA.create_all(engine)
    return engine


def sql_store(database: str) -> SqlStore:
    """Return a SQL store with an empty log."""
    store = SqlStore(own_log_engine(database), provisioning_log=True)
    empty(store.engine, LOG)
    return store


def async_sql_store(database: str) -> AsyncSqlStore:
    """Return an async SQL store with an empty log."""
    empty(own_log_engine(database), LOG)
    return AsyncSqlStore(own_url(database), provisioning_log=True)


def empty(engine: sa.Engine, tables: LogTables) -> None:
    """Delete all rows of a log."""
    with orm.Session(engine) as session, session.begin():
        session.execute(sa.delete(tables.entries))
        session.execute(sa.delete(tables.activity))


def any_mapped(source: Any, kind: Any) -> Any:
    """Return a mapped store with the tables of this module as its log."""
    from tests.stores.mapped.helpdesk import AGENTS, TEAMS

    return kind(source, [AGENTS, TEAMS], provisioning_log=OWN_TABLES)
