"""Bulk requests (RFC 7644 section 3.7)."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import Limits
from scimkit.events import Access
from tests.client import BASE_URL, ENTERPRISE, ERROR, GROUP, PATCH_OP, USER, Client

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


def post(bulk_id: str, kind: str = "Users", **data: Any) -> dict[str, Any]:
    schema = {"Users": USER, "Groups": GROUP}[kind]
    return {"method": "POST", "path": f"/{kind}", "bulkId": bulk_id, "data": {"schemas": [schema], **data}}


def bulk(client: Client, *operations: dict[str, Any], **more: Any) -> Any:
    return client.post("/Bulk", {"schemas": [BULK], "Operations": list(operations), **more})


def statuses(answer: Any) -> list[str]:
    return [each["status"] for each in answer.body["Operations"]]


@pytest.mark.rfc("7644-3.7-3", "7644-3.7.3-2", "7644-3.7-10", "7644-3.7-13", "7644-3.7.3-1")
def test_every_method(client: Client) -> None:
    """POST, PUT, PATCH and DELETE get a status, location and version each, in the order of the request."""
    ada, bo, cy = client.user("ada"), client.user("bo"), client.user("cy")
    answer = bulk(
        client,
        post("new", userName="di"),
        {"method": "PUT", "path": f"/Users/{ada}", "data": {"schemas": [USER], "userName": "ada2"}},
        {"method": "patch", "path": f"/Users/{bo}", "data": {
            "schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": "x"}]}},
        {"method": "DELETE", "path": f"/Users/{cy}"},
    )  # fmt: skip
    assert answer.status == 200
    assert answer.body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]
    created, replaced, patched, deleted = answer.body["Operations"]
    assert (created["status"], created["bulkId"], created["method"]) == ("201", "new", "POST")
    assert client.get(created["location"].removeprefix(BASE_URL)).body["meta"]["version"] == created["version"]
    assert (replaced["status"], replaced["location"]) == ("200", f"{BASE_URL}/Users/{ada}")
    assert patched["status"] == "200"
    assert deleted["status"] == "204"
    assert client.get(f"/Users/{bo}").body["title"] == "x"
    assert client.get(f"/Users/{cy}").status == 404


@pytest.mark.parametrize("forward", [False, True])
@pytest.mark.rfc("7644-3.7-7", "7644-3.7.2-1")
def test_references_either_way(client: Client, forward: bool) -> None:
    """A group may refer to a user that is created before or after it, in its data and in a path."""
    user = post("ada", userName="ada")
    group = post("agents", "Groups", displayName="Agents", members=[{"value": "bulkId:ada"}])
    rename = {"method": "PATCH", "path": "/Groups/bulkId:agents", "data": {
        "schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "displayName", "value": "Staff"}]}}  # fmt: skip
    answer = bulk(client, *((rename, group, user) if forward else (user, group, rename)))
    assert sorted(statuses(answer)) == ["201", "201", "204"]
    found = client.get("/Groups").body["Resources"][0]
    assert found["displayName"] == "Staff"
    assert [each["value"] for each in found["members"]] == [client.get("/Users").body["Resources"][0]["id"]]


@pytest.mark.rfc("7644-3.7.1-1", "7644-3.7.2-2")
def test_circular_references(client: Client) -> None:
    """Two groups in each other, and two users who manage each other, are created first and linked afterwards."""
    answer = bulk(
        client,
        post("a", "Groups", displayName="A", members=[{"value": "bulkId:b", "type": "Group"}]),
        post("b", "Groups", displayName="B", members=[{"value": "bulkId:a", "type": "Group"}]),
        post("x", userName="x", **{ENTERPRISE: {"manager": {"value": "bulkId:y"}}}),
        post("y", userName="y", **{ENTERPRISE: {"manager": {"value": "bulkId:x"}, "department": "Care"}}),
    )
    assert statuses(answer) == ["201"] * 4
    a, b, x, y = (client.get(each["location"].removeprefix(BASE_URL)).body for each in answer.body["Operations"])
    assert a["members"][0]["value"] == b["id"]
    assert b["members"][0]["value"] == a["id"]
    assert x[ENTERPRISE]["manager"]["value"] == y["id"]
    assert y[ENTERPRISE]["manager"]["value"] == x["id"]
    assert y[ENTERPRISE]["department"] == "Care"
    assert answer.body["Operations"][0]["version"] == a["meta"]["version"]


@pytest.mark.rfc("7644-3.7.3-2", "7644-3.7-5", "7644-3.7-6", "7644-3.7.3-3")
def test_one_failure_undoes_nothing(client: Client) -> None:
    """A failed operation has an error in its result, and operations that depend on it fail too. All others succeed."""
    client.user("taken")
    answer = bulk(
        client, post("a", userName="ada"), post("b", userName="taken"),
        post("g", "Groups", displayName="G", members=[{"value": "bulkId:b"}]), post("c", userName="cy"),
        {"method": "DELETE", "path": "/Users/nope"}, {"method": "DELETE", "path": "/Schemas/x"},
    )  # fmt: skip
    assert statuses(answer) == ["201", "409", "400", "201", "404", "404"]
    failed = answer.body["Operations"][1]
    assert failed["response"]["schemas"] == [ERROR]
    assert failed["response"]["scimType"] == "uniqueness"
    assert "location" not in failed
    assert client.get("/Users").body["totalResults"] == 3


@pytest.mark.rfc("7644-3.7-6", "7644-3.7-12")
def test_fail_on_errors(client: Client) -> None:
    """After `failOnErrors` errors, the other operations are not served and have no result."""
    nope = {"method": "DELETE", "path": "/Users/nope"}
    answer = bulk(client, nope, post("a", userName="ada"), nope, post("b", userName="bo"), failOnErrors=2)
    assert statuses(answer) == ["404", "201", "404"]
    assert client.get("/Users").body["totalResults"] == 1


@pytest.mark.rfc("7644-3.7-9", "7644-3.14-4")
def test_versions(client: Client) -> None:
    """An operation with a version is applied only if the resource has that version."""
    ada = client.user("ada")
    version = client.get(f"/Users/{ada}").body["meta"]["version"]
    put = {"method": "PUT", "path": f"/Users/{ada}", "data": {"schemas": [USER], "userName": "ada2"}}
    answer = bulk(client, {**put, "version": 'W/"99"'}, {**put, "version": version})
    assert statuses(answer) == ["412", "200"]


def test_each_operation_is_authorized() -> None:
    """The `authorize` hook is called for each operation of a bulk request."""
    asked: list[Access] = []

    def authorize(access: Access) -> bool:
        asked.append(access)
        return access.operation != "delete"

    client = Client(authorize=authorize)
    ada = client.user("ada")
    answer = bulk(client, {"method": "DELETE", "path": f"/Users/{ada}"}, post("b", userName="bo"))
    assert statuses(answer) == ["403", "201"]
    assert [(each.operation, each.id) for each in asked[1:]] == [("delete", ada), ("create", None)]


@pytest.mark.rfc("7644-3.7.4-1")
def test_limits() -> None:
    """Too many operations get 413, and the limits are announced."""
    client = Client(limits=Limits(bulk_operations=2))
    assert client.get("/ServiceProviderConfig").body["bulk"]["maxOperations"] == 2
    assert bulk(client, *[post(str(number), userName=str(number)) for number in range(3)]).status == 413
    assert client.get("/Users").body["totalResults"] == 0


@pytest.mark.parametrize(
    "operation",
    [{}, {"method": "GET", "path": "/Users"}, {"method": "POST", "path": "/Users", "data": {}}, {"method": "POST"},
     {"method": "PUT", "path": "/Users/x", "data": []}, "DELETE", {"method": "DELETE", "path": 5},
     {"method": "DELETE", "path": "/Users/x", "version": 1}],
)  # fmt: skip
@pytest.mark.rfc("7644-3.7-2", "7644-3.7-8", "7644-3.7-11")
def test_a_malformed_operation(client: Client, operation: Any) -> None:
    """A bulk request with one malformed operation is refused completely."""
    answer = bulk(client, post("a", userName="ada"), operation)
    assert (answer.status, answer.body["scimType"]) == (400, "invalidSyntax")
    assert client.get("/Users").body["totalResults"] == 0


@pytest.mark.parametrize("more", [{"failOnErrors": -1}, {"failOnErrors": "x"}, {"Operations": []}, {"Operations": {}}])
def test_a_malformed_bulk(client: Client, more: dict[str, Any]) -> None:
    """A body that is not a BulkRequest is refused."""
    assert bulk(client, **({"Operations": [post("a", userName="ada")]} | more)).status == 400


@pytest.mark.rfc("7644-3.7-2")
def test_the_same_bulk_id_twice(client: Client) -> None:
    """Two operations with the same bulkId are refused."""
    assert bulk(client, post("a", userName="ada"), post("a", userName="bo")).status == 400
    assert client.get("/Users").body["totalResults"] == 0
