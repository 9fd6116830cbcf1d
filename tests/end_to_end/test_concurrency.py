"""Many concurrent requests, over both adapters and both kinds of store: no change is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest

from scimkit import MemoryStore, ScimService, TokenRegistry, asgi, wsgi
from scimkit.stores.sql import SqlStore
from scimkit.testing.server import running

ADDED = 1000
AT_ONCE = 16


class ThreadingServer(ThreadingMixIn, WSGIServer):
    """A WSGI server with a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128


class Quiet(WSGIRequestHandler):
    """A request handler without a log."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def wsgi_running(app: Callable[..., Any]) -> Iterator[str]:
    """Serve a WSGI application in threads, and yield its URL."""
    with make_server("127.0.0.1", 0, app, ThreadingServer, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


SERVERS = {
    "asgi": lambda service: running(asgi.ScimApp(service)),
    "wsgi": lambda service: wsgi_running(wsgi.ScimApp(service)),
}


@pytest.mark.parametrize("kind", SERVERS)
def test_no_patch_is_lost_in_memory(kind: str) -> None:
    """After 1,000 concurrent PATCHes that each add one member, the group has all 1,000 members."""
    check_concurrent_patches(kind, MemoryStore(), ADDED)


@pytest.mark.parametrize("kind", SERVERS)
def test_no_patch_is_lost_in_a_database(kind: str, tmp_path: Path) -> None:
    """After 100 concurrent PATCHes over SQLite, all members are present, and no request failed."""
    store = SqlStore(f"sqlite:///{tmp_path}/scim.db")
    try:
        check_concurrent_patches(kind, store, 100)
    finally:
        store.engine.dispose()


def check_concurrent_patches(kind: str, store: Any, count: int) -> None:
    """Add members to one group concurrently, and check that all of them are present."""
    tokens = TokenRegistry()
    token = tokens.issue("test").token
    service = ScimService(store, tokens=tokens)
    with SERVERS[kind](service) as url, httpx.Client(base_url=url, timeout=60) as http:
        http.headers["Authorization"] = f"Bearer {token}"

        def post(path: str, body: dict[str, Any]) -> str:
            answer = http.post(path, json=body)
            assert answer.status_code == 201, answer.text
            return answer.json()["id"]

        def add(member: str) -> int:
            value = [{"$ref": None, "value": member}]
            body = {"Operations": [{"op": "Add", "path": "members", "value": value}]}
            return http.patch(f"/Groups/{group}", json=body).status_code

        group = post("/Groups", {"displayName": "Everybody"})
        with ThreadPoolExecutor(AT_ONCE) as pool:
            people = list(pool.map(lambda n: post("/Users", {"userName": f"user{n}"}), range(count)))
            assert set(pool.map(add, people)) == {204}
        members = http.get(f"/Groups/{group}").json()["members"]
        assert {each["value"] for each in members} == set(people)
        assert len(members) == count


def test_two_posts_of_one_name_make_one_user() -> None:
    """Of several concurrent POSTs with the same userName, one gets 201 and the others 409."""
    tokens = TokenRegistry()
    service = ScimService(MemoryStore(), tokens=tokens)
    with wsgi_running(wsgi.ScimApp(service)) as url, httpx.Client(base_url=url) as http:
        http.headers["Authorization"] = f"Bearer {tokens.issue('test').token}"
        with ThreadPoolExecutor(AT_ONCE) as pool:
            statuses = list(pool.map(lambda _: http.post("/Users", json={"userName": "ada"}).status_code, range(40)))
    assert sorted(statuses) == [201] + [409] * 39


def test_no_read_modify_write_is_lost() -> None:
    """Concurrent PATCHes that need the stored document are retried, and no phone number is lost."""
    tokens = TokenRegistry()
    service = ScimService(MemoryStore(), tokens=tokens)
    with wsgi_running(wsgi.ScimApp(service)) as url, httpx.Client(base_url=url) as http:
        http.headers["Authorization"] = f"Bearer {tokens.issue('test').token}"
        user = http.post("/Users", json={"userName": "ada"}).json()["id"]

        def add(number: int) -> int:
            value = [{"type": "other", "value": f"+47 {number}"}]
            body = {"Operations": [{"op": "add", "path": "phoneNumbers", "value": value}]}
            return http.patch(f"/Users/{user}", json=body).status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert set(pool.map(add, range(60))) == {200}
        assert len(http.get(f"/Users/{user}").json()["phoneNumbers"]) == 60
