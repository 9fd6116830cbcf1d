"""`explain` tells what a request would do, and does nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from scimkit import MemoryStore, Request
from scimkit.dialects import STRICT
from scimkit.events import PendingWrite, Refused, ResourceEvent, after_commit, before_write, in_transaction
from scimkit.safeguards import Breaker
from scimkit.service import ExplainedOperation, Explanation, explain
from scimkit.stores.sql import SqlStore
from tests.client import GROUP, PATCH_OP, USER, Client
from tests.dialects.test_cases import CASES
from tests.stores.databases import DATABASES, apart

ANNA = {"schemas": [USER], "userName": "anna@example.org", "displayName": "Anna"}


@pytest.fixture(params=["memory", *DATABASES])
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryStore()
        return
    made = apart(request.param)
    yield made
    made.engine.dispose()


def explained(client: Client, method: str, path: str, body: Any = None) -> Explanation:
    """Return the explanation of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {client.token}"}
    return explain(client.service, Request(method, path, "", headers, content))


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a PATCH."""
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def test_a_patch(store: Any) -> None:
    """The explanation of a PATCH has the quirks, the operations in RFC form and the changes."""
    client = Client(store)
    id = client.user("anna", active=True)
    before = client.get(f"/Users/{id}").body
    found = explained(client, "PATCH", f"/Users/{id}", patch({"op": "Replace", "path": "active", "value": "False"}))
    assert found.status == 200
    assert found.entry is not None
    assert (found.entry.action, found.entry.result) == ("Disable", "Warning")
    assert found.entry.changes == {"active": {"before": True, "after": False}}
    assert [(each.name, each.before, each.after) for each in found.quirks] == [
        ("op-case", "Replace", "replace"), ("boolean-text", "False", "false"),
    ]  # fmt: skip
    assert found.operations == (ExplainedOperation("replace", "active", False),)
    assert client.get(f"/Users/{id}").body == before


def test_writes_are_rolled_back(store: Any) -> None:
    """A create, a deletion and a change of members leave nothing behind."""
    client = Client(store)
    anna = client.user("anna")
    team = client.group("team")
    found = explained(client, "POST", "/Users", {**ANNA, "password": "Secret-1"})
    assert (found.status, found.entry and found.entry.action, found.detail) == (201, "Create", None)
    assert "Secret-1" not in repr(found)
    add = patch({"op": "add", "path": "members", "value": [{"value": anna}, {"value": "nobody"}]})
    found = explained(client, "PATCH", f"/Groups/{team}", add)
    assert found.entry is not None
    assert (found.entry.action, found.entry.added_members, found.entry.missing_members) == (
        "AddMembers", (anna,), ("nobody",),
    )  # fmt: skip
    assert explained(client, "DELETE", f"/Users/{anna}").status == 204
    assert client.get("/Users").body["totalResults"] == 1
    assert not client.members(team)


def test_a_refusal_names_the_clause() -> None:
    """A refused request has the error, its detail and the section of the RFC."""
    client = Client()
    client.user("anna@example.org")
    found = explained(client, "POST", "/Users", ANNA)
    assert (found.status, found.clause) == (409, "RFC 7643 section 7")
    assert found.entry is not None
    assert (found.entry.result, found.entry.error_code) == ("Failure", "uniqueness")
    assert found.detail == found.entry.detail
    assert explained(client, "GET", "/Users/nobody").status == 404
    assert explained(client, "GET", "/Users").entry is None


def test_hidden_values_stay_hidden() -> None:
    """The operations of a PATCH do not show a password."""
    client = Client()
    id = client.user("anna")
    found = explained(
        client, "PATCH", f"/Users/{id}", patch({"op": "replace", "path": "password", "value": "Secret-1"})
    )
    assert found.operations == (ExplainedOperation("replace", "password", None),)
    assert "Secret-1" not in repr([each.value for each in found.operations])


def test_listeners_and_hooks() -> None:
    """Listeners of the transaction may refuse; nothing else hears of the request."""
    heard: list[Any] = []

    def guard(pending: PendingWrite, _: Any) -> None:
        if pending.document and pending.document["userName"] == "root":
            raise Refused("The name root is taken.", status=403)

    client = Client(
        MemoryStore(provisioning_log=True),
        listeners=[
            before_write(guard),
            in_transaction(ResourceEvent, lambda event, _: heard.append("inside")),
            after_commit(ResourceEvent, lambda event: heard.append("after")),
        ],
        on_request_completed=heard.append,
        on_exchange=lambda *each: heard.append(each),
        set_password=lambda *each: heard.append(each),
    )
    found = explained(client, "POST", "/Users", {**ANNA, "userName": "root"})
    assert (found.status, found.detail) == (403, "The name root is taken.")
    assert explained(client, "POST", "/Users", {**ANNA, "password": "x"}).status == 201
    assert heard == ["inside"]
    log: Any = client.service.provisioning_log
    assert not log.cycles("default")


@pytest.mark.parametrize("make", [MemoryStore, lambda: SqlStore("sqlite://")], ids=["memory", "sqlite"])
def test_a_breaker_does_not_count(make: Any) -> None:
    """A rehearsed deactivation is not counted, and a rehearsed excess does not trip the breaker."""
    store = make()
    client = Client(store, breaker=Breaker(deactivations=1, percent=None))
    ids = [client.user(f"u{n}") for n in range(3)]
    off = patch({"op": "replace", "path": "active", "value": False})
    for _ in range(3):
        assert explained(client, "PATCH", f"/Users/{ids[0]}", off).status == 200
    client.patch(f"/Users/{ids[0]}", off["Operations"][0])
    assert explained(client, "PATCH", f"/Users/{ids[1]}", off).status == 403
    client.patch(f"/Users/{ids[0]}", {"op": "replace", "path": "active", "value": True})
    assert client.get(f"/Users/{ids[1]}").body.get("active", True)
    if isinstance(store, SqlStore):
        store.engine.dispose()


def test_what_cannot_be_explained() -> None:
    """A store without transactions, and a bulk, are refused."""
    client = Client()
    with pytest.raises(ValueError, match="one operation of a bulk"):
        explained(client, "POST", "/Bulk", {})
    with pytest.raises(Exception, match="bearer token"):
        explain(client.service, Request("GET", "/Users", headers={"authorization": "Bearer x"}))


@pytest.mark.parametrize("case", CASES[::3], ids=lambda case: case["id"])
def test_the_status_is_the_one_that_the_request_gets(case: dict[str, Any]) -> None:
    """Whatever identity providers send: the explanation has the status of the real request, and changes nothing."""
    for dialect in ({}, {"dialect": STRICT}):
        client = Client(**dialect)
        client.user("anna@example.org")
        client.post("/Groups", {"schemas": [GROUP], "displayName": "team"})
        before = [client.get(each).body for each in ("/Users", "/Groups")]
        if case["path"].strip("/") == "Bulk":
            continue
        path, _, query = case["path"].partition("?")
        content = b"" if case["body"] is None else json.dumps(case["body"]).encode()
        headers = {"authorization": f"Bearer {client.token}"}
        found = explain(client.service, Request(case["method"], path, query, headers, content))
        assert [client.get(each).body for each in ("/Users", "/Groups")] == before
        assert client.send(case["method"], case["path"], case["body"]).status == found.status
