"""Every wait ends, with hanging threads, disconnected clients and stopped servers. The tests use short deadlines."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from scimkit import GROUP, Limits, MemoryStore, ScimService, Scope, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.stores.sql import SqlStore
from scimkit.testing.server import running
from tests.client import PATCH_OP
from tests.test_cli import SCIMKIT

TOKENS = TokenRegistry()
TOKEN = TOKENS.issue("test").token
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
SHORT = Limits(deadline=0.6)
PATCH = {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": "x"}]}


class Locked(MemoryStore):
    """A store in which one resource is locked, as by a transaction that was never ended."""

    blocking = True
    pool_size = 4

    def __init__(self) -> None:
        super().__init__()
        self.locked = ""
        self.unlocked = threading.Event()
        self.waiting = 0

    def change(self, scope: Scope, resource_type: Any, id: str, *arguments: Any, **options: Any) -> Any:
        if id == self.locked:
            self.waiting += 1
            self.unlocked.wait(30)
        return super().change(scope, resource_type, id, *arguments, **options)


@contextmanager
def locked(limits: Limits = SHORT) -> Iterator[tuple[str, Locked, str, str]]:
    """Yield a server with a user whose row is locked, and another user."""
    store = Locked()
    with running(ScimApp(ScimService(store, tokens=TOKENS, limits=limits))) as url:
        made = [httpx.post(f"{url}/Users", json={"userName": each}, headers=HEADERS).json()["id"] for each in "ab"]
        store.locked = made[0]
        try:
            yield url, store, made[0], made[1]
        finally:
            store.unlocked.set()


def test_a_locked_row_does_not_block_other_requests() -> None:
    """Ten PATCHes of a locked row get 503 by their deadline. Other requests, including writes, are served meanwhile."""
    with locked(Limits(deadline=2.0)) as (url, store, row, other), ThreadPoolExecutor(10) as pool:
        waiting = [
            pool.submit(httpx.patch, f"{url}/Users/{row}", json=PATCH, headers=HEADERS, timeout=30) for _ in range(10)
        ]
        while not store.waiting:
            time.sleep(0.01)
        with httpx.Client(headers=HEADERS, timeout=1.5) as client:
            assert client.get(f"{url}/Users/{row}").status_code == 200
            assert client.patch(f"{url}/Users/{other}", json=PATCH).status_code == 200
            assert client.post(f"{url}/Users", json={"userName": "c"}).status_code == 201
            assert client.get(f"{url}/ServiceProviderConfig").status_code == 200
        answers = [each.result() for each in waiting]
        assert [each.status_code for each in answers] == [503] * 10
        assert all(each.headers["Retry-After"].isdecimal() for each in answers)
        assert store.waiting == 1  # the other requests for the row never got a thread


def test_a_full_queue_refuses_at_once() -> None:
    """A request beyond the limit of the queue gets 503 long before the deadline. Discovery is still served."""
    with locked(Limits(deadline=8.0)) as (url, store, row, _), ThreadPoolExecutor(48) as pool:
        waiting = [
            pool.submit(httpx.patch, f"{url}/Users/{row}", json=PATCH, headers=HEADERS, timeout=30) for _ in range(48)
        ]
        refused = 0
        while not refused:
            refused = sum(each.done() and each.result().status_code == 503 for each in waiting)
            time.sleep(0.01)
        assert sum(not each.done() for each in waiting) >= 4 * 8
        assert httpx.get(f"{url}/Schemas", headers=HEADERS, timeout=3).status_code == 200
        store.unlocked.set()
        assert {each.result().status_code for each in waiting} == {200, 503}


def test_reads_continue_while_sqlite_is_locked(tmp_path: Path) -> None:
    """While another process holds SQLite's write lock, a POST gets 503 by the deadline, and GETs are served."""
    file = tmp_path / "desk.db"
    store = SqlStore(f"sqlite:///{file}")
    with running(ScimApp(ScimService(store, tokens=TOKENS, limits=Limits(deadline=1.0)))) as url:
        id = httpx.post(f"{url}/Users", json={"userName": "a"}, headers=HEADERS).json()["id"]
        outside = sqlite3.connect(file, isolation_level=None)
        outside.execute("BEGIN IMMEDIATE")
        try:
            with ThreadPoolExecutor(20) as pool:
                posts = [
                    pool.submit(httpx.post, f"{url}/Users", json={"userName": f"u{n}"}, headers=HEADERS, timeout=30)
                    for n in range(20)
                ]
                time.sleep(0.1)
                for _ in range(5):
                    assert httpx.get(f"{url}/Users/{id}", headers=HEADERS, timeout=0.9).status_code == 200
                assert {each.result().status_code for each in posts} == {503}
        finally:
            outside.execute("ROLLBACK")
            outside.close()


class Pages(MemoryStore):
    """A store with a group that is too large for one read. It counts the pages that are read."""

    blocking = False
    unsupported = MemoryStore.unsupported - {"member_pages"}

    def __init__(self) -> None:
        super().__init__()
        self.read = 0
        self.deleted_after = 10**9

    def members(self, scope: Scope, resource_type: Any, id: str, after: int, count: int) -> Any:
        from scimkit.stores.protocol import Members

        self.read += 1
        if self.read == self.deleted_after:
            self.delete(scope, GROUP, id)
            return Members([], None)
        entries = [{"value": f"{after + number}-{'x' * 50}", "type": "User"} for number in range(count)]
        return Members(entries, after + count if after + count < 2_000_000 else None)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_client_that_leaves_a_stream(blocking: bool) -> None:
    """When the client disconnects, the stream of a group ends, and no more pages are read."""
    store = Pages()
    store.blocking = blocking
    with running(ScimApp(ScimService(store, tokens=TOKENS, limits=Limits(members_at_once=100)))) as url:
        id = httpx.post(f"{url}/Groups", json={"displayName": "all"}, headers=HEADERS).json()["id"]
        with httpx.stream("GET", f"{url}/Groups/{id}", headers=HEADERS) as answer:
            next(answer.iter_bytes(1000))
        before = -1
        while before != store.read:
            before = store.read
            time.sleep(0.2)
        assert 0 < store.read < 15_000


def test_a_group_deleted_in_mid_stream() -> None:
    """If the group is deleted during the stream, the connection breaks, so the client knows the body is incomplete."""
    store = Pages()
    store.deleted_after = 5
    with running(ScimApp(ScimService(store, tokens=TOKENS, limits=Limits(members_at_once=100)))) as url:
        id = httpx.post(f"{url}/Groups", json={"displayName": "all"}, headers=HEADERS).json()["id"]
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{url}/Groups/{id}", headers=HEADERS)


def raw(url: str, head: str, body: bytes, *, wait: bool = False) -> bytes:
    """Send bytes to a server and close the sending side. Return the response."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"POST /Users HTTP/1.1\r\nHost: a.example\r\n{head}\r\n\r\n".encode() + body)
        if not wait:
            connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)


@pytest.mark.parametrize("length", ["Content-Length: 500", "Transfer-Encoding: chunked"])
def test_a_body_that_ends_early_writes_nothing(length: str) -> None:
    """A body that ends before its declared length is dropped, even if it is complete JSON."""
    body = b'{"userName": "half"}'
    body = body if "Length" in length else b"%x\r\n%s\r\n" % (len(body), body)
    with running(ScimApp(ScimService(MemoryStore(), tokens=TOKENS))) as url:
        assert b" 201 " not in raw(url, f"Authorization: Bearer {TOKEN}\r\n{length}", body)
        assert httpx.get(f"{url}/Users", headers=HEADERS).json()["totalResults"] == 0


def test_no_token_no_body() -> None:
    """A request without a token is refused before its body arrives."""
    with running(ScimApp(ScimService(MemoryStore(), tokens=TOKENS))) as url:
        assert b" 401 " in raw(url, "Content-Length: 4000000", b"{", wait=True)


@contextmanager
def served(*options: str, errors: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a process of `scimkit serve` and its URL."""
    command = [*SCIMKIT, "serve", "--port", "0", *options]
    with (errors or Path(os.devnull)).open("w") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True)
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().split()[1].removesuffix("/scim/v2")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("second", [True, False])
def test_shutdown_ends(tmp_path: Path, workers: str, second: bool) -> None:
    """After SIGTERM, a hanging request has the grace period. A second SIGTERM ends the server at once."""
    grace = "60" if second else "1"
    with served("--store", f"sqlite:///{tmp_path}/a.db", "--workers", workers, "--grace", grace) as (process, url):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"POST /scim/v2/Users HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n")
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            if second:
                time.sleep(0.7)
                process.send_signal(signal.SIGTERM)
            process.wait(25)


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """When the parent process is killed, its workers end too."""
    with served("--store", f"sqlite:///{tmp_path}/a.db", "--workers", "2") as (process, _):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
        end = time.monotonic() + 20
        while any(alive(each) for each in children):
            assert time.monotonic() < end
            time.sleep(0.05)


def alive(pid: str) -> bool:
    """Report whether a process runs. A zombie process does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_health_and_logs_of_serve(tmp_path: Path) -> None:
    """Health probes need no token. Each log line is JSON with the request id. Only the log has the reason of a 401."""
    errors, file = tmp_path / "log", tmp_path / "store"
    file.write_text(f"sqlite:///{tmp_path}/a.db\n")
    with served("--store-file", str(file), "--log-format", "json", errors=errors) as (_, url):
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert httpx.get(f"{url}/readyz").json()["ready"] is True
        mistyped = {"Authorization": "Bearer scimkit_x", "X-Request-Id": "id-1"}
        answer = httpx.get(f"{url}/scim/v2/Users", headers=mistyped)
        assert (answer.status_code, answer.headers["X-Request-Id"]) == (401, "id-1")
        assert "mistyped" not in answer.text
        made = httpx.get(f"{url}/scim/v2/Us%0Aers", headers={"X-Request-Id": "bad id"}).headers["X-Request-Id"]
        assert made != "bad id"
    lines = [json.loads(each) for each in errors.read_text().splitlines()]
    named = [each for each in lines if each.get("request_id") == "id-1"]
    assert {each["logger"] for each in named} == {"scimkit.auth", "scimkit.access"}
    assert "mistyped" in next(each["reason"] for each in named if each["logger"] == "scimkit.auth")
    assert all({"time", "level", "method", "path"} <= each.keys() for each in named)
    assert all("\n" not in each["message"] for each in lines)
