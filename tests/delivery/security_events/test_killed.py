"""A process that is killed between commit and delivery loses no token, and a token that comes twice has one `jti`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from scimkit.delivery import deliver
from scimkit.delivery.security_events import EventEnqueuer, EventPush, SecurityEventIssuer, process_requests
from scimkit.events import RequestOutcome, ResourceEvent
from scimkit.stores.sql import SqlPollQueue, SqlStore
from tests.delivery.receiver import receiving
from tests.delivery.security_events import killed
from tests.delivery.security_events.streams import ISSUER, LOCAL, received, stream
from tests.oauth.issuer import key


@pytest.mark.rfc("9967-2.2-3")
def test_killed_between_commit_and_delivery(tmp_path: Path) -> None:
    """The next worker sends all tokens. The token that was sent before the kill comes again with the same `jti`."""
    database, jwk = f"sqlite:///{tmp_path / 'scim.db'}", key("set-1").as_dict(private=True)
    with receiving() as receiver:
        command = [sys.executable, "-m", killed.__name__, database, receiver.url, json.dumps(jwk)]
        assert subprocess.run(command, check=False, timeout=60).returncode == -9
        assert len(receiver.requests) == 1
        store, issuer = SqlStore(database, upgrade=False, outbox=True), SecurityEventIssuer(ISSUER, jwk)
        queue, stop = SqlPollQueue(store.engine), threading.Event()
        enqueue = EventEnqueuer(queue, issuer, [stream(id="poll")])
        with EventPush(receiver.url, issuer, stream(), **LOCAL) as push:

            def send(event: ResourceEvent) -> None:
                push(event)
                enqueue(event)
                if len(receiver.requests) == 3:
                    stop.set()

            deliver(store.outbox, send, lease=killed.LEASE, poll=0.02, stop=stop)  # type: ignore[arg-type]
        assert store.outbox is not None and store.outbox.list("pending") == []
        pushed = [received(body.decode(), issuer.jwks) for _, _, body in receiver.requests]
        assert sorted(Counter(each["jti"] for each in pushed).values()) == [1, 2]
        assert Counter(json.dumps(each) for each in pushed).most_common()[0][1] == 2
        polled = [received(each, issuer.jwks) for each in queue.first("poll", 9, 10**9).tokens.values()]
        assert {each["sub_id"]["id"] for each in polled} == {each["sub_id"]["id"] for each in pushed}
        assert len(polled) == 2
        store.engine.dispose()


def test_killed_while_an_accepted_request_is_processed(tmp_path: Path) -> None:
    """The next worker processes the request when the lease of the killed worker has ended."""
    database = f"sqlite:///{tmp_path / 'scim.db'}"
    command = [sys.executable, "-m", killed.__name__, database]
    done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    ada, txn = done.stdout.split()
    client, queue = killed.accepting(database)
    assert "title" not in client.get(f"/Users/{ada}").body
    sent, stop = list[RequestOutcome](), threading.Event()

    def send(outcome: RequestOutcome) -> None:
        sent.append(outcome)
        stop.set()

    assert process_requests(queue, client.service, send, lease=60, poll=0.02, stop=stop) == 1
    assert [(each.txn, each.payload["status"]) for each in sent] == [(txn, "200")]
    assert client.get(f"/Users/{ada}").body["title"] == "x"
    client.service.store.engine.dispose()  # type: ignore[union-attr]
