"""Failed attempts to authenticate are counted for each source, and too many of them are refused."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit import Limits, MemoryStore, Request, Response, ScimService, TokenRegistry, asgi, run_sync, wsgi
from scimkit.errors import TooManyRequests
from scimkit.service import failed_attempts
from scimkit.service.failed_attempts import FailedAttempts
from scimkit.tokens import MemoryTokenStore, TokenRecord
from scimkit.tokens.format import new_token

LIMIT, WINDOW = 4, 60.0
KNOWN, UNKNOWN, MALFORMED = "Bearer known", "Bearer unknown", "Bearer mistyped"


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Verifier:
    """The two questions that the count asks a verifier."""

    def is_known(self, token: str) -> bool:
        return token == "known"

    def is_well_formed(self, token: str) -> bool:
        return token in ("known", "unknown")


class Model:
    """A simple model: all failed attempts of all sources, and the look-ups that were granted."""

    def __init__(self) -> None:
        self.failures: dict[str, list[float]] = {}
        self.next_look_up: dict[str, float] = {}

    def is_refused(self, source: str, now: float) -> bool:
        return sum(now - each < WINDOW for each in self.failures.get(source, [])) >= LIMIT

    def allows(self, source: str, authorization: str | None, now: float) -> bool:
        if not self.is_refused(source, now) or authorization == KNOWN:
            return True
        if authorization == UNKNOWN and self.next_look_up[source] <= now:
            self.next_look_up[source] = now + WINDOW / LIMIT
            return True
        return False

    def fail(self, source: str, now: float) -> None:
        before = self.is_refused(source, now)
        self.failures.setdefault(source, []).append(now)
        if self.is_refused(source, now) and not before:
            self.next_look_up[source] = now + WINDOW / LIMIT


STEPS = st.tuples(
    st.sampled_from(["a", "b"]), st.sampled_from([KNOWN, UNKNOWN, MALFORMED, "Basic x", None]),
    st.sampled_from([0.0, 0.0, 1.0, 7.5, 15.0, 59.0]), st.booleans(),
)  # fmt: skip


@given(st.lists(STEPS, max_size=60))
def test_the_count_agrees_with_a_model(steps: list[tuple[str, str | None, float, bool]]) -> None:
    """Each request is allowed or refused as by a model that keeps all attempts. `Retry-After` is within the window."""
    clock, model = Clock(), Model()
    attempts = FailedAttempts(LIMIT, WINDOW, Verifier(), clock)
    for source, authorization, seconds, fails in steps:
        clock.now += seconds
        try:
            attempts.check(source, authorization)
            allowed = True
        except TooManyRequests as error:
            allowed = False
            assert 1 <= int(dict(error.headers)["Retry-After"]) <= WINDOW
        assert allowed is model.allows(source, authorization, clock.now)
        if allowed and fails:
            began = attempts.add(source)
            before = model.is_refused(source, clock.now)
            model.fail(source, clock.now)
            assert began is (model.is_refused(source, clock.now) and not before)


def test_the_time_to_wait() -> None:
    """`Retry-After` is the time until the next look-up of an unknown token, or until an attempt no longer counts."""
    clock = Clock()
    attempts = FailedAttempts(LIMIT, WINDOW, Verifier(), clock)
    assert [attempts.add("a") for _ in range(LIMIT)] == [False, False, False, True]
    clock.now += 0.5

    def wait(authorization: str | None) -> int:
        with pytest.raises(TooManyRequests) as caught:
            attempts.check("a", authorization)
        assert caught.value.status == 429
        assert caught.value.scim_type is None
        return int(dict(caught.value.headers)["Retry-After"])

    assert (wait(UNKNOWN), wait(MALFORMED), wait(None)) == (15, 60, 60)
    clock.now += 14.5
    attempts.check("a", UNKNOWN)
    assert wait(UNKNOWN) == 15
    clock.now += WINDOW - 15
    attempts.check("a", None)


def test_a_limit_of_zero_counts_nothing() -> None:
    """With a limit of 0, nothing is counted and nothing is refused. An empty source is never counted."""
    for attempts, source in ((FailedAttempts(0, WINDOW), "a"), (FailedAttempts(LIMIT, WINDOW), "")):
        for _ in range(100):
            assert not attempts.add(source)
        assert source not in attempts
        attempts.check(source, None)


def test_the_number_of_sources_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The source whose last failure is oldest is forgotten first."""
    monkeypatch.setattr(failed_attempts, "MAX_SOURCES", 3)
    attempts = FailedAttempts(LIMIT, WINDOW)
    for source in ("a", "b", "c", "a", "d"):
        attempts.add(source)
    assert len(attempts) == 3
    assert [each for each in "abcd" if each in attempts] == ["a", "c", "d"]


class CountingStore(MemoryTokenStore):
    """A token store that counts look-ups."""

    def __init__(self) -> None:
        super().__init__()
        self.found = 0

    def find(self, id: str) -> TokenRecord | None:
        self.found += 1
        return super().find(id)


def via_wsgi(service: ScimService, headers: dict[str, str], address: str) -> Response:
    """Send a request through the WSGI adapter, with one trusted proxy."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/Users", "SERVER_NAME": "x", "SERVER_PORT": "80", "REMOTE_ADDR": address,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }  # fmt: skip
    got: list[Any] = []
    body = b"".join(wsgi.ScimApp(service, trust_forwarded=1)(environ, lambda *told: got.extend(told)))  # type: ignore[arg-type]
    return Response(int(got[0].split()[0]), body, tuple(got[1]))


def via_asgi(service: ScimService, headers: dict[str, str], address: str) -> Response:
    """Send a request through the ASGI adapter, with one trusted proxy."""
    import asyncio

    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": "/Users", "query_string": b"", "client": (address, 1234),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "server": ("x", 80),
    }  # fmt: skip
    asyncio.run(asgi.ScimApp(service, trust_forwarded=1)(scope, receive, send))
    told = tuple((name.decode().title(), value.decode()) for name, value in sent[0]["headers"])
    return Response(sent[0]["status"], sent[1]["body"], told)


@pytest.mark.parametrize("send", [via_wsgi, via_asgi])
def test_a_source_with_failed_attempts_is_refused(
    send: Callable[[ScimService, dict[str, str], str], Response], caplog: pytest.LogCaptureFixture
) -> None:
    """After 20 failed attempts, the source gets 429 without a look-up. A token seen before works all the same."""
    store = CountingStore()
    registry = TokenRegistry(store)
    service = ScimService(MemoryStore(), tokens=registry)
    known = registry.issue("known").token
    elsewhere = TokenRegistry(store).issue("unknown to this process").token

    def get(token: str, address: str = "192.0.2.1", **headers: str) -> Response:
        return send(service, {"authorization": f"Bearer {token}"} | headers, address)

    wrong = [new_token().text() for _ in range(30)]
    assert [get(each).status for each in wrong] == [401] * 20 + [429] * 10
    assert store.found == 20
    refused = get(elsewhere)
    body = json.loads(refused.body)
    assert (refused.status, body["status"], store.found) == (429, "429", 20)
    assert "scimType" not in body
    assert 1 <= int(dict(refused.headers)["Retry-After"]) <= 60
    assert get(known).status == 200
    assert get(elsewhere, address="192.0.2.2").status == 200
    assert get(elsewhere).status == 200, "the token was verified for another source"
    assert get(wrong[0], **{"x-forwarded-for": "198.51.100.7"}).status == 401, "the proxy names another client"
    assert get(wrong[0], **{"x-forwarded-for": "198.51.100.7, 192.0.2.1"}).status == 429, "the client names another one"
    (logged,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert (logged.name, logged.source) == ("scimkit.auth", "192.0.2.1")  # type: ignore[attr-defined]
    assert not any(each in caplog.text for each in (*wrong, known, elsewhere))


def test_a_right_token_works_soon_after_a_restart() -> None:
    """While a source is refused, one unknown token in each interval is looked up, so that the right one works."""
    store, clock = MemoryTokenStore(), Clock()
    token = TokenRegistry(store).issue("of an earlier process").token
    registry = TokenRegistry(store)
    service = ScimService(MemoryStore(), tokens=registry)
    service._authentication._failed_attempts = FailedAttempts(20, 60.0, registry, clock)

    def get(token: str) -> int:
        headers = {"authorization": f"Bearer {token}"}
        return run_sync(service.handle(Request("GET", "/Users", "", headers, source="192.0.2.1"))).status

    for _ in range(20):
        assert get(new_token().text()) == 401
    assert get(token) == 429
    clock.now += 2.9
    assert get(token) == 429
    clock.now += 0.1
    assert get("not even a token") == 429
    assert get(token) == 200
    assert get(token) == 200
    assert get(new_token().text()) == 429


def test_discovery_without_a_token_is_never_refused() -> None:
    """The ServiceProviderConfig needs no token, also for a source with failed attempts. Missing tokens count."""
    service = ScimService(MemoryStore(), tokens=TokenRegistry(), limits=Limits(failed_attempts=2))

    def get(path: str, source: str = "192.0.2.1") -> int:
        return run_sync(service.handle(Request("GET", path, source=source))).status

    assert [get("/Users") for _ in range(3)] == [401, 401, 429]
    assert get("/ServiceProviderConfig") == 200
    assert [get("/Users", "") for _ in range(5)] == [401] * 5


def test_a_verifier_without_the_optional_methods_is_throttled_too() -> None:
    """A verifier of the application needs no method beside `verify`. One token per interval is then verified."""

    class Plain:
        is_async = False

        def verify(self, token: str) -> Any:
            from scimkit.errors import Unauthorized

            raise Unauthorized

    service = ScimService(MemoryStore(), tokens=Plain(), limits=Limits(failed_attempts=3))  # type: ignore[arg-type]
    headers = {"authorization": "Bearer eyJ"}
    statuses = [
        run_sync(service.handle(Request("GET", "/Users", "", headers, source="192.0.2.1"))).status for _ in range(5)
    ]
    assert statuses == [401, 401, 401, 429, 429]
    assert math.isclose(service.limits.failed_attempts_window, 60.0)
