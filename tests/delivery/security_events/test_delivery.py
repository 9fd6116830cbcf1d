"""Tokens reach a receiver by push and by poll, on real servers. The receiver verifies with joserfc only."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from scimkit import MemoryStore
from scimkit.delivery import DeliveryFailed, Undeliverable, async_deliver, deliver
from scimkit.delivery.security_events import (
    AsyncEventEnqueuer,
    AsyncEventPush,
    EventEnqueuer,
    EventPush,
    PollEndpoint,
    PollStream,
    event_uris,
)
from scimkit.delivery.security_events import asgi as poll_asgi
from scimkit.delivery.security_events import wsgi as poll_wsgi
from scimkit.events import ResourceDeleted, ResourceEvent
from scimkit.stores.memory_poll_queue import MemoryPollQueue
from scimkit.testing.server import running
from tests.client import Client
from tests.delivery.receiver import Receiver, receiving
from tests.delivery.security_events.streams import AUDIENCE, LOCAL, PREFIX, issuer, received, stream
from tests.delivery.test_workers import AwaitedOutbox

GONE = ResourceDeleted(resource_type="User", id="u1", tenant="default")
SECRET = "k7Qm2Vx0" * 4
ISSUING = issuer()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A server that accepts tokens."""
    with receiving() as found:
        found.status = 202
        yield found


@pytest.fixture(params=["sync", "async"])
def push(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Push an event in each color."""

    def push_sync(url: str, *events: ResourceEvent, **options: Any) -> None:
        with EventPush(url, ISSUING, stream(), **{**LOCAL, **options}) as pushing:
            for event in events or (GONE,):
                pushing(event)

    def push_async(url: str, *events: ResourceEvent, **options: Any) -> None:
        async def scene() -> None:
            async with AsyncEventPush(url, ISSUING, stream(), **{**LOCAL, **options}) as pushing:
                for event in events or (GONE,):
                    await pushing(event)

        asyncio.run(scene())

    return push_sync if request.param == "sync" else push_async


@pytest.mark.rfc("8935-2.1-1", "8935-2.2-1")
def test_a_push_is_a_post_of_the_token(receiver: Receiver, push: Callable[..., None]) -> None:
    """The body is the token, with its media type and the authorization of the stream."""
    other = ResourceDeleted(resource_type="User", id="u1", tenant="other")
    push(receiver.url, GONE, other, authorization=lambda: "Bearer present-token")
    [(path, headers, body)] = receiver.requests
    assert path == "/hook?key=secret-of-the-path"
    assert headers["content-type"] == "application/secevent+jwt"
    assert headers["accept"] == "application/json"
    assert headers["authorization"] == "Bearer present-token"
    assert list(received(body.decode(), ISSUING.jwks)["events"]) == [f"{PREFIX}prov:delete"]


@pytest.mark.rfc("8935-2.1-2", "8935-2.3-1", "8935-2.4-1")
@pytest.mark.parametrize(
    ("err", "kind"),
    [("invalid_request", Undeliverable), ("invalid_issuer", Undeliverable), ("invalid_audience", Undeliverable),
     ("invalid_key", DeliveryFailed), ("authentication_failed", DeliveryFailed), ("access_denied", DeliveryFailed)],
)  # fmt: skip
def test_an_error_of_the_receiver_is_kept(
    receiver: Receiver, push: Callable[..., None], err: str, kind: type[Exception]
) -> None:
    """A 400 with an error is final if another attempt cannot help. The description is kept, without secrets."""
    receiver.status = 400
    receiver.body = json.dumps({"err": err, "description": "no\nsuch issuer" + "x" * 500}).encode()
    with pytest.raises(kind) as failure:
        push(receiver.url, authorization="Bearer secret-token")
    detail: str = failure.value.detail  # type: ignore[attr-defined]
    assert detail.startswith(f"HTTP 400 {err}: nosuch issuer") and len(detail) < 300
    receiver.body = json.dumps({"err": err, "description": "not secret-token"}).encode()
    with pytest.raises(kind) as failure:
        push(receiver.url, authorization="Bearer secret-token")
    assert failure.value.detail == f"HTTP 400 {err}"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("status", "body"), [(400, b"oops"), (400, b"{}"), (401, b""), (500, b"x" * 5_000)])
def test_another_failure_is_tried_again(
    receiver: Receiver, push: Callable[..., None], status: int, body: bytes
) -> None:
    """A failure without an error of RFC 8935 is tried again, after the time that the receiver asks for."""
    receiver.status, receiver.body, receiver.headers = status, body, {"retry-after": "7"}
    with pytest.raises(DeliveryFailed, match=f"HTTP {status}") as failure:
        push(receiver.url)
    assert failure.value.retry_after == 7


@pytest.mark.rfc("8935-5-1")
def test_a_push_reaches_public_addresses_only(receiver: Receiver, push: Callable[..., None]) -> None:
    """A push has the protection of webhooks: no local address, no http and no credentials in the URL by default."""
    with pytest.raises(DeliveryFailed, match="not public"):
        push(receiver.url, allowed_networks=())
    assert receiver.requests == []
    for url in ("http://example.org/", "https://user:pass@example.org/"):
        with pytest.raises(ValueError, match="URL of a push stream"):
            push(url, allow_http=False)
    shown = repr(EventPush("https://example.org/path", ISSUING, stream(), authorization="Bearer secret"))
    assert shown == "EventPush(https://example.org, stream='siem')"


@pytest.fixture(params=["asgi", "wsgi"])
def poll_url(request: pytest.FixtureRequest, queue: MemoryPollQueue) -> Iterator[str]:
    """The URL of a poll endpoint on a real server of each kind."""
    streams = [PollStream(stream(), [SECRET, "n" * 32]), PollStream(stream(id="acme", tenant="acme"), "a" * 32)]
    endpoint = PollEndpoint(queue, streams, issuer=ISSUING, longest_wait=0.3, interval=0.02, max_events=3)
    if request.param == "asgi":
        with running(poll_asgi.PollApp(endpoint, prefix="/events")) as url:
            yield f"{url}/events"
        return
    with serving(poll_wsgi.PollApp(endpoint, prefix="/events")) as url:
        yield f"{url}/events"


@pytest.fixture
def queue() -> MemoryPollQueue:
    """An empty queue."""
    return MemoryPollQueue()


def serving(app: Any) -> Any:
    """Serve a WSGI application in threads at a free port."""
    from contextlib import contextmanager
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

    class Handler(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    @contextmanager
    def served() -> Iterator[str]:
        with Server(("127.0.0.1", 0), Handler) as server:
            server.set_app(app)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_address[1]}"
            finally:
                server.shutdown()
                thread.join()

    return served()


def poll(url: str, body: Any = None, *, name: str = "siem", secret: str = SECRET) -> httpx.Response:
    """Send a poll request."""
    content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
    return httpx.post(f"{url}/{name}", content=content, headers=headers, timeout=20, verify=False)


NOW = {"returnImmediately": True}


@pytest.mark.rfc("8936-2.2-1", "8936-2.2-2", "8936-2.2-3", "8936-2.3-1", "8936-2.3-2", "8936-2.4-1")
def test_tokens_are_polled_until_they_are_acknowledged(poll_url: str, queue: MemoryPollQueue) -> None:
    """Tokens come again until they are acknowledged. `maxEvents` and `moreAvailable` make pages."""
    enqueue = EventEnqueuer(queue, ISSUING, [stream()])
    events = [ResourceDeleted(resource_type="User", id=f"u{number}", tenant="default") for number in range(4)]
    for event in (*events, events[0]):
        enqueue(event)
    keys = httpx.get(f"{poll_url}/jwks.json", verify=False).json()
    first = poll(poll_url, {"maxEvents": 2})
    assert first.status_code == 200 and first.headers["content-type"] == "application/json"
    assert first.json()["moreAvailable"] is True
    found = first.json()["sets"]
    assert [received(each, keys)["jti"] for each in found.values()] == list(found)
    assert [received(each, keys)["sub_id"]["id"] for each in found.values()] == ["u0", "u1"]
    assert poll(poll_url, {"maxEvents": 2}).json() == first.json()
    assert poll(poll_url, {"ack": list(found), "maxEvents": 0}).json() == {"sets": {}}
    rest = poll(poll_url, {"ack": list(found)}, secret="n" * 32).json()
    assert [received(each, keys)["sub_id"]["id"] for each in rest["sets"].values()] == ["u2", "u3"]
    assert rest["moreAvailable"] is False
    assert poll(poll_url, {**NOW, "ack": [*rest["sets"], "unknown"]}).json() == {"sets": {}, "moreAvailable": False}


@pytest.mark.rfc("8936-2.2-4", "8936-2.4-2")
def test_a_refused_token_is_logged_and_not_sent_again(
    poll_url: str, queue: MemoryPollQueue, caplog: pytest.LogCaptureFixture
) -> None:
    """A token in `setErrs` is logged with the error of the receiver, and is removed."""
    EventEnqueuer(queue, ISSUING, [stream()])(GONE)
    [jti] = poll(poll_url).json()["sets"]
    error = {"err": "invalid_issuer", "description": "no\nsuch issuer"}
    assert poll(poll_url, {**NOW, "setErrs": {jti: error}}).json()["sets"] == {}
    assert f"{jti}: invalid_issuer nosuch issuer" in caplog.text


@pytest.mark.rfc("8936-2.2-5")
def test_a_request_waits_for_tokens(poll_url: str, queue: MemoryPollQueue) -> None:
    """A request without `returnImmediately` waits for a token, up to a limit. Too many requests do not wait."""
    assert poll(poll_url).json() == {"sets": {}, "moreAvailable": False}
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(poll(poll_url).json()))
    waiting.start()
    EventEnqueuer(queue, ISSUING, [stream()])(GONE)
    waiting.join()
    assert len(answers[0]["sets"]) == 1


@pytest.mark.rfc("8936-3-1", "9967-5-2")
def test_each_stream_has_its_own_secret(poll_url: str, queue: MemoryPollQueue) -> None:
    """Without the secret of the stream, a request gets 401, the same for a stream that does not exist."""
    EventEnqueuer(queue, ISSUING, [stream()])(GONE)
    refused = [
        poll(poll_url, secret="a" * 32), poll(poll_url, secret="x"), poll(poll_url, name="acme"),
        poll(poll_url, name="other"), httpx.post(f"{poll_url}/siem", verify=False),
        httpx.post(f"{poll_url}/siem", headers={"authorization": f"Basic {SECRET}"}, verify=False),
    ]  # fmt: skip
    assert {(each.status_code, each.headers["www-authenticate"], each.text) for each in refused} == {
        (401, "Bearer", refused[0].text)
    }
    assert poll(poll_url, NOW, name="acme", secret="a" * 32).json()["sets"] == {}


@pytest.mark.rfc("8936-2.6-1")
def test_a_malformed_request_is_refused(poll_url: str) -> None:
    """A malformed request gets 400 with `err` and `description`."""
    wrong: list[Any] = [
        b"nonsense", b"[]", {"maxEvents": -1}, {"maxEvents": True}, {"maxEvents": "1"}, {"returnImmediately": 1},
        {"ack": "a"}, {"ack": [1]}, {"setErrs": []}, {"setErrs": {"a": "b"}}, {"ack": ["a"] * 10_001},
    ]  # fmt: skip
    for body in wrong:
        refused = poll(poll_url, body)
        assert (refused.status_code, refused.json()["err"]) == (400, "invalid_request")
        assert refused.json()["description"]


@pytest.mark.rfc("8936-2.2-6")
def test_other_requests_are_refused(poll_url: str) -> None:
    """Other methods, other paths and large bodies are refused."""
    assert httpx.get(f"{poll_url}/siem", verify=False).status_code == 405
    assert httpx.post(f"{poll_url}/siem/more", verify=False).status_code == 404
    assert httpx.post(poll_url, verify=False).status_code == 404
    assert poll(poll_url, b"x" * 1_048_577).status_code == 413
    assert poll(poll_url, {"later": 1, **NOW}).status_code == 200


def test_a_poll_stream_without_sense_is_refused(queue: MemoryPollQueue) -> None:
    """A secret is long, and is not shown. Streams have different ids."""
    for wrong in ("short", [], [SECRET, "short"]):
        with pytest.raises(ValueError, match="32 characters") as error:
            PollStream(stream(), wrong)
        assert "short" not in str(error.value)
    one = PollStream(stream(), SECRET)
    assert repr(one) == "PollStream('siem')"
    for streams, options in (([one, one], {}), ([PollStream(stream(id="jwks.json"), SECRET)], {})):
        with pytest.raises(ValueError, match="id of its own"):
            PollEndpoint(queue, streams, **options)
    with pytest.raises(ValueError, match="interval"):
        PollEndpoint(queue, [one], interval=0)
    with pytest.raises(ValueError, match="id of its own"):
        EventEnqueuer(queue, ISSUING, [stream(), stream()])


@pytest.mark.rfc("9967-4-1", "9967-4-2")
def test_events_are_announced() -> None:
    """The ServiceProviderConfig and its schema have `securityEvents` only if events are configured."""
    uris = event_uris([stream("full")])
    client = Client(security_events=uris)
    announced = client.get("/ServiceProviderConfig").body["securityEvents"]
    assert announced == {"asyncRequest": "none", "eventUris": list(uris)}
    schema = "/Schemas/urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
    assert "securityEvents" in {each["name"] for each in client.get(schema).body["attributes"]}
    assert "securityEvents" not in Client().get("/ServiceProviderConfig").body
    assert "securityEvents" not in {each["name"] for each in Client().get(schema).body["attributes"]}


@pytest.mark.rfc("9967-2.2-4")
@pytest.mark.parametrize("color", ["sync", "async"])
def test_from_a_request_to_the_receivers(receiver: Receiver, color: str) -> None:
    """Requests of an identity provider reach a pushed and a polled stream, with the data of the response."""
    store, queue = MemoryStore(outbox=True), MemoryPollQueue()
    client = Client(store)
    created = client.post(
        "/Users", {"schemas": [], "userName": "ada", "externalId": "00u1", "password": "s3cret-s3cret"}
    )
    group = client.group("agents", created.id)
    client.patch(f"/Users/{created.id}", {"op": "replace", "path": "active", "value": False})
    replaced = client.put(f"/Users/{created.id}", {"schemas": [], "userName": "ada", "active": True, "title": "x"})
    client.delete(f"/Users/{created.id}")
    client.of_tenant("acme").user("other-tenant")
    if color == "sync":
        with EventPush(receiver.url, ISSUING, stream("full"), **LOCAL) as pushing:
            enqueue = EventEnqueuer(queue, ISSUING, [stream(id="poll")])

            def both(event: ResourceEvent) -> None:
                pushing(event)
                enqueue(event)

            deliver(store.outbox, both, until_empty=True)  # type: ignore[arg-type]
    else:
        asyncio.run(_deliver_both(store, receiver, queue))
    claims = [received(body.decode(), ISSUING.jwks) for _, _, body in receiver.requests]
    polled = [received(each, ISSUING.jwks) for each in queue.first("poll", 99, 10**9).tokens.values()]
    for found in (claims, polled):
        mine = [each for each in found if each["sub_id"]["id"] == created.id]
        assert [uri.removeprefix(PREFIX).rpartition(":notice")[0] or uri.removeprefix(PREFIX).removesuffix(":full")
                for each in mine for uri in each["events"]] == [
            "prov:create", "prov:patch", "prov:deactivate", "prov:put", "prov:activate", "prov:delete",
        ]  # fmt: skip
        assert mine[1]["txn"] == mine[2]["txn"] != mine[0]["txn"]
        assert mine[0]["sub_id"]["externalId"] == "00u1" and mine[0]["aud"] == AUDIENCE
        assert [list(each["events"]) for each in found if each["sub_id"]["id"] == group][1:][0]
    mine = [each for each in claims if each["sub_id"]["id"] == created.id]
    full = {uri: payload for each in mine for uri, payload in each["events"].items()}
    for uri, answer in (("prov:create:full", created), ("prov:put:full", replaced)):
        expected = {name: value for name, value in answer.body.items() if name not in ("meta", "groups")}
        assert full[PREFIX + uri] == {"data": expected, "version": answer.headers["ETag"]}
    told = json.dumps([claims, polled])
    assert "s3cret" not in told and "other-tenant" not in told


async def _deliver_both(store: MemoryStore, receiver: Receiver, queue: MemoryPollQueue) -> None:
    enqueue = AsyncEventEnqueuer(EventEnqueuer(queue, ISSUING, [stream(id="poll")]))
    async with AsyncEventPush(receiver.url, ISSUING, stream("full"), **LOCAL) as pushing:

        async def both(event: ResourceEvent) -> None:
            await pushing(event)
            await enqueue(event)

        await async_deliver(AwaitedOutbox(store.outbox), both, until_empty=True)  # type: ignore[arg-type]
