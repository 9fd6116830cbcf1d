"""Every request that identity providers were observed to send, replayed.

`cases.jsonl` is a copy of the project's collection. A case has parts of resources. Resources to which a case refers but
that it does not contain are created first, as placeholders.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scimkit import MemoryStore, as_async_store
from scimkit.stores.sql import AsyncSqlStore, SqlStore
from tests.client import Answer, Client

CASES = [json.loads(line) for line in Path(__file__).with_name("cases.jsonl").read_text().splitlines()]


class Awaited:
    """A memory store that suspends in every method, as a store over a network does."""

    is_async = True
    blocking = False
    unsupported = ("member_pages",)

    def __init__(self) -> None:
        self._store = as_async_store(MemoryStore())

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def awaited(*arguments: Any, **options: Any) -> Any:
            await asyncio.sleep(0)
            return await method(*arguments, **options)

        return awaited


class AsyncClient(Client):
    """A client that awaits the service on an event loop."""

    loop: asyncio.AbstractEventLoop

    def run(self, waiting: Any) -> Any:
        """Return the response from the event loop."""
        return self.loop.run_until_complete(waiting)


@pytest.fixture(scope="module", params=["memory", "sqlite", "async memory", "async sqlite"])
def make_client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Yield a function that creates a client of a tenant, over each kind of store."""
    url = f"sqlite:///{tmp_path_factory.mktemp('cases')}/scim.db"
    loop = AsyncClient.loop = asyncio.new_event_loop()
    store: Any
    if request.param == "async sqlite":
        store = AsyncSqlStore(url)
        loop.run_until_complete(store.upgrade())
    else:
        store = {"memory": MemoryStore, "async memory": Awaited, "sqlite": lambda: SqlStore(url)}[request.param]()
    kind = AsyncClient if store.is_async else Client
    yield lambda tenant: kind(store, tenant=tenant)
    if request.param == "async sqlite":
        loop.run_until_complete(store.engine.dispose())
    elif request.param == "sqlite":
        store.engine.dispose()
    loop.close()


class Replay:
    """The replay of one case in a separate tenant. Ids of the case are replaced by ids of the service."""

    def __init__(self, case: dict[str, Any], client: Client) -> None:
        self.case = case
        self.client = client
        self.ids: dict[str, str] = {}
        self.placeholders: set[str] = set()

    def translate(self, value: Any) -> Any:
        text = json.dumps(value)
        for theirs, ours in self.ids.items():
            text = text.replace(theirs, ours)
        return json.loads(text)

    def prepare(self) -> None:
        before = self.case["precondition"] or {}
        after = self.case["expect"].get("resulting_state") or {}
        groups = before.get("groups", []) + after.get("groups", [])
        users = sorted(before.get("users", []), key=lambda user: "manager" in json.dumps(user))
        for user in users:
            self.ids[user["id"]] = self.create("/Users", user)
        mentioned = {member["value"] for group in groups for member in group.get("members", [])}
        for id in mentioned - set(self.ids):
            self.ids[id] = self.create("/Users", {"userName": f"placeholder-{id}"})
            self.placeholders.add(self.ids[id])
        for group in before.get("groups", []):
            self.ids[group["id"]] = self.create("/Groups", group)

    def create(self, endpoint: str, resource: dict[str, Any]) -> str:
        answer = self.client.post(endpoint, self.translate({k: v for k, v in resource.items() if k != "id"}))
        assert answer.status == 201, answer.body
        return answer.id

    def send(self) -> Answer:
        case = self.case
        return self.client.send(
            case["method"], self.translate(case["path"]), self.translate(case["body"]), case.get("headers")
        )

    def check(self, answer: Answer) -> None:
        expected = self.case["expect"]
        allowed = {int(status) for status in re.findall(r"\b[2-5]\d\d\b", str(expected["status"]))}
        if self.case["method"] == "PATCH" and "/Groups" in self.case["path"] and 200 in allowed:
            allowed.add(204)  # scimkit answers a PATCH of a group with 204; every client accepts both
        assert answer.status in allowed, answer.body
        if "response" in expected:
            listed = self.translate(expected["response"])
            assert answer.body["totalResults"] == listed["totalResults"]
            assert [each["id"] for each in answer.body["Resources"]] == listed["resource_ids"]
        self.check_state(self.translate(expected.get("resulting_state") or {}), answer)

    def check_state(self, state: dict[str, Any], answer: Answer) -> None:
        for kind in ("users", "groups"):
            listed = self.client.get(f"/{kind.title()}").body["Resources"]
            there = [each for each in listed if each["id"] not in self.placeholders]
            for wanted in state.get(kind, []):
                assert any(differs(wanted, each) is None for each in there), [differs(wanted, each) for each in there]
            for path in state.get("absent", []):
                name, _, where = path.partition(" (")
                shown = [answer.body] if where else there
                assert all(not has(each, name) for each in shown if each is not None)


def has(resource: dict[str, Any], path: str) -> bool:
    urn, colon, name = path.rpartition(":")
    return name in (resource.get(urn, {}) if colon else resource)


def differs(expected: Any, actual: Any, where: str = "") -> str | None:
    """Return where `expected` is not a part of `actual`, or None. Members are compared as a set of values.

    An empty array counts as absent.
    """
    if isinstance(expected, dict):
        for name, value in expected.items():
            if name not in actual:
                if value in ([], None):
                    continue
                return f"{where}.{name} is missing"
            if (found := differs(value, actual[name], f"{where}.{name}")) is not None:
                return found
        return None
    if isinstance(expected, list):
        if where.endswith(".members"):
            same = {each["value"] for each in expected} == {each["value"] for each in actual}
        else:
            same = len(expected) == len(actual) and all(
                any(differs(each, other) is None for other in actual) for each in expected
            )
        return None if same else f"{where} is {actual}"
    return None if expected == actual else f"{where} is {actual!r}, not {expected!r}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any], make_client: Any) -> None:
    """The tolerant dialect serves the request as its source requires, over every kind of store, sync and async."""
    replay = Replay(case, make_client(case["id"]))
    replay.prepare()
    replay.check(replay.send())


def test_there_are_118_cases() -> None:
    """The collection has all 118 cases."""
    assert len(CASES) == 118
    assert len({case["id"] for case in CASES}) == 118


def test_the_copy_is_the_collection() -> None:
    """The copy equals the project's collection, if that is on this machine."""
    shared = os.environ.get("SCIMKIT_SHARED", str(Path(__file__).parents[3] / "shared"))
    original = Path(shared) / "idp" / "cases.jsonl"
    if not original.exists():
        pytest.skip("the project's collection is not on this machine")
    assert original.read_bytes() == Path(__file__).with_name("cases.jsonl").read_bytes()
