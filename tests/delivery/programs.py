"""The writers and the workers that `tests.delivery.killed` kills. Each prints when it is ready."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import Any

from scimkit import GROUP, USER, Query, ScimService, Scope, TokenRegistry, run_sync
from scimkit.delivery import deliver
from scimkit.events import Refused, ResourceEvent, ResourceUpdated, Transaction, in_transaction
from scimkit.events.serialization import event_to_json
from scimkit.service.http import Request
from scimkit.stores.sql import SqlStore
from tests.client import BASE_URL, PATCH_OP

LEASE = 3.0
UNDONE = "undone"
"""The title of the writes that a listener undoes."""


class Provider:
    """Sends requests to a service over a store with an outbox."""

    def __init__(self, url: str, tenant: str) -> None:
        self.store = SqlStore(url, upgrade=False, outbox=True)
        tokens = TokenRegistry()
        self._token = tokens.issue("killed", tenant=tenant).token
        self._service = ScimService(self.store, tokens=tokens, listeners=[in_transaction(ResourceUpdated, _undo)])

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Return the parsed response, or None."""
        headers = {"authorization": f"Bearer {self._token}"}
        content = b"" if body is None else json.dumps(body).encode()
        response = run_sync(self._service.handle(Request(method, path, "", headers, content, BASE_URL)))
        return json.loads(response.body) if response.body else None

    def patch(self, path: str, *operations: dict[str, Any]) -> None:
        """Send a PATCH."""
        self.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)})


def _undo(event: ResourceUpdated, transaction: Transaction) -> None:
    """Undo a write with a certain title."""
    if event.document.get("title") == UNDONE:
        raise Refused("undone")


def write(url: str, tenant: str) -> None:
    """Write without end: set titles, undo some writes, add and remove members, create and delete other users."""
    provider = Provider(url, tenant)
    users = [each["id"] for each in provider.store.search(Scope(tenant), Query(USER)).documents]
    [team] = [each["id"] for each in provider.store.search(Scope(tenant), Query(GROUP)).documents]
    print("ready", flush=True)
    while True:
        user, other = random.choice(users), random.choice(users)
        title = UNDONE if random.random() < 0.3 else os.urandom(6).hex()
        provider.patch(f"/Users/{user}", {"op": "replace", "path": "title", "value": title})
        provider.patch(f"/Groups/{team}", {"op": "add", "path": "members", "value": [{"value": user}]})
        provider.patch(f"/Groups/{team}", {"op": "remove", "path": f'members[value eq "{other}"]'})
        made = provider.send("POST", "/Users", {"schemas": [USER.schema], "userName": os.urandom(8).hex()})
        if made and "id" in made and random.random() < 0.5:
            provider.send("DELETE", f"/Users/{made['id']}")


def appending(path: str) -> Callable[[ResourceEvent], None]:
    """Return a handler that appends events to a file, each in one system call."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def handler(event: ResourceEvent) -> None:
        os.write(file, json.dumps(event_to_json(event)).encode() + b"\n")

    return handler


def work(url: str, path: str) -> None:
    """Deliver without end."""
    store = SqlStore(url, upgrade=False, outbox=True)
    assert store.outbox is not None
    print("ready", flush=True)
    deliver(store.outbox, appending(path), lease=LEASE, poll=0.05)
