"""The engines with which an application reaches PgBouncer in transaction mode, as the documentation describes them.

This module contains no test.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from scimkit.stores.sql.async_store import async_engine
from scimkit.stores.sql.database import sync_engine

_ASYNCPG: Final[dict[str, Any]] = {
    "execution_options": {"isolation_level": "READ COMMITTED"},
    "connect_args": {
        "statement_cache_size": 0, "prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: "",
    },
}  # fmt: skip


@cache
def engine_of_scimkit(url: str) -> sa.Engine:
    """Return the engine that a store makes of a URL."""
    return sync_engine(url)


@cache
def engine_of_application(url: str) -> sa.Engine:
    """Return an engine with psycopg, as an application makes it."""
    return sa.create_engine(url, isolation_level="READ COMMITTED", connect_args={"prepare_threshold": None})


def psycopg_of_application(url: str) -> AsyncEngine:
    """Return an async engine with psycopg, as an application makes it."""
    return create_async_engine(url, isolation_level="READ COMMITTED", connect_args={"prepare_threshold": None})


def asyncpg_of_application(url: str) -> AsyncEngine:
    """Return an async engine with asyncpg, as an application makes it."""
    return create_async_engine(url.replace("+psycopg", "+asyncpg"), **_ASYNCPG)


ENGINES: Final[dict[str, Callable[[str], Any]]] = {
    "scimkit": engine_of_scimkit,
    "scimkit-async": async_engine,
    "psycopg": engine_of_application,
    "psycopg-async": psycopg_of_application,
    "asyncpg": asyncpg_of_application,
}
"""The engines by name. Only asyncpg leaves something in the sessions of the server: the setting `jit`."""
