"""Conditional requests (RFC 7644 section 3.14)."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import MemoryStore
from scimkit.service import preconditions
from tests.client import GROUP, USER, Client


@pytest.mark.parametrize(
    ("header", "expected"),
    [('W/"1"', True), ('"1"', True), ("*", True), (' "7" , W/"1"', True), ('W/"2"', False), ("", False), ("1", False),
     ('W/"1" W/"2"', False), ('"11", "12"', False)],
)  # fmt: skip
@pytest.mark.rfc("7644-3.14-1", "7643-3.1-11")
def test_lists_of_tags(header: str, expected: bool) -> None:
    """A header may be `*` or a list of weak or strong entity tags. Malformed tags match no version."""
    assert preconditions.is_unchanged({"if-none-match": header}, 'W/"1"') is expected


@pytest.mark.rfc("7644-3.14-3")
def test_reads(client: Client) -> None:
    """A read with the current version in If-None-Match gets 304 without a body.

    With another version it gets the resource.
    """
    id = client.user("ada")
    version = client.get(f"/Users/{id}").headers["ETag"]
    answer = client.get(f"/Users/{id}", headers={"If-None-Match": version})
    assert (answer.status, answer.body, answer.headers["ETag"]) == (304, None, version)
    assert client.get(f"/Users/{id}", headers={"If-None-Match": 'W/"99"'}).status == 200
    assert client.get(f"/Users/{id}", headers={"If-Match": 'W/"99"'}).status == 412
    assert client.get("/ServiceProviderConfig").body["etag"] == {"supported": True}


def writes(client: Client, headers: dict[str, str]) -> list[int]:
    """Return the status of every kind of write with the given headers."""
    id, group = client.get("/Users").body["Resources"][0]["id"], client.get("/Groups").body["Resources"][0]["id"]
    operation: dict[str, Any] = {"op": "replace", "path": "displayName", "value": "x"}
    member = {"op": "add", "path": "members", "value": [{"value": id}]}
    return [
        client.put(f"/Users/{id}", {"schemas": [USER], "userName": "ada"}, headers=headers).status,
        client.patch(f"/Users/{id}", operation, headers=headers).status,
        client.patch(f"/Groups/{group}", member, headers=headers).status,
        client.put(f"/Groups/{group}", {"schemas": [GROUP], "displayName": "g"}, headers=headers).status,
        client.delete(f"/Users/{id}", headers=headers).status,
        client.delete(f"/Groups/{group}", headers=headers).status,
    ]


@pytest.mark.parametrize("headers", [{"If-Match": 'W/"99"'}, {"If-Match": '"98", "99"'}, {"If-None-Match": "*"}])
@pytest.mark.rfc("7644-3.12-5", "7644-3.14-4")
def test_writes_at_another_version(client: Client, headers: dict[str, str]) -> None:
    """A write that expects another version gets 412, and nothing changes."""
    client.user("ada")
    client.group("g")
    before = client.get("/").body
    assert writes(client, headers) == [412] * 6
    assert client.get("/").body == before


def test_writes_at_the_version(client: Client) -> None:
    """A write is served if it expects the current version, any version, or excludes other versions only."""
    client.user("ada")
    client.group("g")
    assert writes(client, {"If-Match": "*"}) == [200, 200, 204, 200, 204, 204]


def test_the_swap_is_in_the_store() -> None:
    """A write between the check and the write of a request is detected. With If-Match: 412; without: a retry."""

    class Racing(MemoryStore):
        races = 0

        def change(self, scope: Any, resource_type: Any, id: str, changes: Any, expected_version: Any = None) -> Any:
            if Racing.races:
                Racing.races -= 1
                super().change(scope, resource_type, id, type(changes)({"nickName": f"n{Racing.races}"}))
            return super().change(scope, resource_type, id, changes, expected_version)

    client = Client(Racing())
    id = client.user("ada")
    version = client.get(f"/Users/{id}").headers["ETag"]
    operation = {"op": "add", "path": "name.givenName", "value": "x"}
    Racing.races = 1
    assert client.patch(f"/Users/{id}", operation, headers={"If-Match": version}).status == 412
    Racing.races = 3
    answer = client.patch(f"/Users/{id}", operation)
    assert (answer.status, answer.body["name"], answer.body["nickName"]) == (200, {"givenName": "x"}, "n0")
    Racing.races = 100
    assert client.patch(f"/Users/{id}", {**operation, "value": "y"}).status == 503
    answer = client.patch(f"/Users/{id}", {"op": "replace", "path": "active", "value": False})
    assert (answer.status, answer.body["active"]) == (200, False), "what needs nothing of the resource loses no race"
