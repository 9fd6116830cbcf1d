"""Rate limits: a tenant and a token may send so many requests, and a flood of one tenant leaves room for the others."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from scimkit import MemoryStore, RateLimits, Request, Response, ScimService, TokenRegistry, as_async_store, run_sync
from scimkit.asgi import ScimApp
from scimkit.errors import Unavailable
from scimkit.loop import loop_service
from scimkit.loop.turns import Turns
from scimkit.provisioning import LogEntry, LogQuery
from scimkit.service import rate_limiter, request_counts
from scimkit.stores.memory_log import MemoryProvisioningLog
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.testing.server import running
from tests.fairness import send, service_of
from tests.service.test_failed_attempts import CountingStore

REDIS = os.environ.get("SCIMKIT_TEST_REDIS_URL", "redis://127.0.0.1:6379/5")
FEW = RateLimits(tenant=0.5, token=0.3)
"""5 requests of a tenant in 10 seconds, and 3 of a token."""


def get(service: ScimService, token: str) -> Response:
    """Send a request in process."""
    return run_sync(service.handle(Request("GET", "/Users", "", {"authorization": f"Bearer {token}"})))


def test_a_token_and_a_tenant_have_a_limit() -> None:
    """Beyond its limit, a token gets 429 in SCIM form. So do all tokens of a tenant together. Other tenants do not."""
    store = CountingStore()
    tokens = TokenRegistry(store)
    events: list[Any] = []
    service = ScimService(MemoryStore(), tokens=tokens, rate_limits=FEW, on_request_completed=events.append)
    first, second, other = (tokens.issue("", tenant=tenant).token for tenant in ("acme", "acme", "zeta"))
    assert [get(service, first).status for _ in range(5)] == [200, 200, 200, 429, 429]
    assert (store.found, events[-1].tenant, events[-1].status) == (4, "acme", 429), "the last one was not looked up"
    assert [get(service, second).status for _ in range(3)] == [200, 200, 429]
    assert get(service, other).status == 200
    refused = {token: get(service, token) for token in (first, second)}
    for token, limit in ((first, "this token may send 0.3 a second"), (second, "this tenant may send 0.5 a second")):
        body, headers = json.loads(refused[token].body), dict(refused[token].headers)
        assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert body["status"] == "429"
        assert limit in body["detail"]
        assert 1 <= int(headers["Retry-After"]) <= FEW.window
        assert headers["Content-Type"] == "application/scim+json"
    assert run_sync(service.handle(Request("GET", "/ServiceProviderConfig"))).status == 200


def test_a_tenant_can_have_a_limit_of_its_own() -> None:
    """`tenants` changes the limit of a tenant, and that of its tokens in proportion. None means no limit."""
    limits = RateLimits(tenant=100, token=50, tenants={"large": 400, "small": 1})
    rates = [(limits.rate_of_tenant(each), limits.rate_of_token(each)) for each in ("large", "small", "acme")]
    assert rates == [(400, 200), (1, 0.5), (100, 50)]
    assert RateLimits(tenant=None, tenants={"a": 5}).rate_of_token("a") == 50
    service = ScimService(
        MemoryStore(), tokens=(tokens := TokenRegistry()), rate_limits=RateLimits(tenant=None, token=None)
    )
    token = tokens.issue("").token
    assert {get(service, token).status for _ in range(50)} == {200}


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://x"},
        {"tenant": 0},
        {"token": float("nan")},
        {"tenants": {"a": -1}},
        {"window": 0},
        {"concurrent": 0},
    ],
)
def test_an_option_that_is_not_allowed(options: dict[str, Any]) -> None:
    """An option that is not allowed raises ValueError. The repr has no URL, because a URL may have a password."""
    with pytest.raises(ValueError, match="must be"):
        RateLimits(**options)
    assert "secret" not in repr(RateLimits("redis://:secret@x"))


def test_without_the_extra_an_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library, a service with rate limits raises an error that names the extra."""
    for missing, url in (("limits", "memory://"), ("redis", "redis://x")):
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, missing, None)
            with pytest.raises(ModuleNotFoundError, match=r"scimkit\[limits\]"):
                ScimService(MemoryStore(), tokens=TokenRegistry(), rate_limits=RateLimits(url))


def test_refusals_are_logged_once_a_minute(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The log gets the first refusal at once, and the number of later ones once a minute and at the shutdown."""
    now = [1000.0]
    monkeypatch.setattr(rate_limiter, "monotonic", lambda: now[0])
    log, tokens = MemoryProvisioningLog(), TokenRegistry()
    service = ScimService(MemoryStore(), tokens=tokens, rate_limits=FEW, provisioning_log=log)
    token = tokens.issue("", tenant="acme").token

    def refused() -> list[LogEntry]:
        run_sync(service._recorder.flush())  # type: ignore[union-attr]
        return [each for each in log.search(LogQuery(tenant="acme")).entries if each.error_code == "429"]

    statuses = Counter(get(service, token).status for _ in range(50))
    assert statuses == {200: 3, 429: 47}
    (entry,) = refused()
    assert (entry.result, entry.action) == ("Failure", "Other")
    assert entry.detail == "The rate limit refused 1 request of this token."
    now[0] += 60
    service.rate_limiter._tokens.clear()  # type: ignore[union-attr]
    assert get(service, token).status == 429
    assert refused()[0].detail == "The rate limit refused 47 requests of this token."
    assert get(service, token).status == 429
    run_sync(service.flush_provisioning_log())
    assert [each.detail.split()[4] for each in refused()] == ["1", "47", "1"]
    records = [each for each in caplog.records if each.name == "scimkit.auth"]
    assert [(each.levelno, each.refused, each.tenant) for each in records] == [  # type: ignore[attr-defined]
        (logging.WARNING, count, "acme") for count in (1, 47, 1)
    ]
    assert token not in caplog.text


def test_later_refusals_are_logged_when_the_flood_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request after the flood takes the number of refusals along, if a minute is over."""
    limiter = rate_limiter.RateLimiter(FEW, is_async=False, connections=None)
    principal = TokenRegistry().issue("").record
    whose = rate_limiter.Principal(principal.tenant, principal.id)
    now = [1000.0]
    monkeypatch.setattr(rate_limiter, "monotonic", lambda: now[0])
    assert [limiter.busy(whose).refusals for _ in range(4)] == [1, 0, 0, 0]
    assert limiter.due_refusals(whose) == 0
    now[0] += 60
    assert [limiter.due_refusals(whose) for _ in range(2)] == [3, 0]
    assert limiter.all_refusals() == []


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limiter remembers a bounded number of tokens and of refusals, and keeps no token."""
    monkeypatch.setattr(rate_limiter, "_MAX_TOKENS", 3)
    tokens = TokenRegistry()
    service = ScimService(MemoryStore(), tokens=tokens, rate_limits=RateLimits(token=0.1))
    issued = [tokens.issue("", tenant=f"t{number}").token for number in range(5)]
    assert [[get(service, each).status for _ in range(2)] for each in issued] == [[200, 429]] * 5
    limiter = service.rate_limiter
    assert limiter is not None
    assert (len(limiter._tokens), len(limiter._refusals), limiter._running) == (3, 3, {})
    assert not any(each in repr(vars(limiter)) for each in issued)


@pytest.fixture
def redis_url() -> str:
    """Return the URL of a Redis server for tests."""
    import redis

    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=2).ping()
    except redis.RedisError:
        pytest.skip("no Redis server at SCIMKIT_TEST_REDIS_URL")
    return REDIS


def test_processes_share_their_counts_in_redis(redis_url: str) -> None:
    """Services with the same Redis count together, over a sync store in threads and over an async store."""
    tokens, prefix = TokenRegistry(), f"test-{uuid4()}"
    limits = RateLimits(redis_url, tenant=0.6, token=None, prefix=prefix)
    token = tokens.issue("", tenant="acme/1").token
    stores: list[Any] = [MemoryStore(), as_async_store(MemoryStore())]

    async def statuses() -> list[int]:
        services = [loop_service(ScimService(each, tokens=tokens, rate_limits=limits)) for each in stores]
        found = []
        for number in range(8):
            request = Request("GET", "/Users", "", {"authorization": f"Bearer {token}"})
            found.append((await services[number % 2].handled(request)).status)
        for each in services:
            await each.flushed()
        return found

    assert asyncio.run(statuses()) == [200] * 6 + [429] * 2
    import redis

    client = redis.Redis.from_url(redis_url)
    (key,) = client.keys(f"{prefix}*")
    assert b"acme%2F1" in key
    assert 0 < client.ttl(key) <= 20
    client.delete(key)
    client.close()


@contextmanager
def silent_server() -> Iterator[tuple[str, list[Any]]]:
    """Yield the URL of a server that accepts connections and never answers, and its connections."""
    accepted: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            try:
                while True:
                    accepted.append(listener.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0", accepted
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
    for each in accepted:
        each.close()


@pytest.mark.parametrize("is_async", [False, True])
def test_a_redis_that_does_not_answer_stops_no_request(is_async: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Requests are served, and each process counts alone. Redis is asked once in some seconds, and logged once."""
    with silent_server() as (url, accepted):
        store: Any = as_async_store(MemoryStore()) if is_async else MemoryStore()
        tokens = TokenRegistry()
        service = ScimService(store, tokens=tokens, rate_limits=RateLimits(url, tenant=0.5, token=None))
        token = tokens.issue("").token
        assert service.verification_blocks is not is_async

        async def statuses() -> list[int]:
            on_loop = loop_service(service)
            requests = [Request("GET", "/Users", "", {"authorization": f"Bearer {token}"}) for _ in range(7)]
            found = [(await on_loop.handled(each)).status for each in requests]
            await on_loop.flushed()
            return found

        assert asyncio.run(statuses()) == [200] * 5 + [429] * 2
        assert len(accepted) == 1
        (logged,) = [each for each in caplog.records if "Redis" in each.message]
        assert logged.levelno == logging.WARNING
        assert url not in caplog.text


def test_a_redis_that_comes_back_is_used_again(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a pause, Redis is asked again."""
    counts = request_counts.RequestCounts("redis://127.0.0.1:1/0", "x", is_async=False)
    assert run_sync(counts.count(1, 10, "a")) == 0
    counts._in_redis, pool = request_counts._redis_counter(redis_url, f"test-{uuid4()}", is_async=False)
    assert run_sync(counts.count(1, 10, "a")) > 0, "the pause is not over"
    monkeypatch.setattr(request_counts, "monotonic", lambda: counts._next_attempt)
    assert [run_sync(counts.count(1, 10, "a")) > 0 for _ in range(2)] == [False, True]
    pool.disconnect()


class HeldStore(MemoryStore):
    """A store with four connections. Searches of the tenant `flooding` wait until the test releases them."""

    blocking = True
    pool_size = 4

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()
        self.waiting = threading.Semaphore(0)

    def search(self, scope: Any, query: Any) -> Any:
        if scope.tenant == "flooding":
            self.waiting.release()
            assert self.release.wait(20)
        return super().search(scope, query)


def test_a_flood_takes_half_of_the_threads_of_a_server() -> None:
    """Slow requests of one tenant use half of the threads and wait for each other. Other tenants are served."""
    store, tokens = HeldStore(), TokenRegistry()
    service = ScimService(store, tokens=tokens, rate_limits=RateLimits())
    flooding, quiet = (tokens.issue("", tenant=each).token for each in ("flooding", "quiet"))

    async def run(url: str) -> tuple[list[int], list[int]]:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:

            async def status(token: str) -> int:
                return (await client.get("/Users", headers={"Authorization": f"Bearer {token}"})).status_code

            flood = [asyncio.ensure_future(status(flooding)) for _ in range(40)]
            for _ in range(2):
                await asyncio.to_thread(store.waiting.acquire)
            served = [await status(quiet) for _ in range(10)]
            store.release.set()
            return await asyncio.gather(*flood), served

    with running(ScimApp(service)) as url:
        flooded, served = asyncio.run(run(url))
    assert served == [200] * 10
    counts = Counter(flooded)
    assert set(counts) == {200, 429}
    assert counts[200] == 34, "2 run at once, and 32 wait"


def test_a_flood_takes_half_of_the_threads_of_a_wsgi_server() -> None:
    """Without an event loop, requests of a tenant beyond its share get 429, because a wait would need a thread."""
    store, tokens = HeldStore(), TokenRegistry()
    service = ScimService(store, tokens=tokens, rate_limits=RateLimits())
    flooding, quiet = (tokens.issue("", tenant=each).token for each in ("flooding", "quiet"))
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(get(service, flooding).status)) for _ in range(2)]
    for each in threads:
        each.start()
        store.waiting.acquire()
    beyond = get(service, flooding)
    assert (beyond.status, dict(beyond.headers)["Retry-After"]) == (429, "1")
    assert get(service, quiet).status == 200
    store.release.set()
    for each in threads:
        each.join()
    assert found == [200, 200]
    assert get(service, flooding).status == 200


def test_turns_are_not_lost() -> None:
    """A request that is cancelled, or whose deadline passes, passes its turn on."""

    async def run() -> None:
        turns, loop = Turns(1), asyncio.get_running_loop()
        soon = loop.time() + 1000
        assert await turns.take("a", soon)
        with pytest.raises(Unavailable):
            await turns.take("a", 0.0)
        cancelled = asyncio.ensure_future(turns.take("a", soon))
        second, third = (asyncio.ensure_future(turns.take("a", soon)) for _ in range(2))
        await asyncio.sleep(0)
        cancelled.cancel()
        assert await turns.take("b", soon), "tenants do not wait for each other"
        await asyncio.sleep(0)
        turns.give_back("a")
        second.cancel()  # has the turn, and has not run since
        assert await third
        turns.give_back("a")
        turns.give_back("b")
        assert (turns._running, turns._waiting) == ({}, {})

    asyncio.run(run())


def test_a_tenant_that_floods_a_server_gets_429_and_the_other_none(tmp_path: Path) -> None:
    """One tenant sends 50 times its share to a server with a database. The other tenant is served as before."""
    store, share = SqlStore(f"sqlite:///{tmp_path}/db"), 5
    service, tokens = service_of(store, share)
    flooding, quiet = (tokens.issue("", tenant=each).token for each in ("flooding", "quiet"))

    async def both(url: str) -> list[list[tuple[int, float]]]:
        return await asyncio.gather(send(url, flooding, 50 * share, 1.5, 20), send(url, quiet, 10, 1.5))

    with running(ScimApp(service, prefix="/scim/v2")) as url:
        flood, served = asyncio.run(both(f"{url}/scim/v2/Users"))
    store.engine.dispose()
    assert {status for status, _ in served} == {200}
    counts = Counter(status for status, _ in flood)
    assert set(counts) == {200, 429}
    assert counts[200] <= 1.25 * share * RateLimits().window
    assert counts[429] > counts[200] / 2


def test_a_flood_takes_half_of_the_connections_of_a_database(tmp_path: Path) -> None:
    """A tenant runs at most half as many requests at once as the store has connections, and as `concurrent` says."""
    store = SqlStore(f"sqlite:///{tmp_path}/db")
    tokens = TokenRegistry(SqlTokenStore(store.engine))
    half = ScimService(store, tokens=tokens, rate_limits=RateLimits()).rate_limiter
    own = ScimService(store, tokens=tokens, rate_limits=RateLimits(concurrent=3)).rate_limiter
    assert half is not None
    assert own is not None
    assert (half.concurrent, own.concurrent) == ((store.pool_size or 10) // 2, 3)
    store.engine.dispose()
