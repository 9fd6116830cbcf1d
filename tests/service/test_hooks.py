"""The hooks of a host: authorization, and `/Me`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scimkit import MemoryStore, Request, ScimService, TokenRegistry, run_sync
from scimkit.events import Access
from tests.client import PATCH_OP, USER, Client


@pytest.mark.parametrize("forbidden", ["create", "read", "search", "replace", "patch", "delete"])
@pytest.mark.rfc("7644-2-1", "7644-3.12-5", "7644-7.7-2")
def test_a_forbidden_operation(forbidden: str) -> None:
    """An operation that the hook forbids gets 403 and changes nothing. Other operations are served."""
    allowed = Client()
    id = allowed.user("ada")
    asked: list[Access] = []

    def authorize(access: Access) -> bool:
        asked.append(access)
        return access.operation != forbidden

    client = Client(authorize=authorize)
    if forbidden != "create":
        id = client.user("ada")
    answers = {
        "create": client.post("/Users", {"schemas": [USER], "userName": "bo"}),
        "read": client.get(f"/Users/{id}"),
        "search": client.get("/Users"),
        "replace": client.put(f"/Users/{id}", {"schemas": [USER], "userName": "ada"}),
        "patch": client.patch(f"/Users/{id}", {"op": "add", "path": "title", "value": "x"}),
        "delete": client.delete(f"/Users/{id}"),
    }
    assert answers[forbidden].status == 403
    assert answers[forbidden].body["status"] == "403"
    if forbidden != "create":
        assert all(answer.status < 300 for name, answer in answers.items() if name != forbidden)
    assert {(each.tenant, each.resource_type) for each in asked} == {("default", "User")}


def test_arguments_of_the_authorization_hook() -> None:
    """The hook is called before the body is read, with the id from the path. Create and search have no id."""
    asked: list[Access] = []

    def authorize(access: Access) -> bool:
        asked.append(access)
        return False

    client = Client(authorize=authorize)
    headers = {"authorization": f"Bearer {client.token}"}
    for method, path in (("POST", "/Users"), ("PUT", "/Users/7"), ("POST", "/Users/.search"), ("GET", "/Users")):
        assert run_sync(client.service.handle(Request(method, path, "", headers, b"{"))).status == 403
    for id in ("a\nb", "x" * 256):
        assert run_sync(client.service.handle(Request("GET", f"/Users/{id}", "", headers))).status == 404
    assert [(each.operation, each.id) for each in asked] == [
        ("create", None), ("replace", "7"), ("search", None), ("search", None)
    ]  # fmt: skip


def test_a_root_search_leaves_out_forbidden_types() -> None:
    """A search over all resource types returns only types that the token may search."""
    client = Client(authorize=lambda access: (access.operation, access.resource_type) != ("search", "Group"))
    id = client.user("ada")
    client.group("g")
    assert [each["id"] for each in client.get("/").body["Resources"]] == [id]
    assert client.get("/Groups").status == 403
    assert client.post("/Groups/.search", {"schemas": []}).status == 403


@pytest.mark.rfc("7643-3.1-9", "7644-3.11-1", "7644-3.11-2", "7644-3.11-3")
def test_me() -> None:
    """`/Me` serves the resource that the hook names, for reads and writes, with its location."""
    users: dict[str, str] = {}
    client = Client(me=lambda principal: users.get(principal.tenant))
    assert client.get("/Me").status == 404
    id = client.user("ada")
    users["default"] = f"Users/{id}"
    answer = client.get("/Me?attributes=userName")
    assert answer.body == {"schemas": [USER], "id": id, "userName": "ada"}
    assert answer.headers["Content-Location"].endswith(f"/Users/{id}")
    assert client.patch("/Me", {"op": "add", "path": "title", "value": "x"}).body["title"] == "x"
    assert client.put("/Me", {"schemas": [USER], "userName": "ada2"}).body["userName"] == "ada2"
    assert client.post("/Me", {"schemas": [USER], "userName": "bo"}).status == 501
    assert client.delete("/Me").status == 204
    assert client.get("/Me").status == 404


@pytest.mark.rfc("7644-3.11-1", "7644-3.12-5")
def test_me_without_a_hook(client: Client) -> None:
    """Without a hook, every method on `/Me` gets 501."""
    for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
        assert client.send(method, "/Me", {"schemas": [PATCH_OP]}).status == 501


def test_async_hooks() -> None:
    """Hooks may be coroutine functions if there is an event loop."""

    async def authorize(access: Access) -> bool:
        await asyncio.sleep(0)
        return access.operation == "search"

    async def me(principal: Any) -> str | None:
        await asyncio.sleep(0)
        return None

    tokens = TokenRegistry()
    service = ScimService(MemoryStore(), tokens=tokens, authorize=authorize, me=me)
    headers = {"authorization": f"Bearer {tokens.issue('x').token}"}

    def status(path: str) -> int:
        return asyncio.run(service.handle(Request("GET", path, "", headers))).status

    assert (status("/Users"), status("/Users/x"), status("/Me")) == (200, 403, 404)
