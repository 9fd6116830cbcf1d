"""The example of the documentation carries events from a SCIM request to a pushed and a polled receiver."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import KeySet

from scimkit.stores.sql import SqlPollQueue
from scimkit.testing.server import running
from tests.client import Client
from tests.delivery.receiver import receiving
from tests.delivery.security_events.streams import LOCAL, PREFIX

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
SECRET = "k7Qm2Vx0" * 4


def example_of(name: str) -> dict[str, Any]:
    """Run a file of the documentation, and return its names."""
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def example(name: str) -> dict[str, Any]:
    """Run a file of the example with streams, and return its names."""
    return example_of(f"security_events{name}")


def test_the_example_sends_and_receives() -> None:
    """One receiver is pushed the values, and the other one polls the names. Each handles a token once."""
    declared, receiver = example(""), example("_receiver")
    store, issuer = declared["store"], declared["issuer"]
    client = Client(store, tenant="acme")
    ada = client.user("ada", userType="employee")
    client.user("eve", userType="guest")
    queue = SqlPollQueue(store.engine)
    with receiving() as pushed:
        run = example("_worker")["run_worker"]
        assert run(store.outbox, queue, issuer, declared["siem"], declared["payroll"], pushed.url, **LOCAL) == 2
    with running(example("_poll")["poll_app"](queue, issuer, declared["payroll"], [SECRET])) as url:
        keys = KeySet.import_key_set(httpx.get(f"{url}/jwks.json").json())
        polled = httpx.post(f"{url}/payroll", json={}, headers={"authorization": f"Bearer {SECRET}"}).json()["sets"]
    iss = "https://help.example.org/scim/v2"
    claims = [
        receiver["receive"](body.decode(), keys, iss, "https://siem.example.com") for _, _, body in pushed.requests
    ]
    data = [each["events"][f"{PREFIX}prov:create:full"]["data"]["userName"] for each in claims]
    assert sorted(data) == ["ada", "eve"]
    [token] = polled.values()
    claim = receiver["receive"](token, keys, iss, "https://payroll.example.com")
    assert claim["sub_id"]["uri"] == f"/Users/{ada}"
    assert claim["events"][f"{PREFIX}prov:create:notice"]["attributes"] == ["id", "userName", "userType"]
    assert receiver["receive"](token, keys, iss, "https://payroll.example.com") is None
    with pytest.raises(Exception, match="aud"):
        receiver["receive"](token, keys, iss, "https://other.example.com")
    store.engine.dispose()


def test_the_example_answers_later() -> None:
    """The service of the example accepts a bulk request, and its worker tells the outcome."""
    found = example_of("async_requests")
    client = Client(found["store"])
    client.service = found["service"]
    client.token = found["service"].tokens.issue("test").token
    creation = {"method": "POST", "path": "/Users", "bulkId": "1", "data": {"schemas": [], "userName": "ada"}}
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [creation]}
    accepted = client.post("/Bulk", body, headers={"prefer": "respond-async"})
    sent: list[Any] = []
    assert (accepted.status, found["run_worker"](sent.append)) == (202, 1)
    assert [each.txn for each in sent] == [f"{accepted.headers['Set-Txn']}:0"]
    found["store"].engine.dispose()
