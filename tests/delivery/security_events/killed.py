"""A process that writes, sends the first tokens, and kills itself before the outbox knows of them.

python -m tests.delivery.security_events.killed DATABASE RECEIVER JWK
"""

from __future__ import annotations

import json
import os
import signal
import sys

from scimkit.delivery import deliver
from scimkit.delivery.security_events import EventEnqueuer, EventPush, SecurityEventIssuer
from scimkit.events import ResourceEvent
from scimkit.stores.sql import SqlPollQueue, SqlStore
from tests.client import Client
from tests.delivery.security_events.streams import ISSUER, LOCAL, stream

LEASE = 0.2


def main(database: str, receiver: str, jwk: str) -> None:
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


if __name__ == "__main__":
    main(*sys.argv[1:])
