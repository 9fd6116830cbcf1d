"""Processes that kill themselves: between delivery and confirmation, or while they process an accepted request.

python -m tests.delivery.security_events.killed DATABASE RECEIVER JWK
python -m tests.delivery.security_events.killed DATABASE
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from scimkit.delivery import deliver
from scimkit.delivery.security_events import EventEnqueuer, EventPush, SecurityEventIssuer, process_requests
from scimkit.events import ResourceEvent, ResourceUpdated, Transaction, in_transaction
from scimkit.service import AsyncRequests
from scimkit.stores.sql import SqlPollQueue, SqlRequestQueue, SqlStore
from tests.client import Client
from tests.delivery.security_events.streams import ISSUER, LOCAL, stream

LEASE = 0.2
PREFER = {"prefer": "respond-async"}


def send_and_die(database: str, receiver: str, jwk: str) -> None:
    """Create two users, send the tokens of the first one, and end by SIGKILL."""
    store = SqlStore(database, outbox=True)
    client = Client(store)
    for name in ("ada", "bob"):
        client.user(name)
    issuer = SecurityEventIssuer(ISSUER, json.loads(jwk))
    enqueue = EventEnqueuer(SqlPollQueue(store.engine), issuer, [stream(id="poll")])
    push = EventPush(receiver, issuer, stream(), **LOCAL)

    def send(event: ResourceEvent) -> None:
        push(event)
        enqueue(event)
        os.kill(os.getpid(), signal.SIGKILL)

    deliver(store.outbox, send, lease=LEASE)  # type: ignore[arg-type]


def accepting(database: str, **options: Any) -> tuple[Client, SqlRequestQueue]:
    """Return a client of a service that accepts requests, and the queue."""
    store = SqlStore(database, outbox=True)
    queue = SqlRequestQueue(store.engine)
    return Client(store, async_requests=AsyncRequests(queue, smallest_put=1), **options), queue


def process_and_die(database: str) -> None:
    """Accept a PUT, and end by SIGKILL in the transaction of the PUT."""

    def die(event: ResourceUpdated, transaction: Transaction) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    client, queue = accepting(database, listeners=[in_transaction(ResourceUpdated, die)])
    ada = client.user("ada")
    accepted = client.put(f"/Users/{ada}", {"schemas": [], "userName": "ada", "title": "x"}, headers=PREFER)
    print(ada, accepted.headers["Set-Txn"], flush=True)
    process_requests(queue, client.service, lambda outcome: None, lease=LEASE)


if __name__ == "__main__":
    (send_and_die if len(sys.argv) > 2 else process_and_die)(*sys.argv[1:])
