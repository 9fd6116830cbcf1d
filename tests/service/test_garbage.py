"""A request leaves nothing for the garbage collection, whose pauses would delay other requests.

An object that refers to itself, even through others, stays in memory until a collection. Collections of the oldest
objects take tens of milliseconds in a large application.
"""

from __future__ import annotations

import atexit
import gc
from collections import Counter
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.events import ResourceEvent, in_transaction
from scimkit.stores.sql import SqlStore, SqlTokenStore
from tests.client import PATCH_OP, Client
from tests.stores.databases import DATABASES, apart, store_of, url_of
from tests.stores.mapped.helpdesk import AGENTS, PLAIN_AGENTS, PLAIN_TEAMS, TEAMS, account, helpdesk_of

ROUNDS = 20


def service_with(store: Any, **options: Any) -> Client:
    client = Client(store)
    client.service = ScimService(store, tokens=client.tokens, **options)
    return client


@cache
def _logged_store(database: str) -> SqlStore:
    store = SqlStore(url_of(database), provisioning_log=True)
    atexit.register(store.engine.dispose)
    return store


def logged(database: str) -> Client:
    """A client of a service with a provisioning log and a listener, whose tokens are in the database too."""
    store = _logged_store(database)
    client = Client()
    client.tokens = TokenRegistry(SqlTokenStore(store.engine))
    client.token = client.tokens.issue("test", tenant=account()).token
    listeners = [in_transaction(ResourceEvent, lambda event, transaction: None)]
    client.service = ScimService(store, tokens=client.tokens, listeners=listeners)
    return client


CLIENTS: dict[str, Any] = {
    "memory": lambda database: Client(MemoryStore()),
    "tables of scimkit": lambda database: Client(apart(database)),
    "log and listener": logged,
    "records": lambda database: Client(helpdesk_of(database, (PLAIN_AGENTS, PLAIN_TEAMS)), tenant=account()),
    "instances": lambda database: Client(helpdesk_of(database, (AGENTS, TEAMS)), tenant=account()),
}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("kind", CLIENTS)
def test_a_request_leaves_no_garbage(kind: str, database: str) -> None:
    """No object of scimkit waits for a collection after a request that reads or writes."""
    store_of(database)
    client = CLIENTS[kind](database)
    id = client.user(f"ada-{kind}")
    name = iter(range(10 * ROUNDS))

    def rounds(count: int) -> None:
        for number in range(count):
            assert client.get(f"/Users/{id}").status == 200
            assert client.get(f'/Users?filter=userName eq "ada-{kind}"').body["totalResults"] == 1
            assert client.get("/Users?count=3").status == 200
            patch = {"op": "replace", "path": "active", "value": bool(number % 2)}
            answer = client.send("PATCH", f"/Users/{id}", {"schemas": [PATCH_OP], "Operations": [patch]})
            assert answer.status == 200
            made = client.user(f"{kind}-{next(name)}")
            assert client.send("DELETE", f"/Users/{made}").status == 204

    rounds(3)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        rounds(ROUNDS)
        gc.collect()
        # SQLAlchemy creates cycles in its expressions, which some requests to own tables build.
        own = [type(each) for each in gc.garbage if not isinstance(each, sa.ClauseElement)]
        left = Counter(f"{each.__module__}.{each.__qualname__}" for each in own)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert [each for each, count in left.items() if each.startswith("scimkit.") and count >= ROUNDS] == []
