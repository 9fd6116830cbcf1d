"""The scopes of tokens: which operation needs which scope, and the error without it."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import MemoryStore
from tests.client import GROUP, PATCH_OP, USER, Answer, Client

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
TITLE = {"op": "add", "path": "title", "value": "x"}


class Fixture:
    """A store with a user and a group, and clients with tokens of some scopes."""

    def __init__(self, **options: Any) -> None:
        self.store = MemoryStore()
        self.options = options
        owner = Client(self.store)
        self.user, self.group = owner.user("ada"), owner.group("Team")

    def client(self, *scopes: str) -> Client:
        """Return a client whose token has the scopes."""
        client = Client(self.store, **self.options)
        client.token = client.tokens.issue("limited", scopes=scopes).token
        return client

    def answers(self, *scopes: str) -> dict[str, Answer]:
        """Return the answer to each operation on users. A new user is deleted at the end."""
        client, path = self.client(*scopes), f"/Users/{self.user}"
        body = {"schemas": [USER], "userName": "ada"}
        return {
            "read": client.get(path),
            "search": client.get("/Users"),
            "POST .search": client.post("/Users/.search", {"schemas": [SEARCH]}),
            "create": client.post("/Users", {**body, "userName": "bo"}),
            "replace": client.put(path, body),
            "patch": client.patch(path, TITLE),
            "delete": client.delete(path),
        }


@pytest.fixture(params=[False, True], ids=["no hook", "hook"])
def desk(request: pytest.FixtureRequest) -> Fixture:
    """A store with a user and a group, without and with a hook that allows everything."""
    return Fixture(authorize=lambda access: True) if request.param else Fixture()


READS = {"read", "search", "POST .search"}


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (("read",), READS),
        (("read:User",), READS),
        (("write",), {"create", "replace", "patch", "delete"}),
        (("write:User",), {"create", "replace", "patch", "delete"}),
        (("read", "write:Group"), READS),
        (("read:Group", "write:Group"), set()),
        (("read:User", "write:User"), {*READS, "create", "replace", "patch", "delete"}),
        (("read", "write"), {*READS, "create", "replace", "patch", "delete"}),
    ],
)
def test_each_operation_needs_its_scope(desk: Fixture, scopes: tuple[str, ...], allowed: set[str]) -> None:
    """A token may do exactly the operations that its scopes name. Every other operation is 403."""
    answers = desk.answers(*scopes)
    assert {name for name, answer in answers.items() if answer.status < 300} == allowed
    assert {answer.status for name, answer in answers.items() if name not in allowed} <= {403}
    assert all("scope" in answer.body["detail"] for name, answer in answers.items() if name not in allowed)


def test_the_detail_names_the_missing_scope(desk: Fixture) -> None:
    """The detail names the operation, the resource type and the scope that the token lacks."""
    body = {"schemas": [USER], "userName": "bo"}
    told = desk.client("read").post("/Users", body).body
    assert told["detail"] == "This token may not create a User: it lacks the scope write."
    assert told["status"] == "403"
    told = desk.client("read", "write:Group").post("/Users", body).body
    assert told["detail"] == "This token may not create a User: it lacks the scope write:User."
    told = desk.client("write").get("/Groups").body
    assert told["detail"] == "This token may not search a Group: it lacks the scope read."


def test_each_operation_of_a_bulk_request_needs_its_scope(desk: Fixture) -> None:
    """A bulk request serves the operations that the scopes permit, and refuses each of the others."""
    operations: list[dict[str, Any]] = [
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": "bo"}},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": [GROUP], "displayName": "Desk"}},
        {"method": "PATCH", "path": f"/Users/{desk.user}", "data": {"schemas": [PATCH_OP], "Operations": [TITLE]}},
        {"method": "DELETE", "path": f"/Groups/{desk.group}"},
    ]
    answer = desk.client("write:Group").post("/Bulk", {"schemas": [BULK], "Operations": operations})
    results = answer.body["Operations"]
    assert [each["status"] for each in results] == ["403", "201", "403", "204"]
    assert "write:User" in results[0]["response"]["detail"]


def test_a_search_over_all_types_shows_what_may_be_read(desk: Fixture) -> None:
    """A search over all types returns the types that the scopes permit. Without any such type, it is 403."""
    for method in ("get", "post"):

        def search(*scopes: str, method: str = method) -> Answer:
            client = desk.client(*scopes)
            return client.get("/") if method == "get" else client.post("/.search", {"schemas": [SEARCH]})

        assert {each["id"] for each in search("read").body["Resources"]} == {desk.user, desk.group}
        assert [each["id"] for each in search("read:User").body["Resources"]] == [desk.user]
        assert search("write").status == 403
        assert "scope read" in search("write", "write:User").body["detail"]


def test_me_needs_the_scope_of_its_resource() -> None:
    """`/Me` needs the scope of the resource that it stands for."""
    desk = Fixture(me=lambda principal: f"Users/{desk.user}")
    assert desk.client("read:User").get("/Me").status == 200
    assert desk.client("read:Group").get("/Me").status == 403
    refused = desk.client("read").patch("/Me", TITLE)
    assert refused.status == 403
    assert "scope write" in refused.body["detail"]


def test_discovery_needs_no_scope(desk: Fixture) -> None:
    """Every valid token may read the discovery documents."""
    client = desk.client("write:Nothing")
    for path in ("/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", f"/Schemas/{USER}"):
        assert client.get(path).status == 200
