"""`scimkit serve --workers N`: several stateless processes over one database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from scimkit.tokens.format import parse_token
from tests.client import GROUP, PATCH_OP, USER
from tests.stores.databases import DATABASES, url_of
from tests.test_cli import SCIMKIT, run

WORKERS = 4


@dataclass
class Deployment:
    """A server with several processes, and a token of a separate tenant."""

    process: subprocess.Popen[str]
    endpoint: str
    store: str
    tenant: str
    token: str

    def send(self, method: str, path: str, body: Any = None, **parameters: str) -> httpx.Response:
        """Send a request over a new connection, so that any process may accept it."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        url = self.endpoint + path
        return httpx.request(method, url, json=body, params=parameters or None, headers=headers, timeout=60)


@contextmanager
def deployed(database: str, *options: str) -> Iterator[Deployment]:
    """Yield a deployment over a database. The token is issued while it runs."""
    store, tenant = url_of(database), f"workers-{os.getpid()}-{os.urandom(4).hex()}"
    options = options or ("--workers", str(WORKERS))
    command = [*SCIMKIT, "serve", "--port", "0", "--store", store, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        endpoint = process.stdout.readline().split()[1]
        made = run("token", "create", "--store", store, "--description", "Entra", "--tenant", tenant)
        assert made.stdout == made.stdout.strip() + "\n"
        assert parse_token(made.stdout.strip())
        yield Deployment(process, endpoint, store, tenant, made.stdout.strip())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Return the results of calls that start together."""
    barrier = threading.Barrier(len(calls))

    def started(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(started, calls))


def children(pid: int) -> set[int]:
    """Return the ids of the child processes of a process."""
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@pytest.mark.parametrize("database", DATABASES)
def test_several_processes_behave_like_one(database: str) -> None:
    """Several processes behave like one process.

    A token that is issued while they run works at once. Of concurrent POSTs with one userName, one gets 201 and the
    others get 409. Concurrent PATCHes lose no member. Every process returns the same page for a cursor. SIGTERM ends
    all processes with status 0.
    """
    with deployed(database) as server:
        workers = children(server.process.pid)
        assert len(workers) >= WORKERS
        person = {"schemas": [USER], "userName": "ada"}
        statuses = [each.status_code for each in at_once([lambda: server.send("POST", "/Users", person)] * 8)]
        assert sorted(statuses) == [201] + [409] * 7
        made = at_once([
            lambda number=number: server.send("POST", "/Users", {"schemas": [USER], "userName": f"u{number}"}).json()
            for number in range(12)
        ])  # fmt: skip
        team = server.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "team"}).json()["id"]

        def join(id: str) -> int:
            operation = {"op": "add", "path": "members", "value": [{"value": id}]}
            body = {"schemas": [PATCH_OP], "Operations": [operation]}
            return server.send("PATCH", f"/Groups/{team}", body).status_code

        assert at_once([lambda id=each["id"]: join(id) for each in made]) == [204] * 12
        members = server.send("GET", f"/Groups/{team}").json()["members"]
        assert {each["value"] for each in members} == {each["id"] for each in made}
        assert set(pages(server)) == {"ada", *(f"u{number}" for number in range(12))}
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        end = time.monotonic() + 30
        while any(Path(f"/proc/{each}").exists() for each in workers):
            assert time.monotonic() < end
            time.sleep(0.05)


def pages(server: Deployment) -> list[str]:
    """Return the names of all users by cursor.

    Request each page several times at once, and check that it is the same.
    """
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = [lambda cursor=cursor: server.send("GET", "/Users", cursor=cursor, count="5").json()] * 6
        answers = at_once(asked)
        found = [[each["userName"] for each in answer["Resources"]] for answer in answers]
        assert all(each == found[0] for each in found)
        names += found[0]
        cursor = answers[0].get("nextCursor")
    assert len(names) == len(set(names))
    return names


@pytest.mark.parametrize("database", DATABASES)
def test_a_killed_process_is_replaced(database: str) -> None:
    """A killed process is replaced, and the others serve meanwhile. No write that was answered is lost."""
    with deployed(database) as server:
        for number in range(6):
            if number == 3:
                os.kill(max(children(server.process.pid)), signal.SIGKILL)
            answer = None
            while answer is None:
                try:
                    answer = server.send("POST", "/Users", {"schemas": [USER], "userName": f"u{number}"})
                except httpx.TransportError:
                    answer = None  # the killed process had received the request
            assert answer.status_code in (201, 409)
        assert server.send("GET", "/Users").json()["totalResults"] == 6
        end = time.monotonic() + 30
        while len(children(server.process.pid)) < WORKERS:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_servers_share_cursors_by_a_secret() -> None:
    """A server accepts the cursors of another server with the same secret, for any number of processes."""
    secret = ("--cursor-secret", "one for all")
    with deployed("sqlite", *secret) as one, deployed("sqlite", "--workers", "2", *secret) as other:
        for name in ("ada", "bo", "cy"):
            assert one.send("POST", "/Users", {"schemas": [USER], "userName": name}).status_code == 201
        cursor = one.send("GET", "/Users", cursor="", count="1").json()["nextCursor"]
        other.token = one.token
        assert other.send("GET", "/Users", cursor=cursor, count="1").json()["Resources"][0]["userName"] == "bo"
        with deployed("sqlite", "--workers", "1") as stranger:
            stranger.token = one.token
            assert stranger.send("GET", "/Users", cursor=cursor, count="1").json()["scimType"] == "invalidCursor"


@pytest.mark.parametrize("database", DATABASES)
def test_every_part_of_a_server(database: str) -> None:
    """A server with all parts serves SCIM, the admin page and the token endpoint, and keeps a log.

    SIGTERM ends it.
    """
    options = ("--admin", "--token-endpoint", "--outbox", "--rate-limits", "memory://", "--tenant-rate", "1000")
    with deployed(database, *options) as server:
        assert server.process.stdout is not None
        link = server.process.stdout.readline().split()[-1]
        root, name = server.endpoint.removesuffix("/scim/v2"), f"ada-{os.urandom(4).hex()}"
        made = server.send("POST", "/Users", {"schemas": [USER], "userName": name})
        assert made.status_code == 201
        assert server.send("POST", "/Users", {"schemas": [USER], "userName": name}).status_code == 409
        assert server.send("GET", "/Users", filter=f'userName eq "{name}"').json()["totalResults"] == 1
        with httpx.Client(follow_redirects=True) as browser:
            browser.get(link)
            assert "Tokens" in browser.get(f"{root}/admin/tokens").text
        arguments = ("add", "--store", server.store, "--description", "Entra", "--json")
        client = json.loads(run("client", *arguments).stdout)
        grant = {"grant_type": "client_credentials"}
        issued = httpx.post(f"{root}/oauth/token", data=grant, auth=(client["clientId"], client["clientSecret"]))
        assert issued.json()["token_type"] == "Bearer"
        assert httpx.get(f"{root}/readyz").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == -signal.SIGTERM
    entries = run("log", "--store", server.store, "--tenant", server.tenant, "--json").stdout
    assert name in entries and "uniqueness" in entries
