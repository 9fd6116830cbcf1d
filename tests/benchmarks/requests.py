"""Complete requests without a network, for scimkit and for scim2-server, each with its memory store and many users.

The floor is the minimal work of a request: the same JSON through `pydantic_core`, and a lookup in a dict.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeAlias
from uuid import uuid4

from pydantic_core import from_json, to_json
from scim2_server.applications.wsgi import WSGIApplication
from scim2_server.memory import InMemoryStorage
from scim2_server.requests import ScimRequest
from scim2_server.utils import load_default_provider

from scimkit import GROUP, USER, MemoryStore, Request, ScimService, Scope, TokenRegistry, run_sync
from scimkit.events import Listener
from scimkit.patch.changes import ChangeSet, ReferenceChanges
from scimkit.service.http import SCIM_JSON
from tests.benchmarks.steps import CORE, DISABLE, ENTRA, Step, bare_patch, disabling, undoing, user_body

Calls: TypeAlias = dict[str, Callable[[], Any]]
"""The functions to measure, by step."""

BASE_URL = "https://help.example.org/scim/v2"
GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
MEMBER = "add or remove one member of {:,}"
_ASKED = 100
"""The number of users that the requests address in turn. Their data does not fit in the caches of a processor."""
_MADE = 6_000
"""The number of bodies of new users that are prepared. A profile needs more, and creates them when needed."""
SERVED = Scope("default")
"""The tenant of the tokens in the benchmark."""


def group_body(members: int, ids: list[str]) -> dict[str, Any]:
    """Return the body of a group with a number of members."""
    listed = [{"value": id} for id in ids[:members]]
    return {"schemas": [GROUP_SCHEMA], "displayName": f"group {members}", "members": listed}


class Ours:
    """A scimkit service with users. By default it has a memory store and no listeners."""

    def __init__(self, people: int, store: Any = None, listeners: Sequence[Listener] = ()) -> None:
        tokens = TokenRegistry()
        self.headers = {"authorization": f"Bearer {tokens.issue('benchmark').token}", "content-type": SCIM_JSON}
        self.store = MemoryStore() if store is None else store
        self.service = ScimService(self.store, tokens=tokens, listeners=listeners)
        self.ids = [self.create(number) for number in range(people)]

    def send(self, method: str, path: str, query: str = "", body: bytes = b"") -> Any:
        response = run_sync(self.service.handle(Request(method, path, query, self.headers, body, BASE_URL)))
        assert response.status < 400, response.body
        return response

    def create(self, number: int) -> str:
        return json.loads(self.send("POST", "/Users", body=json.dumps(user_body(number)).encode()).body)["id"]

    def patch(self, id: str, body: bytes) -> None:
        self.send("PATCH", f"/Users/{id}", body=body)

    def patch_group(self, id: str, body: bytes) -> None:
        self.send("PATCH", f"/Groups/{id}", body=body)

    def group(self, members: int) -> str:
        """Create a group with a number of members, and return its id."""
        body = group_body(members, self.ids)
        return json.loads(self.send("POST", "/Groups", body=json.dumps(body).encode()).body)["id"]


class Theirs:
    """A scim2-server application with users."""

    def __init__(self, people: int) -> None:
        logging.getLogger("scim2_server").setLevel(logging.CRITICAL)
        self.storage = InMemoryStorage()
        self.application = WSGIApplication(self.storage, load_default_provider())
        self.ids = [self.create(number) for number in range(people)]

    def send(self, method: str, path: str, query: dict[str, str] | None = None, body: bytes = b"") -> Any:
        headers = {"Content-Type": SCIM_JSON} if body else {}
        response = self.application.serve(ScimRequest(method, BASE_URL, path, query or {}, headers, body))
        assert response.status.value < 400, response.body
        return json.dumps(response.body).encode() if response.body is not None else b""

    def create(self, number: int) -> str:
        return json.loads(self.send("POST", "/Users", body=json.dumps(user_body(number)).encode()))["id"]

    def patch(self, id: str, body: bytes) -> None:
        self.send("PATCH", f"/Users/{id}", body=body)

    def patch_group(self, id: str, body: bytes) -> None:
        self.send("PATCH", f"/Groups/{id}", body=body)

    def group(self, members: int) -> str:
        """Create a group with a number of members, and return its id."""
        body = group_body(members, self.ids)
        return json.loads(self.send("POST", "/Groups", body=json.dumps(body).encode()))["id"]


PAGE = "page of 100"
ENTRA_PATCH = "PATCH of Entra's 8"
REQUESTS: dict[str, tuple[float | None, int, float]] = {
    "GET by id": (30, 1000, 2.5), "filter userName eq": (40, 1000, 2.5), "PATCH active": (40, 1000, 2.5),
    ENTRA_PATCH: (None, 300, 4), "POST": (17, 100, 2.5), PAGE: (200, 20, 0.9),
}  # fmt: skip
"""The measured requests.

The values are the goal as a multiple of the speed of the peer, the number of calls, and how many times as long as the
floor the request may take.
"""
STORE_STEPS = ("MemoryStore.change, one member of {:,}", "flat: one member of {:,}, whole request")


def _made(people: int) -> int:
    """Return the number of bodies of new users to prepare. A quick run has few users, and needs few bodies."""
    return min(_MADE, 10 * people)


def asked(people: int) -> range:
    """Return the numbers of the users that the requests address in turn."""
    return range(0, people, max(1, people // _ASKED))


class Turns:
    """The ids, names and bodies that the requests of an implementation use in turn. All implementations use the same.

    The requests address 100 users throughout the directory, so that no user stays in a cache. Bodies are prepared in
    advance.
    """

    def __init__(self, people: int, ids: list[str]) -> None:
        chosen = asked(people)
        changes, entra = (
            [json.dumps(each).encode() for each in bodies]
            for bodies in ((disabling(False), disabling(True)), (ENTRA, undoing(ENTRA)))
        )
        made = _made(people)
        fresh = [_fresh(number) for number in range(made)]
        self.ids = itertools.cycle([ids[number] for number in chosen])
        self.changes = itertools.cycle([(ids[number], change) for change in changes for number in chosen])
        self.entra = itertools.cycle([(ids[number], change) for change in entra for number in chosen])
        self.names = itertools.cycle([f"user{number}@example.com" for number in chosen])
        self.new = itertools.chain(fresh, map(_fresh, itertools.count(made)))
        self.start = people // 2


def our_calls(ours: Ours, people: int, groups: Sequence[int] = ()) -> Calls:
    """Return the requests to scimkit, including those that add or remove one member of groups of some sizes."""
    turns, send = Turns(people, ours.ids), ours.send
    page = f"startIndex={turns.start}&count=100"
    return {
        "GET by id": lambda: send("GET", f"/Users/{next(turns.ids)}"),
        "filter userName eq": lambda: send("GET", "/Users", f"filter=userName+eq+%22{next(turns.names)}%22"),
        "PATCH active": lambda: ours.patch(*next(turns.changes)),
        ENTRA_PATCH: lambda: ours.patch(*next(turns.entra)),
        "POST": lambda: send("POST", "/Users", body=next(turns.new)),
        PAGE: lambda: send("GET", "/Users", page),
        **_member_calls(ours, groups),
    }


def their_calls(peer: Theirs, people: int, groups: Sequence[int] = ()) -> Calls:
    """Return the same requests to the peer."""
    turns, send = Turns(people, peer.ids), peer.send
    page = {"startIndex": str(turns.start), "count": "100"}
    return {
        "GET by id": lambda: send("GET", f"/Users/{next(turns.ids)}"),
        "filter userName eq": lambda: send("GET", "/Users", {"filter": f'userName eq "{next(turns.names)}"'}),
        "PATCH active": lambda: peer.patch(*next(turns.changes)),
        ENTRA_PATCH: lambda: peer.patch(*next(turns.entra)),
        "POST": lambda: send("POST", "/Users", body=next(turns.new)),
        PAGE: lambda: send("GET", "/Users", page),
        **_member_calls(peer, groups),
    }


def bare_calls(floor: Floor, people: int, groups: Sequence[int] = ()) -> Calls:
    """Return the minimal work of the same requests."""
    turns = Turns(people, floor.ids)
    return {
        "GET by id": lambda: floor.get(next(turns.ids)),
        "filter userName eq": lambda: floor.named(next(turns.names)),
        "PATCH active": lambda: floor.patch(*next(turns.changes)),
        ENTRA_PATCH: lambda: floor.patch(*next(turns.entra)),
        "POST": lambda: floor.post(next(turns.new)),
        PAGE: lambda: floor.page(turns.start),
        **_member_calls(floor, groups),
    }


def _member_calls(served: Ours | Theirs | Floor, sizes: Sequence[int]) -> Calls:
    """Return the member requests. Each group is created on first use; before, no user is a member of a group."""
    group, bodies = cache(served.group), _member_bodies(served.ids[-1])

    def call(size: int) -> Callable[[], None]:
        return lambda: served.patch_group(group(size), next(bodies))

    return {MEMBER.format(size): call(size) for size in sizes}


def _fresh(number: int) -> bytes:
    """Return the body of a user that does not exist yet."""
    return json.dumps(user_body(10_000_000 + number)).encode()


class Floor:
    """The minimal work of each request: the same JSON through `pydantic_core`, and lookups in dicts.

    The responses have the same length as those of scimkit. Ids are prepared in advance.
    """

    def __init__(self, people: int) -> None:
        self._users: dict[str, dict[str, Any]] = {}
        self._by_name: dict[str, dict[str, Any]] = {}
        self._members: dict[int, dict[str, Any]] = {}
        self._new_ids = [str(uuid4()) for _ in range(people + _made(people))]
        for number in range(people):
            self._keep(from_json(json.dumps(user_body(number))))
        self.ids = list(self._users)

    def _keep(self, document: dict[str, Any]) -> dict[str, Any]:
        id = self._new_ids.pop()
        meta = {"resourceType": "User", "created": "2026-01-01T00:00:00.000000Z", "version": 'W/"1"',
                "lastModified": "2026-01-01T00:00:00.000000Z", "location": f"{BASE_URL}/Users/{id}"}  # fmt: skip
        kept = self._users[id] = self._by_name[document["userName"]] = {**document, "id": id, "meta": meta}
        return kept

    def get(self, id: str) -> bytes:
        return to_json(self._users[id])

    def named(self, name: str) -> bytes:
        return self._listed([self._by_name[name]], 1, 1)

    def patch(self, id: str, body: bytes) -> bytes:
        document = self._users[id] = bare_patch(self._users[id], from_json(body))
        return to_json(document)

    def post(self, body: bytes) -> bytes:
        return to_json(self._keep(from_json(body)))

    def group(self, members: int) -> int:
        self._members[members] = {id: {"value": id} for id in self.ids[:members]}
        return members

    def patch_group(self, id: int, body: bytes) -> None:
        members, operation = self._members[id], from_json(body)["Operations"][0]
        if operation["op"] == "add":
            members.setdefault(operation["value"][0]["value"], operation["value"][0])
        else:
            members.pop(operation["path"].split('"')[1], None)

    def page(self, start: int) -> bytes:
        found = [self._users[id] for id in self.ids[start - 1 : start + 99]]
        return self._listed(found, len(self._users), start)

    def _listed(self, found: list[dict[str, Any]], total: int, start: int) -> bytes:
        return to_json({"schemas": [LIST], "totalResults": total, "startIndex": start, "itemsPerPage": len(found),
                        "Resources": found})  # fmt: skip


def _member_bodies(id: str) -> Iterator[bytes]:
    add = {"op": "add", "path": "members", "value": [{"value": id}]}
    remove = {"op": "remove", "path": f'members[value eq "{id}"]'}
    return itertools.cycle([json.dumps({**DISABLE, "Operations": [each]}).encode() for each in (add, remove)])


def store_member_steps(sizes: tuple[int, ...]) -> list[Step]:
    """Return the member steps, through `MemoryStore.change` alone and as requests, in one large directory.

    The users have only a `userName`, and are written directly to the store.
    """
    ours, scope = Ours(0), SERVED
    schemas = [CORE]
    for number in range(max(sizes) + 1):
        written = ours.store.create(scope, USER, {"schemas": schemas, "userName": f"u{number}"})
        ours.ids.append(written.document["id"])
    last, steps = ours.ids[-1], []
    for size in sizes:
        group = ours.store.create(scope, GROUP, group_body(size, ours.ids)).document["id"]
        add = ChangeSet({}, frozenset(), {"members": ReferenceChanges(({"value": last},))})
        remove = ChangeSet({}, frozenset(), {"members": ReferenceChanges((), frozenset({last}))})
        changes, bodies = itertools.cycle([add, remove]), _member_bodies(last)
        steps += [
            Step(STORE_STEPS[0].format(size),
                 lambda group=group, turns=changes: ours.store.change(scope, GROUP, group, next(turns)),
                 None, None, None, "", 500),
            Step(STORE_STEPS[1].format(size),
                 lambda group=group, turns=bodies: ours.send("PATCH", f"/Groups/{group}", body=next(turns)),
                 None, None, None, "", 200),
        ]  # fmt: skip
    return steps
