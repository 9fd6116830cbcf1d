"""Whole requests in process: ours over the memory store, scim2-server's over its own, over many users.

The floor is the bare work: the same JSON through `pydantic_core`, and a look-up in a dict.
"""

from __future__ import annotations

import itertools
import json
import logging
from typing import Any

from pydantic_core import from_json, to_json
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.utils import load_default_provider

from scimkit import MemoryStore, Request, ScimService, TokenRegistry, run_sync
from tests.benchmarks.steps import DISABLE, Step, user_body

BASE_URL = "https://help.example.org/scim/v2"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


def group_body(members: int, ids: list[str]) -> dict[str, Any]:
    """A group of that many members."""
    listed = [{"value": id} for id in ids[:members]]
    return {"schemas": [GROUP], "displayName": f"group {members}", "members": listed}


class Ours:
    """A service with people in it."""

    def __init__(self, people: int) -> None:
        tokens = TokenRegistry()
        self.headers = {"authorization": f"Bearer {tokens.issue('benchmark').token}"}
        self.service = ScimService(MemoryStore(), tokens=tokens)
        self.ids = [self.create(number) for number in range(people)]

    def send(self, method: str, path: str, query: str = "", body: bytes = b"") -> Any:
        response = run_sync(self.service.handle(Request(method, path, query, self.headers, body, BASE_URL)))
        assert response.status < 400, response.body
        return response

    def create(self, number: int) -> str:
        return json.loads(self.send("POST", "/Users", body=json.dumps(user_body(number)).encode()).body)["id"]

    def group(self, members: int) -> str:
        """A group of that many members."""
        body = {
            "schemas": [GROUP],
            "displayName": f"group {members}",
            "members": [{"value": id} for id in self.ids[:members]],
        }
        return json.loads(self.send("POST", "/Groups", body=json.dumps(body).encode()).body)["id"]


class Theirs:
    """scim2-server with people in it."""

    def __init__(self, people: int) -> None:
        logging.getLogger("scim2_server").setLevel(logging.CRITICAL)
        self.storage = InMemoryStorage()
        self.application = WSGIApplication(self.storage, load_default_provider())
        self.ids = [self.create(number) for number in range(people)]

    def send(self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b"") -> Any:
        headers = {"Content-Type": "application/scim+json"} if body else {}
        response = self.application.serve(ScimRequest(method, BASE_URL, path, query or {}, headers, body))
        assert response.status.value < 400, response.body
        return json.dumps(response.body).encode() if response.body is not None else b""

    def create(self, number: int) -> str:
        return json.loads(self.send("POST", "/Users", body=json.dumps(user_body(number)).encode()))["id"]

    def group(self, members: int) -> str:
        """A group of that many members."""
        body = {
            "schemas": [GROUP],
            "displayName": f"group {members}",
            "members": [{"value": id} for id in self.ids[:members]],
        }
        return json.loads(self.send("POST", "/Groups", body=json.dumps(body).encode()))["id"]


def request_steps(people: int, peer: Theirs | None, ours: Ours | None = None) -> list[Step]:
    """GET by id, a filter, PATCH, POST and a page of 100, among that many users."""
    ours = ours or Ours(people)
    numbers = itertools.cycle(range(0, people, 7))
    fresh = itertools.count(10_000_000)
    id, bare = ours.ids[people // 2], {each: user_body(number) for number, each in enumerate(ours.ids[:1000])}
    their_id = peer.ids[people // 2] if peer else ""
    disabling = DISABLE["Operations"][0]
    changes = [{**DISABLE, "Operations": [{**disabling, "value": value}]} for value in (True, False)]
    bodies = itertools.cycle([json.dumps(each).encode() for each in changes])
    bare_id, page = next(iter(bare)), list(bare.values())[:100]

    def name() -> str:
        return f"user{next(numbers)}@example.com"

    def body() -> bytes:
        return json.dumps(user_body(next(fresh))).encode()

    def bare_patch() -> bytes:
        value = from_json(next(bodies))["Operations"][0]["value"]
        bare[bare_id] = {**bare[bare_id], "active": value}
        return to_json(bare[bare_id])

    at = f"/Users/{id}"
    their_at = f"/Users/{their_id}"
    start = people // 2
    rows = [
        ("GET by id", lambda: ours.send("GET", at), lambda: peer.send("GET", their_at),
         lambda: to_json(bare[bare_id]), 30, 300),
        ("filter userName eq", lambda: ours.send("GET", "/Users", f"filter=userName+eq+%22{name()}%22"),
         lambda: peer.send("GET", "/Users", {"filter": f'userName eq "{name()}"'}),
         lambda: to_json([bare[bare_id]]), 40, 200),
        ("PATCH active", lambda: ours.send("PATCH", at, body=next(bodies)),
         lambda: peer.send("PATCH", their_at, body=next(bodies)), bare_patch, 40, 200),
        ("POST", lambda: ours.send("POST", "/Users", body=body()), lambda: peer.send("POST", "/Users", body=body()),
         lambda: to_json(from_json(body())), 17, 100),
        ("page of 100", lambda: ours.send("GET", "/Users", f"startIndex={start}&count=100"),
         lambda: peer.send("GET", "/Users", {"startIndex": str(start), "count": "100"}),
         lambda: to_json(page), 200, 10),
    ]  # fmt: skip
    return [
        Step(f"{title}, {people:,} users", mine, their if peer else None, floor, goal, "scim2-server", calls)
        for title, mine, their, floor, goal, calls in rows
    ]


def member_steps(ours: Ours, peer: Theirs | None, sizes: tuple[int, ...]) -> list[Step]:
    """Adding and removing one member of groups of several sizes."""
    steps = []
    for size in sizes:
        group, their_group = ours.group(size), peer.group(size) if peer and size <= 10_000 else ""
        mine, their = ours.ids[-1], peer.ids[-1] if peer else ""
        flip = itertools.cycle([True, False])

        def body(id: str, flip: Any = flip) -> bytes:
            add = {"op": "add", "path": "members", "value": [{"value": id}]}
            remove = {"op": "remove", "path": f'members[value eq "{id}"]'}
            return json.dumps({**DISABLE, "Operations": [add if next(flip) else remove]}).encode()

        steps.append(
            Step(
                f"add or remove one member of {size:,}",
                lambda group=group, id=mine, body=body: ours.send("PATCH", f"/Groups/{group}", body=body(id)),
                (lambda group=their_group, id=their, body=body: peer.send("PATCH", f"/Groups/{group}", body=body(id)))
                if their_group else None,
                None, 1000, "scim2-server", 60,
            )
        )  # fmt: skip
    return steps
