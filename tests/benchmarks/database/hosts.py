"""Hosts with scimkit, as an application would write them, for `tests.benchmarks.database.served`.

The environment variable `BENCHMARK_URL` has the URL of the database.
"""

from __future__ import annotations

import os
from typing import Final

from scimkit import ScimService
from scimkit.asgi import ScimApp
from scimkit.events import ResourceEvent, in_transaction
from scimkit.stores.sql import AsyncSqlStore, AsyncSqlTokenStore, SqlStore, SqlTokenStore
from scimkit.tokens import AsyncTokenRegistry, TokenRegistry

_LISTENERS: Final = [in_transaction(ResourceEvent, lambda event, transaction: None)]


def sync_host() -> ScimApp:
    """Return a host with `SqlStore`, whose requests run in threads."""
    store = SqlStore(os.environ["BENCHMARK_URL"], upgrade=False)
    return ScimApp(ScimService(store, tokens=TokenRegistry(SqlTokenStore(store.engine))))


def logged_host() -> ScimApp:
    """Return a host with `SqlStore`, whose writes have an entry in the provisioning log and a listener."""
    store = SqlStore(os.environ["BENCHMARK_URL"], upgrade=False, provisioning_log=True)
    return ScimApp(ScimService(store, tokens=TokenRegistry(SqlTokenStore(store.engine)), listeners=_LISTENERS))


def async_host() -> ScimApp:
    """Return a host with `AsyncSqlStore`, whose requests run on the event loop."""
    store = AsyncSqlStore(os.environ["BENCHMARK_URL"])
    return ScimApp(ScimService(store, tokens=AsyncTokenRegistry(AsyncSqlTokenStore(store.engine))))


def logged_async_host() -> ScimApp:
    """Return the same host, whose writes have an entry in the provisioning log and a listener."""
    store = AsyncSqlStore(os.environ["BENCHMARK_URL"], provisioning_log=True)
    tokens = AsyncTokenRegistry(AsyncSqlTokenStore(store.engine))
    return ScimApp(ScimService(store, tokens=tokens, listeners=_LISTENERS))
