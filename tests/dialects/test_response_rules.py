"""The rules of responses that satisfy every known identity provider, checked in each dialect.

The numbers are those of section 15 of the project's notes on identity providers.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from scimkit import DIALECTS, Limits, ScimError
from scimkit.errors import TooManyRequests, Unavailable
from tests.client import ENTERPRISE, ERROR, GROUP, USER, Answer, Client


@pytest.fixture(params=sorted(DIALECTS))
def client(request: pytest.FixtureRequest) -> Client:
    """Return a client of a service with each of the dialects."""
    return Client(dialect=DIALECTS[request.param], limits=Limits(page=3))


def found_by(endpoint: str, text: str) -> str:
    """Return the path of a search."""
    return f"{endpoint}?filter={quote(text)}"


def is_error(answer: Answer, status: int) -> bool:
    """Report whether an answer is a SCIM error with that status, also as a string in its body."""
    return (
        answer.status == status
        and answer.body["schemas"] == [ERROR]
        and answer.body["status"] == str(status)
        and type(answer.body["detail"]) is str
        and answer.headers["Content-Type"] == "application/scim+json"
    )


def test_1_no_hit_is_an_empty_list(client: Client) -> None:
    """A search without a match returns 200 and an empty list.

    A malformed filter gets 400, never the unfiltered list.
    """
    client.user("ada")
    answer = client.get(found_by("/Users", 'userName eq "nobody"'))
    assert (answer.status, answer.body["totalResults"], answer.body["Resources"]) == (200, 0, [])
    for text in ("userName", 'nosuch eq "x"', "userName zz 1", "(", 'userName eq "x" and'):
        refused = client.get(f"/Users?filter={quote(text)}")
        assert is_error(refused, 400), text
        assert refused.body["scimType"] == "invalidFilter"


def test_2_pages(client: Client) -> None:
    """Numbers are integers, and the order is stable.

    count is clamped; a page past the end is empty with the real total.
    """
    ids = [client.user(f"user{number}") for number in range(5)]
    first, rest = client.get("/Users?startIndex=1&count=100").body, client.get("/Users?startIndex=4&count=100").body
    assert [each["id"] for each in first["Resources"] + rest["Resources"]] == ids
    assert all(type(first[name]) is int for name in ("totalResults", "startIndex", "itemsPerPage"))
    past = client.get("/Users?startIndex=100&count=10").body
    assert (past["totalResults"], past["Resources"]) == (5, [])
    assert client.get("/Users?count=-1").body["Resources"] == []
    assert len(client.get("/Users?count=1000").body["Resources"]) == 3  # the page limit of this service
    assert client.get("/Users").body == first


def test_3_every_error_is_a_scim_error(client: Client) -> None:
    """Errors have a body with their status as a string. A 409 has the scimType uniqueness."""
    client.user("ada")
    assert is_error(client.get("/Users", headers={"Authorization": "Bearer x"}), 401)
    assert is_error(client.get("/Users/1"), 404)
    assert is_error(client.get("/No/Such/Route"), 404)
    assert is_error(client.delete("/Users"), 405)
    assert is_error(client.post("/Users", b"{"), 400)
    assert is_error(client.post("/Users", b"x" * 6_000_000), 413)
    assert is_error(client.post("/Users", b"{}", headers={"Content-Type": "text/plain"}), 415)
    taken = client.post("/Users", {"schemas": [USER], "userName": "ADA"})
    assert is_error(taken, 409)
    assert taken.body["scimType"] == "uniqueness"


@pytest.mark.parametrize("fault", [TooManyRequests(30), Unavailable(30)], ids=lambda fault: str(fault.status))
def test_4_retry_after(client: Client, fault: ScimError) -> None:
    """429 and 503 have Retry-After in whole seconds. A temporary failure is never 500."""

    def refuse(_: object) -> bool:
        raise fault

    answer = Client(authorize=refuse).get("/Users")
    assert is_error(answer, fault.status)
    assert answer.headers["Retry-After"] == "30"


def test_5_statuses_and_bodies(client: Client) -> None:
    """201 has a body and Location. PATCH returns 200 and the user, or 204 for a group, never 200 without a body."""
    created = client.post("/Users", {"schemas": [USER], "userName": "ada"})
    assert (created.status, created.headers["Location"]) == (201, created.body["meta"]["location"])
    title = {"op": "replace", "path": "title", "value": "Countess"}
    patched = client.patch(f"/Users/{created.id}", title)
    assert (patched.status, patched.body["userName"], patched.body["title"]) == (200, "ada", "Countess")
    assert client.patch(f"/Users/{created.id}", title).body == patched.body
    group = client.group("Staff")
    add = {"op": "add", "path": "members", "value": [{"value": created.id}]}
    assert [client.patch(f"/Groups/{group}", add).status for _ in range(2)] == [204, 204]
    named = client.patch(f"/Groups/{group}?attributes=displayName", add)
    assert (named.status, named.body["displayName"]) == (200, "Staff")


@pytest.mark.parametrize(
    ("endpoint", "name", "schema"), [("/Users", "userName", USER), ("/Groups", "displayName", GROUP)]
)
def test_6_names_are_case_insensitive(client: Client, endpoint: str, name: str, schema: str) -> None:
    """userName and the displayName of a group are compared without case. The response has the stored case."""
    client.post(endpoint, {"schemas": [schema], name: " Ada King "})
    found = client.get(found_by(endpoint, f'{name} eq " ADA KING "')).body["Resources"]
    assert [each[name] for each in found] == [" Ada King "]


def test_7_inactive_users_stay(client: Client) -> None:
    """An inactive user is read, found and listed with `active: false`, and keeps its memberships."""
    ada = client.user("ada", active=True)
    group = client.group("Staff", ada)
    client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    found = client.get(found_by("/Users", 'userName eq "ada"')).body["Resources"]
    listed = client.get("/Users").body["Resources"]
    assert [each["active"] for each in (client.get(f"/Users/{ada}").body, *found, *listed)] == [False] * 3
    assert client.members(group) == {ada}
    client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": True})
    assert client.members(group) == {ada}


def test_8_delete(client: Client) -> None:
    """DELETE returns 204, then 404. An id is never used again, and never contains the text bulkId."""
    ada = client.user("ada")
    assert client.delete(f"/Users/{ada}").status == 204
    assert is_error(client.delete(f"/Users/{ada}"), 404)
    assert is_error(client.get(f"/Users/{ada}"), 404)
    again = client.user("ada")
    assert again != ada
    assert "bulkid" not in again.lower()


@pytest.mark.parametrize("path", ["/Users/{}", "/Users"])
def test_9_projections(client: Client, path: str) -> None:
    """`attributes` and `excludedAttributes` apply to every GET, of one resource and of a list."""
    ada = client.user("ada", title="Countess", active=True)

    def read(query: str) -> Any:
        body = client.get(f"{path.format(ada)}?{query}").body
        return body["Resources"][0] if path == "/Users" else body

    assert set(read("attributes=title")) == {"schemas", "id", "title"}
    assert "title" not in read("excludedAttributes=title")
    assert read("excludedAttributes=title")["userName"] == "ada"
    group = client.group("Staff", ada)
    assert "members" not in client.get(f"/Groups/{group}?excludedAttributes=members").body
    listed = client.get(found_by("/Groups", 'displayName eq "Staff"') + "&excludedAttributes=members").body
    assert "members" not in listed["Resources"][0]


@pytest.mark.parametrize(
    "media_type",
    [None, "application/json", "application/scim+json", "application/json; charset=utf-8",
     "application/scim+json;charset=UTF-8"],
)  # fmt: skip
def test_10_media_types(client: Client, media_type: str | None) -> None:
    """A body needs no Content-Type, and may be JSON or SCIM, with or without a charset."""
    headers = {} if media_type is None else {"Content-Type": media_type}
    created = client.post("/Users", {"schemas": [USER], "userName": "ada"}, headers=headers)
    assert created.status == 201
    read = client.get(f"/Users/{created.id}")  # the request has no Accept and no Content-Type
    assert (read.status, read.headers["Content-Type"]) == (200, "application/scim+json")


def test_11_discovery(client: Client) -> None:
    """Lists and single discovery documents exist, without nulls and with the canonicalValues of `type`.

    A schema is found by its URN, plain or percent-encoded.
    """
    for path in ("/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/ResourceTypes/Group", "/Schemas",
                 f"/Schemas/{USER}", f"/Schemas/{USER.replace(':', '%3A')}", f"/Schemas/{ENTERPRISE}"):  # fmt: skip
        answer = client.get(path)
        assert answer.status == 200, path
        assert "None" not in str(answer.body)
    emails = next(each for each in client.get(f"/Schemas/{USER}").body["attributes"] if each["name"] == "emails")
    kind = next(each for each in emails["subAttributes"] if each["name"] == "type")
    assert {"work", "home"} <= set(kind["canonicalValues"])
    for schema in client.get("/Schemas").body["Resources"]:
        assert not [each["name"] for each in schema["attributes"] if each["mutability"] == "writeOnly"]


def test_11_a_password_hook_is_announced(client: Client) -> None:
    """With a password hook, the schema has the password attribute, and changePassword is supported."""
    taking = Client(set_password=lambda tenant, id, password: None)
    published = {each["name"] for each in taking.get(f"/Schemas/{USER}").body["attributes"]}
    assert "password" in published
    assert taking.get("/ServiceProviderConfig").body["changePassword"] == {"supported": True}
    assert client.get("/ServiceProviderConfig").body["changePassword"] == {"supported": False}


def test_12_patch_is_all_or_nothing(client: Client) -> None:
    """A failed operation undoes the operations before it. Adding a present value changes nothing."""
    ada = client.user("ada", title="Countess")
    before = client.get(f"/Users/{ada}").body
    failed = client.patch(
        f"/Users/{ada}", {"op": "replace", "path": "title", "value": "x"}, {"op": "remove", "path": "userName"}
    )
    assert is_error(failed, 400)
    client.patch(f"/Users/{ada}", {"op": "add", "path": "title", "value": "Countess"})
    client.patch(f"/Users/{ada}", {"op": "remove", "path": "nickName"})
    assert client.get(f"/Users/{ada}").body == before


def test_13_unknown_members(client: Client) -> None:
    """A member that does not exist does not prevent the others from being added."""
    ada, group = client.user("ada"), client.group("Staff")
    members = [{"value": "nobody"}, {"value": ada}]
    assert client.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": members}).status == 204
    assert client.members(group) == {ada}


def test_14_group_names_are_unique(client: Client) -> None:
    """A second group with the same name gets 409."""
    client.group("Staff")
    assert is_error(client.post("/Groups", {"schemas": [GROUP], "displayName": "STAFF"}), 409)


def test_15_two_tokens(client: Client) -> None:
    """Two tokens of a tenant are valid at the same time, so that a token can be rotated."""
    ada, old = client.user("ada"), client.token
    for token in (old, client.tokens.issue("next").token, old):
        client.token = token
        assert client.get(f"/Users/{ada}").status == 200
