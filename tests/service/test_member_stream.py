"""Streamed group responses, through each adapter and for any number of members."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest

from scimkit import GROUP, USER, Limits, MemoryStore, Request, Response, Scope, asgi, run_sync, wsgi
from scimkit.stores.sql import AsyncSqlStore
from scimkit.testing.server import running
from tests.client import Client
from tests.stores.databases import DATABASES, store_of, url_of

LIMITS = Limits(members_at_once=3)


class Streamed(Client):
    """A client that joins the parts of a streamed body."""

    parts: list[bytes]

    def run(self, waiting: Any) -> Response:
        """Return the response with its complete body."""
        response = run_sync(waiting)
        self.parts = list(response.parts())
        return Response(response.status, b"".join(self.parts), response.headers, response.quirks)


@pytest.fixture(params=DATABASES)
def client(request: pytest.FixtureRequest) -> Streamed:
    """Return a client of a service over each database, in a separate tenant."""
    tenant = f"streamed-{os.getpid()}-{os.urandom(4).hex()}"
    return Streamed(store_of(request.param), tenant=tenant, limits=LIMITS)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 6, 7, 20])
def test_every_member_comes_once(client: Streamed, size: int) -> None:
    """The parts form one JSON text with every member, in the same form as in a group that is read at once."""
    people = [client.user(f"user{number}") for number in range(size)]
    group = client.group("team", *people)
    answer = client.get(f"/Groups/{group}")
    base = "https://help.example.org/scim/v2/Users"
    expected = [{"value": each, "type": "User", "$ref": f"{base}/{each}"} for each in people]
    assert answer.body.get("members", []) == expected
    assert answer.headers["ETag"] == answer.body["meta"]["version"]
    assert len(client.parts) == (1 if size < 3 else size // 3 + 1)


def test_projection_of_a_stream(client: Streamed) -> None:
    """Projections apply to every part. Without members, or with a known version, the response has one part."""
    people = [client.user(f"user{number}") for number in range(7)]
    group = client.group("team", *people)
    only_values = client.get(f"/Groups/{group}?attributes=members.value").body
    assert only_values["members"] == [{"value": each} for each in people]
    assert "displayName" not in only_values
    assert client.get(f"/Groups/{group}?attributes=members.display").body.get("members", []) == []
    without = client.get(f"/Groups/{group}?excludedAttributes=members")
    assert "members" not in without.body
    assert client.get(f"/Groups/{group}", headers={"If-None-Match": without.headers["ETag"]}).status == 304
    joined = {"op": "add", "path": "members", "value": [{"value": client.user("late")}]}
    assert len(client.patch(f"/Groups/{group}?attributes=members", joined).body["members"]) == 8
    assert client.get(f"/Groups/{group}?filter=displayName+eq+%22other%22").status == 404
    accepted = client.get(f"/Groups/{group}", headers={"Accept": "application/json"})
    assert accepted.headers["Content-Type"] == "application/json"


def test_a_lasting_member_is_returned_once_while_others_change(client: Streamed) -> None:
    """A member that stays is returned exactly once, while other members are added and removed between parts."""
    people = [client.user(f"user{number}") for number in range(9)]
    group = client.group("team", *people)
    headers = {"authorization": f"Bearer {client.token}"}
    response = run_sync(client.service.handle(Request("GET", f"/Groups/{group}", headers=headers)))
    parts = response.parts()
    text = next(parts)
    client.delete(f"/Users/{people[0]}")
    client.delete(f"/Users/{people[8]}")
    gone = {"op": "remove", "path": f'members[value eq "{people[1]}"]'}
    client.patch(f"/Groups/{group}", gone, {"op": "add", "path": "members", "value": [{"value": client.user("late")}]})
    found = [each["value"] for each in json.loads(text + b"".join(parts))["members"]]
    assert len(found) == len(set(found))
    assert set(people[2:8]) <= set(found)


def test_a_filter_on_a_group_loads_what_it_reads() -> None:
    """A filter on a group that does not name members does not load them."""
    wanted: list[bool] = []

    class Noting(MemoryStore):
        def get(self, *arguments: Any) -> Any:
            wanted.append(arguments[3]("members"))
            return super().get(*arguments)

    client = Client(Noting())
    group = client.group("team", client.user("ada"))
    assert client.get(f"/Groups/{group}?filter=displayName+eq+%22team%22&excludedAttributes=members").status == 200
    assert client.get(f"/Groups/{group}?filter=members+pr&excludedAttributes=members").status == 200
    assert wanted == [False, False, True, False]


def test_no_other_tenant_has_the_group(client: Streamed) -> None:
    """Another tenant gets no member pages of the group, and 404 for the group."""
    people = [client.user(f"user{number}") for number in range(4)]
    group = client.group("team", *people)
    assert client.of_tenant("other").get(f"/Groups/{group}").status == 404
    assert client.service.limits.members_at_once == 3
    store: Any = store_of("sqlite")
    assert store.members(Scope("other"), GROUP, group, 0, 10).entries == []
    assert store.members(Scope("other"), USER, group, 0, 10).entries == []


@contextmanager
def running_wsgi(app: Any) -> Iterator[str]:
    """Serve a WSGI application while the block runs, and yield its URL."""
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(WSGIRequestHandler):
    """A request handler without a log."""

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.mark.parametrize(
    ("serve", "run"), [(asgi.ScimApp, running), (wsgi.ScimApp, running_wsgi)], ids=["asgi", "wsgi"]
)
def test_over_http(serve: Any, run: Any) -> None:
    """The adapters send the parts when they are ready, without Content-Length. HEAD gets no part."""
    client = Client(store_of("sqlite"), tenant=f"streamed-{os.urandom(4).hex()}", limits=LIMITS)
    people = [client.user(f"user{number}") for number in range(7)]
    group = client.group("team", *people)
    headers = {"Authorization": f"Bearer {client.token}"}
    with run(serve(client.service)) as url, httpx.Client(base_url=url, headers=headers) as http:
        answer = http.get(f"/Groups/{group}")
        assert [each["value"] for each in answer.json()["members"]] == people
        assert "content-length" not in answer.headers
        assert http.head(f"/Groups/{group}").content == b""
        assert "content-length" in http.get(f"/Groups/{group}?excludedAttributes=members").headers


@pytest.mark.parametrize("database", DATABASES)
def test_async_store(database: str) -> None:
    """An async store streams the same response."""
    tenant = f"streamed-{os.getpid()}-{os.urandom(4).hex()}"

    async def play() -> None:
        store = AsyncSqlStore(url_of(database))
        await store.upgrade()
        made = Client(store_of(database), tenant=tenant)
        people = [made.user(f"user{number}") for number in range(7)]
        group = made.group("team", *people)
        client = Client(store, tokens=made.tokens, tenant=tenant, limits=LIMITS)
        headers = {"authorization": f"Bearer {client.token}"}
        response = await client.service.handle(Request("GET", f"/Groups/{group}", headers=headers))
        text = b"".join([part async for part in response.awaited_parts()])
        assert [each["value"] for each in json.loads(text)["members"]] == people
        await store.engine.dispose()

    asyncio.run(play())
