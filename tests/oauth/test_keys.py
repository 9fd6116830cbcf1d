"""The keys of an issuer: when they are fetched, what happens while the issuer is down, and hostile answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest

from scimkit.errors import Unavailable
from scimkit.oauth import AsyncJwtVerifier, JwtVerifier
from scimkit.oauth.fetching import MAX_BYTES
from scimkit.tokens import InvalidToken
from tests.oauth.issuer import (
    CLIENT,
    Server,
    huge,
    key,
    key_set,
    not_a_key_set,
    redirect,
    refuse,
    serving,
    slow_body,
    slow_headers,
    token,
)
from tests.oauth.test_jwt import Verifier, both, verifier, verify


class Clock:
    """A steady clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def fetching(kind: Callable[..., Verifier], server: Server, **changed: Any) -> tuple[Verifier, Clock]:
    """Return a verifier that fetches its keys from a server, and its clock."""
    clock = Clock()
    options = {"jwks": server.url, "allow_http": True, "monotonic": clock, "timeout": 2.0}
    return verifier(kind, **(options | changed)), clock


def outcome(of: Verifier, text: str) -> str:
    """Return the client of a token, or the name of the error."""
    try:
        return verify(of, text).token_id
    except (InvalidToken, Unavailable) as error:
        return type(error).__name__


@both
def test_rotation(kind: Callable[..., Verifier]) -> None:
    """An unknown key causes a fetch, but at most one in a minute. A key that the issuer removed is refused later."""
    old, new = token(), token(key("two"))
    with serving(key_set(key("one"))) as server:
        of, clock = fetching(kind, server)
        assert [outcome(of, old), outcome(of, old), outcome(of, new)] == [CLIENT, CLIENT, "InvalidToken"]
        assert len(server.requests) == 1
        server.document = key_set(key("two"))
        clock.now += 59
        assert [outcome(of, new) for _ in range(5)] == ["InvalidToken"] * 5
        assert len(server.requests) == 1
        clock.now += 1
        assert [outcome(of, new), outcome(of, old)] == [CLIENT, "InvalidToken"]
        assert len(server.requests) == 2


def test_old_keys_are_fetched_again() -> None:
    """After the age of the keys, a request with a known key fetches them again. The others do not wait."""
    with serving(key_set(key("one"))) as server:
        of, clock = fetching(JwtVerifier, server, max_age=600)
        for seconds, requests in ((0, 1), (599, 1), (1, 2), (60, 2)):
            clock.now += seconds
            assert outcome(of, token()) == CLIENT
            assert len(server.requests) == requests


def test_old_keys_are_fetched_beside_the_requests_of_an_event_loop() -> None:
    """On an event loop, no request with a known key waits for a fetch, even of an issuer that never answers."""

    async def story() -> None:
        await of.verify(token())
        clock.now, server.answer = clock.now + 601, slow_body
        for _ in range(3):
            await of.verify(token())
        while len(server.requests) < 2:
            await asyncio.sleep(0.01)

    with serving(key_set(key("one"))) as server:
        clock = Clock()
        of = AsyncJwtVerifier(
            issuer="https://login.example.org", audience="https://help.example.org/scim/v2", jwks=server.url,
            allow_http=True, monotonic=clock, timeout=20.0, max_age=600,
        )  # fmt: skip
        asyncio.run(story())


ANSWERS = [refuse, redirect, huge, slow_body, slow_headers, not_a_key_set]


@both
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_issuer_that_fails(kind: Callable[..., Verifier], answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """While the issuer is down, slow, or answers nonsense, known keys stay in use. An unknown key is 503, not 401.

    Entra ID stops provisioning after responses with 401, and continues after 503.
    """
    slow = answer in (slow_body, slow_headers)
    with serving(key_set(key("one"))) as server:
        server.answer = answer
        of, clock = fetching(kind, server, timeout=0.2 if slow else 5.0)
        assert [outcome(of, token()), outcome(of, token())] == ["Unavailable"] * 2
        assert server.requests == ["/keys"]  # no redirect is followed, and no request follows within 5 seconds
        assert server.sent < MAX_BYTES * 40  # of 10 MB; the rest fills the buffers of the sockets
        clock.now, server.answer = clock.now + 5, None
        of._timeout = 5.0  # a busy machine may be slow too
        assert outcome(of, token()) == CLIENT
        clock.now, server.answer = clock.now + 3600, answer
        of._timeout = 0.2 if slow else 5.0
        assert [outcome(of, token(key("two"))), outcome(of, token())] == ["Unavailable", CLIENT]
        assert of._cache.missing().headers == (("Retry-After", "60"),)
        assert len(server.requests) == 3
        server.answer = None
        clock.now += 60
        of._timeout = 5.0
        assert [outcome(of, token(key("two"))), outcome(of, token())] == ["InvalidToken", CLIENT]
    texts = [each.getMessage() for each in caplog.records if each.name == "scimkit"]
    assert [each.rsplit("; ", 1)[1] for each in texts] == ["no key is known", "the earlier keys stay in use"]
    assert not any(server.url in each or "html" in each for each in texts)


def test_threads_share_one_fetch() -> None:
    """Threads that need a key at once wait for one fetch, and all of them succeed."""
    start = Barrier(6)

    def client(_: int) -> str:
        start.wait()
        return outcome(of, text)

    with serving(key_set(key("one"))) as server, ThreadPoolExecutor(6) as pool:
        of, _ = fetching(JwtVerifier, server, timeout=20.0)
        text = token()
        assert list(pool.map(client, range(6))) == [CLIENT] * 6
        assert len(server.requests) == 1


def test_requests_on_an_event_loop_share_one_fetch() -> None:
    """Requests of an event loop wait for one fetch. A client that goes away does not end the fetch of the others."""

    async def story() -> list[str]:
        first = asyncio.create_task(of.verify(text))
        others = [asyncio.create_task(of.verify(text)) for _ in range(5)]
        await asyncio.sleep(0)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        return [each.token_id for each in await asyncio.gather(*others)]

    with serving(key_set(key("one"))) as server:
        of = fetching(AsyncJwtVerifier, server, timeout=20.0)[0]
        assert isinstance(of, AsyncJwtVerifier)
        text = token()
        assert asyncio.run(story()) == [CLIENT] * 5
        assert len(server.requests) == 1


def test_the_environment_of_a_sync_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync verifier fetches its keys on a thread that runs an event loop too, as in a notebook."""

    async def story() -> str:
        return of.verify(token()).token_id

    with serving(key_set(key("one"))) as server:
        of = fetching(JwtVerifier, server)[0]
        assert isinstance(of, JwtVerifier) and of.blocking
        assert asyncio.run(story()) == CLIENT
