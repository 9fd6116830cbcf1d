"""Bulk requests and large PUTs are accepted, kept, processed once, and answered by an event (RFC 9967)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from scimkit import Limits, MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.delivery import DeliveryFailed, RetryPolicy, deliver
from scimkit.delivery.security_events import EventEnqueuer, event_uris, process_requests
from scimkit.dialects import STRICT
from scimkit.errors import Unavailable
from scimkit.events import PendingRequest, RequestOutcome
from scimkit.service import AsyncRequests, Request, explain
from scimkit.stores.memory_poll_queue import MemoryPollQueue
from scimkit.stores.memory_request_queue import MemoryRequestQueue
from scimkit.stores.protocol import as_async_store
from scimkit.stores.sql import SqlRequestQueue, SqlStore
from scimkit.testing.server import running
from tests.client import USER, Client
from tests.delivery.security_events.streams import PREFIX, issuer, received, stream

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
ASYNC = {"prefer": "respond-async, wait=10"}
ISSUING = issuer()
STREAM = stream(id="client", async_responses=True)
URI = f"{PREFIX}misc:asyncresp"


class Accepting:
    """A client of a service that accepts requests, and a worker."""

    def __init__(self, **options: Any) -> None:
        self.queue, self.tokens = MemoryRequestQueue(), MemoryPollQueue()
        numbers = {"smallest_put": 1, "pending_per_tenant": 3, **options.pop("numbers", {})}
        accepted = AsyncRequests(self.queue, **numbers)
        self.store = MemoryStore(outbox=True)
        self.client = Client(self.store, async_requests=accepted, **options)
        self.enqueue = EventEnqueuer(self.tokens, ISSUING, [STREAM])

    def work(self, send: Any = None, **options: Any) -> int:
        """Process the accepted requests."""
        return process_requests(self.queue, self.client.service, send or self.enqueue, until_empty=True, **options)

    def claims(self) -> list[dict[str, Any]]:
        """Return the verified claims of the tokens that the client would poll."""
        tokens = self.tokens.first("client", 99, 10**9).tokens
        return [received(each, ISSUING.jwks) for each in tokens.values()]


def bulk(*operations: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return a bulk request."""
    return {"schemas": [BULK], "Operations": list(operations), **members}


def creation(name: str, **data: Any) -> dict[str, Any]:
    """Return an operation that creates a user."""
    return {"method": "POST", "path": "/Users", "bulkId": name, "data": {"schemas": [USER], "userName": name, **data}}


@pytest.mark.rfc("9967-2.5.1.1-1", "9967-2.5.1.1-2", "9967-2.5.1.1-4", "9967-2.5.1.3-1", "9967-3-1")
def test_a_put_is_accepted_and_processed_later() -> None:
    """A PUT is answered with 202 and Set-Txn. Later, its events and its outcome have that `txn`."""
    scene = Accepting(dialect=STRICT)
    ada = scene.client.user("ada")
    body = {"schemas": [USER], "userName": "ada", "title": "x"}
    accepted = scene.client.put(f"/Users/{ada}", body, headers={**ASYNC, "accept": "text/html"})
    assert (accepted.status, accepted.body) == (202, None)
    assert accepted.headers["Preference-Applied"] == "respond-async"
    assert accepted.headers["Location"].endswith(f"/Users/{ada}")
    assert "title" not in scene.client.get(f"/Users/{ada}").body
    assert scene.work() == 1 and scene.work() == 0
    now = scene.client.get(f"/Users/{ada}")
    assert now.body["title"] == "x"
    [claims] = scene.claims()
    txn = accepted.headers["Set-Txn"]
    assert (claims["txn"], claims["sub_id"]) == (txn, {"format": "scim", "uri": f"/Users/{ada}"})
    location = accepted.headers["Location"]
    assert claims["events"] == {
        URI: {"method": "PUT", "location": location, "version": now.headers["ETag"], "status": "200"}
    }
    deliver(scene.store.outbox, scene.enqueue, until_empty=True)  # type: ignore[arg-type]
    assert [each["txn"] == txn for each in scene.claims()] == [True, False, True]


@pytest.mark.rfc("9967-2.5.1.2-1", "9967-2.5.1.2-2", "9967-2.5.1.3-2")
def test_each_operation_of_a_bulk_request_has_an_event() -> None:
    """Each operation has an event with the index of the operation, also if it failed or was not performed."""
    scene = Accepting()
    bob = scene.client.user("bob")
    request = bulk(
        creation("ada"),
        {"method": "DELETE", "path": f"/Users/{bob}"},
        creation("Ada"),
        creation("eve"),
        failOnErrors=1,
    )
    accepted = scene.client.post("/Bulk", request, headers=ASYNC)
    assert (accepted.status, accepted.body) == (202, None) and "Location" not in accepted.headers
    assert scene.work() == 1
    claims, txn = scene.claims(), accepted.headers["Set-Txn"]
    assert [each["txn"] for each in claims] == [f"{txn}:{number}" for number in range(4)]
    payloads = [each["events"][URI] for each in claims]
    assert [each["status"] for each in payloads] == ["201", "204", "409", "424"]
    assert [each.get("bulkId") for each in payloads] == ["ada", None, "Ada", "eve"]
    assert payloads[2]["response"]["scimType"] == "uniqueness"
    assert all(each["response"]["status"] == each["status"] for each in payloads[2:])
    ada = payloads[0]["location"].rpartition("/")[2]
    assert [each["sub_id"]["uri"] for each in claims] == [f"/Users/{ada}", f"/Users/{bob}", "/Users", "/Users"]


def test_other_requests_are_answered_as_usual() -> None:
    """Without the preference, for small PUTs and other methods, the response is a normal one."""
    scene = Accepting(numbers={"smallest_put": 10_000})
    ada = scene.client.user("ada")
    body = {"schemas": [USER], "userName": "ada"}
    assert scene.client.post("/Bulk", bulk(creation("bob"))).status == 200
    assert scene.client.post("/Bulk", bulk(creation("eve")), headers={"prefer": "wait=1"}).status == 200
    assert scene.client.put(f"/Users/{ada}", body, headers=ASYNC).status == 200
    assert scene.client.patch(f"/Users/{ada}", {"op": "remove", "path": "title"}, headers=ASYNC).status == 200
    assert Client().post("/Bulk", bulk(creation("bob")), headers=ASYNC).status == 200
    assert scene.client.put(f"/Users/{ada}", {**body, "title": "x" * 10_000}, headers=ASYNC).status == 202


@pytest.mark.parametrize(
    "operation",
    [creation("ada", password="s3cret"), creation("ada", PassWord="s3cret"),
     {"method": "PATCH", "path": "/Users/1", "data": {"schemas": [], "Operations": [
         {"op": "replace", "path": f"{USER}:password", "value": "s3cret"}]}},
     creation("ada", nickName="s3cret")],
)  # fmt: skip
def test_a_request_with_a_secret_is_not_kept(operation: dict[str, Any]) -> None:
    """A body with a password or a sensitive attribute is processed at once, because it must not be stored."""
    scene = Accepting()
    scene.client = Client(
        scene.store, async_requests=AsyncRequests(scene.queue), limits=Limits(sensitive=("nickName",))
    )
    assert scene.client.post("/Bulk", bulk(operation), headers=ASYNC).status == 200
    assert scene.queue.claim(1) is None


def test_the_number_of_accepted_requests_is_limited() -> None:
    """A tenant with too many accepted requests gets normal responses. Another tenant does not notice."""
    scene = Accepting()
    requests = [bulk(creation(name)) for name in "abcd"]
    assert [scene.client.post("/Bulk", each, headers=ASYNC).status for each in requests] == [202, 202, 202, 200]
    assert scene.client.of_tenant("acme").post("/Bulk", requests[0], headers=ASYNC).status == 202
    assert scene.work() == 4
    assert scene.client.get("/Users").body["totalResults"] == 4
    assert len(scene.claims()) == 3  # the stream has the outcomes of its tenant only


def test_a_request_without_permission_is_refused_at_once() -> None:
    """The token, its scopes and the hook are checked before a request is accepted, and each operation again later."""
    scene = Accepting(authorize=lambda access: access.operation != "replace")
    scene.client.token = "wrong"
    assert scene.client.post("/Bulk", bulk(creation("ada")), headers=ASYNC).status == 401
    scene.client.token = scene.client.tokens.issue("test", scopes=["read"]).token
    assert scene.client.post("/Bulk", bulk(creation("ada")), headers=ASYNC).status == 403
    assert scene.client.put("/Users/1", {"schemas": [USER], "userName": "ada"}, headers=ASYNC).status == 403
    scene.client.token = scene.client.tokens.issue("test").token
    assert scene.client.put("/Users/1", {"schemas": [USER], "userName": "ada"}, headers=ASYNC).status == 403
    scene.client.token = scene.client.tokens.issue("test", scopes=["write:Group"]).token
    assert scene.client.post("/Bulk", bulk(creation("ada")), headers=ASYNC).status == 202
    assert scene.work() == 1
    assert [each["events"][URI]["status"] for each in scene.claims()] == ["403"]


def test_a_request_that_cannot_be_kept_is_not_accepted() -> None:
    """If the queue fails, the client gets 503. Malformed bodies get their error at once, or as an outcome."""
    scene = Accepting()

    def fail(*_: Any) -> bool:
        raise Unavailable()

    kept, scene.queue.add = scene.queue.add, fail  # type: ignore[method-assign]
    assert scene.client.post("/Bulk", bulk(creation("ada")), headers=ASYNC).status == 503
    scene.queue.add = kept  # type: ignore[method-assign]
    assert scene.client.post("/Bulk", b"nonsense", headers=ASYNC).status == 400
    accepted = scene.client.post("/Bulk", {"schemas": [BULK]}, headers=ASYNC)
    assert (accepted.status, scene.work()) == (202, 1)
    [claims] = scene.claims()
    assert (claims["txn"], claims["sub_id"]["uri"]) == (accepted.headers["Set-Txn"], "/Bulk")
    assert claims["events"][URI]["response"]["status"] == "400"


def test_an_interrupted_request_is_not_lost_and_not_done_twice() -> None:
    """After a kill, a PUT is processed again, and the outcome of a bulk request is told as unknown."""
    scene = Accepting()
    ada = scene.client.user("ada")
    scene.client.put(f"/Users/{ada}", {"schemas": [USER], "userName": "ada", "title": "x"}, headers=ASYNC)
    scene.client.post("/Bulk", bulk(creation("bob"), creation("eve")), headers=ASYNC)
    for claimed in [scene.queue.claim(600), scene.queue.claim(600)]:  # by workers that are killed
        assert claimed is not None
        scene.queue.release(claimed, 0)  # as when the lease ends
    scene.work()
    claims = scene.claims()
    assert [each["events"][URI]["status"] for each in claims] == ["200", "500", "500"]
    assert "Read the resources" in claims[1]["events"][URI]["response"]["detail"]
    assert scene.client.get("/Users").body["totalResults"] == 1


def test_an_outcome_is_sent_until_it_arrives() -> None:
    """A failed outcome is sent again without processing the request again. After the last attempt, it is given up."""
    scene = Accepting()
    scene.client.post("/Bulk", bulk(creation("ada"), creation("bob")), headers=ASYNC)
    sent: list[RequestOutcome] = []

    def send(outcome: RequestOutcome) -> None:
        sent.append(outcome)
        if len(sent) in (1, 3):
            raise DeliveryFailed("HTTP 500")

    assert scene.work(send, retry=RetryPolicy(first_delay=0)) == 1
    assert [each.txn[-2:] for each in sent] == [":0", ":0", ":1", ":0", ":1"]
    assert {each.payload["status"] for each in sent} == {"201"}
    assert sent[0] == sent[1] == sent[3]
    scene.client.post("/Bulk", bulk(creation("eve")), headers=ASYNC)

    def refuse(outcome: RequestOutcome) -> None:
        raise DeliveryFailed("HTTP 500")

    assert scene.work(refuse, retry=RetryPolicy(tries=2, first_delay=0)) == 1


def test_a_rehearsal_and_me_are_answered_at_once() -> None:
    """Neither `explain` nor `/Me` accepts a request for later."""
    scene = Accepting(me=lambda principal: path[0])
    ada = scene.client.user("ada")
    path = [f"Users/{ada}"]
    body = {"schemas": [USER], "userName": "ada", "title": "x"}
    assert scene.client.put("/Me", body, headers=ASYNC).status == 200
    headers = {"authorization": f"Bearer {scene.client.token}", **ASYNC}
    request = Request("PUT", f"/Users/{ada}", "", headers, json.dumps({**body, "title": "y"}).encode())
    assert explain(scene.client.service, request).response.status == 200
    assert scene.queue.claim(1) is None


def test_a_request_that_breaks_the_service_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """A request that cannot be read is tried again, and then given up with an error in the log."""
    scene = Accepting()
    scene.queue.add(PendingRequest("t1", "default", b"nonsense"), 1)
    assert scene.work(retry=RetryPolicy(tries=2, first_delay=0)) == 1
    assert "t1" in caplog.text and scene.queue.claim(1) is None


@pytest.mark.rfc("9967-4-1")
def test_asynchronous_requests_are_announced() -> None:
    """`asyncRequest` is `request` if requests are accepted, and the outcome is among the events of its stream."""
    assert URI in event_uris([STREAM]) and URI not in event_uris([stream()])
    client = Client(async_requests=AsyncRequests(MemoryRequestQueue()), security_events=event_uris([STREAM]))
    announced = client.get("/ServiceProviderConfig").body["securityEvents"]
    assert announced == {"asyncRequest": "request", "eventUris": list(event_uris([STREAM]))}


def test_options_without_sense_are_refused() -> None:
    """Numbers are positive, and asynchronous requests need a sync store."""
    for options in ({"pending_per_tenant": 0}, {"smallest_put": 0}):
        with pytest.raises(ValueError, match="positive"):
            AsyncRequests(MemoryRequestQueue(), **options)
    accepted = AsyncRequests(MemoryRequestQueue())
    with pytest.raises(ValueError, match="sync store"):
        ScimService(as_async_store(MemoryStore()), tokens=TokenRegistry(), async_requests=accepted)
    service = ScimService(as_async_store(MemoryStore()), tokens=TokenRegistry())
    with pytest.raises(ValueError, match="sync store"):
        process_requests(accepted.queue, service, lambda outcome: None)
    with pytest.raises(ValueError, match="more than 0"):
        process_requests(accepted.queue, Client().service, lambda outcome: None, lease=0)


def test_on_a_server_with_a_database(tmp_path: Path) -> None:
    """A request that a server accepted is in the database. After a restart, a worker of another process finds it."""
    url, tokens = f"sqlite:///{tmp_path / 'scim.db'}", TokenRegistry()

    def service() -> ScimService:
        store = SqlStore(url, outbox=True)
        return ScimService(store, tokens=tokens, async_requests=AsyncRequests(SqlRequestQueue(store.engine)))

    serving = service()
    headers = {"authorization": f"Bearer {tokens.issue('client').token}", **ASYNC}
    with running(ScimApp(serving)) as server:
        accepted = httpx.post(f"{server}/Bulk", json=bulk(creation("ada"), creation("bob")), headers=headers)
    assert (accepted.status_code, accepted.content) == (202, b"")
    serving.store.engine.dispose()  # type: ignore[union-attr]
    restarted = service()
    engine = restarted.store.engine  # type: ignore[union-attr]
    sent: list[RequestOutcome] = []
    assert process_requests(SqlRequestQueue(engine), restarted, sent.append, until_empty=True) == 1
    assert [(each.txn, each.payload["status"]) for each in sent] == [
        (f"{accepted.headers['set-txn']}:{number}", "201") for number in range(2)
    ]
    assert json.loads(json.dumps([each.uri for each in sent])) == [
        each.payload["location"].removeprefix(server) for each in sent
    ]
    engine.dispose()
