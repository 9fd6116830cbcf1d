"""Clauses of RFC 7644 that no other test shows. The dialect is strict."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from scimkit.dialects import STRICT
from tests.client import ENTERPRISE, USER, Client
from tests.resource_types import DEVICE


@pytest.fixture
def client() -> Client:
    """A strict service."""
    return Client(dialect=STRICT)


@pytest.fixture
def ada(client: Client) -> str:
    """The path of a user with a name and two addresses."""
    emails = [{"value": "a@w", "type": "work", "primary": True}, {"value": "a@h", "type": "home"}]
    return f"/Users/{client.user('ada', name={'givenName': 'Ada', 'familyName': 'King'}, emails=emails)}"


@pytest.mark.rfc("7644-3.3-2")
def test_read_only_attributes_of_a_create_are_ignored(client: Client) -> None:
    """`meta`, `id` and `groups` of the client are passed over."""
    body = {"schemas": [USER], "userName": "ada", "meta": {"resourceType": "X"}, "groups": [{"value": "g"}]}
    answer = client.post("/Users", body)
    assert (answer.status, answer.body["meta"]["resourceType"], "groups" in answer.body) == (201, "User", False)


@pytest.mark.rfc("7644-3.4.2.3-5")
def test_sorting_by_the_primary_value(client: Client) -> None:
    """A multi-valued attribute sorts by its primary value, or else by its first."""
    last = client.user("u1", emails=[{"value": "a"}, {"value": "z", "primary": True}])
    first = client.user("u2", emails=[{"value": "m"}, {"value": "b"}])
    assert [each["id"] for each in client.get("/Users?sortBy=emails").body["Resources"]] == [first, last]


@pytest.mark.rfc("7644-3.5.2-3", "7644-3.5.2-9", "7644-3.5.2-11", "7644-3.5.2.1-1", "7644-3.5.2.2-1", "7644-3.5.2.3-4")
@pytest.mark.parametrize(
    ("operation", "kinds"),
    [
        ({"op": "move", "path": "title", "value": "x"}, "invalidSyntax invalidValue"),
        ({"op": "Add", "path": "title", "value": "x"}, "invalidSyntax invalidValue"),
        ({"op": "replace", "path": "groups", "value": [{"value": "g"}]}, "mutability"),
        ({"op": "add", "value": {"meta": {"version": "x"}}}, "mutability"),
        ({"op": "replace", "path": "title[", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "shoeSize", "value": 9}, "invalidPath"),
        ({"op": "add", "path": "title"}, "invalidSyntax invalidValue"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "path": 'emails[type eq "other"].value', "value": "x"}, "noTarget"),
    ],
)
def test_refused_operations(client: Client, ada: str, operation: dict[str, Any], kinds: str) -> None:
    """An operation that cannot be done is 400 with the error type of the RFC, and nothing changes."""
    before = client.get(ada).body
    answer = client.patch(ada, operation)
    assert answer.status == 400
    assert answer.body["scimType"] in kinds.split()
    assert client.get(ada).body == before


@pytest.mark.rfc("7644-3.5.2-4")
def test_operations_in_order(client: Client, ada: str) -> None:
    """A later operation sees what an earlier one did."""
    operations = [{"op": "add", "path": "title", "value": each} for each in "xyz"]
    assert client.patch(ada, *operations).body["title"] == "z"
    assert "title" not in client.patch(ada, *operations, {"op": "remove", "path": "title"}).body


@pytest.mark.rfc("7644-3.5.2-6")
def test_a_new_primary(client: Client, ada: str) -> None:
    """A value added as primary takes that from the one that was."""
    added = {"op": "add", "path": "emails", "value": [{"value": "a@n", "primary": True}]}
    emails = client.patch(ada, added).body["emails"]
    assert [each["value"] for each in emails if each.get("primary")] == ["a@n"]


@pytest.mark.rfc("7644-3.5.2.1-2", "7644-3.5.2.1-4", "7644-3.5.2.3-1", "7644-3.5.2.3-3")
@pytest.mark.parametrize("op", ["add", "replace"])
def test_values_are_written(client: Client, ada: str, op: str) -> None:
    """Without a path the value names the attributes; what is not named within a complex attribute stays."""
    value = {"title": "x", "name": {"givenName": "Augusta"}}
    body = client.patch(ada, {"op": op, "value": value}, {"op": op, "path": "userName", "value": "eve"}).body
    assert (body["title"], body["userName"]) == ("x", "eve")
    assert body["name"] == {"givenName": "Augusta", "familyName": "King"}


@pytest.mark.rfc("7644-3.5.2.2-3")
def test_removing_by_filter(client: Client, ada: str) -> None:
    """What the filter selects goes; without its last value the attribute is unassigned."""
    work, home = ({"op": "remove", "path": f'emails[type eq "{each}"]'} for each in ("work", "home"))
    assert client.patch(ada, work).body["emails"] == [{"value": "a@h", "type": "home"}]
    assert "emails" not in client.patch(ada, home).body


@pytest.mark.rfc("7644-3.6-1")
def test_what_is_deleted_is_found_no_more(client: Client, ada: str) -> None:
    """No query finds a deleted resource."""
    client.delete(ada)
    assert client.get('/Users?filter=userName eq "ada"').body["totalResults"] == 0
    assert client.get("/").body["totalResults"] == 0


@pytest.mark.rfc("7644-3.10-2")
def test_core_attributes_by_urn(client: Client, ada: str) -> None:
    """A core attribute is the same with its URN, in a filter, a projection and a path."""
    assert client.get(f'/Users?filter={USER}:userName eq "ada"').body["totalResults"] == 1
    assert "userName" in client.get(f"{ada}?attributes={USER.upper()}:USERNAME").body
    assert client.patch(ada, {"op": "add", "path": f"{USER}:title", "value": "x"}).body["title"] == "x"


@pytest.mark.rfc("7644-7.8-1")
@pytest.mark.parametrize(("name", "other"), [("straße", "STRASSE"), ("Ødegård", "ødegåRD"), ("ΣΑΣ", "σας")])
def test_case_in_other_languages(client: Client, name: str, other: str) -> None:
    """userName has no case in any script."""
    client.user(name)
    assert client.get(f'/Users?filter=userName eq "{other}"').body["totalResults"] == 1
    assert client.post("/Users", {"schemas": [USER], "userName": other}).status == 409


@pytest.mark.rfc("7644-3.4.2.2-14")
def test_a_filter_on_a_complex_attribute(client: Client, ada: str) -> None:
    """`emails co` compares the values of the addresses."""
    assert client.get('/Users?filter=emails co "@h"').body["totalResults"] == 1
    assert client.get('/Users?filter=emails co "work"').body["totalResults"] == 0


@pytest.mark.rfc("7644-3.5.1-6")
def test_an_immutable_attribute_is_set_once() -> None:
    """PUT gives a value to an immutable attribute that has none; then it stays."""
    client = Client(dialect=STRICT, resource_types=(DEVICE,))
    body = {"schemas": [DEVICE.schema], "serial": "S1", "label": "x"}
    path = f"/Devices/{client.post('/Devices', body).id}"
    assert client.put(path, {**body, "model": "m"}).body["model"] == "m"
    assert client.put(path, {**body, "model": "n"}).body["scimType"] == "mutability"


@pytest.mark.rfc("7644-3.5.2-12", "7644-3.5.2.1-6", "7644-3.5.2.2-4", "7644-3.5.2.3-5", "7644-3.5.2.3-6")
@pytest.mark.parametrize(
    ("operation", "name", "expected"),
    [
        ({"op": "replace", "path": "name.givenName", "value": "A"}, "name", {"givenName": "A", "familyName": "King"}),
        ({"op": "add", "path": "name", "value": {"givenName": "A"}}, "name", {"givenName": "A", "familyName": "King"}),
        ({"op": "remove", "path": "name.givenName"}, "name", {"familyName": "King"}),
        ({"op": "remove", "path": "name"}, "name", None),
        ({"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Care"}, ENTERPRISE, {"department": "Care"}),
        (
            {"op": "replace", "path": 'emails[value sw "a@"].type', "value": "other"},
            "emails",
            [{"value": "a@w", "type": "other", "primary": True}, {"value": "a@h", "type": "other"}],
        ),
        (
            {"op": "replace", "path": 'emails[type eq "home"]', "value": {"value": "new"}},
            "emails",
            [{"value": "a@w", "type": "work", "primary": True}, {"value": "new"}],
        ),
        ({"op": "remove", "path": "emails.type"}, "emails", [{"value": "a@w", "primary": True}, {"value": "a@h"}]),
    ],
)
def test_paths_of_operations(client: Client, ada: str, operation: dict[str, Any], name: str, expected: Any) -> None:
    """A path reaches attributes, sub-attributes, values that a filter selects, and what is in them."""
    answer = client.patch(ada, operation)
    assert answer.status == 200
    assert answer.body.get(name) == expected


@pytest.mark.rfc("7644-3.5.2.2-5")
@pytest.mark.parametrize("path", ["userName", "id", "meta", "groups"])
def test_what_cannot_be_removed(client: Client, ada: str, path: str) -> None:
    """Removing a required or readOnly attribute is 400 mutability."""
    before = client.get(ada).body
    answer = client.patch(ada, {"op": "remove", "path": path})
    assert (answer.status, answer.body["scimType"]) == (400, "mutability")
    assert client.get(ada).body == before


@pytest.mark.rfc("7644-3.6-4")
def test_nothing_is_kept_of_the_deleted(client: Client, ada: str) -> None:
    """Its name may be taken at once, and it is not there under its id."""
    client.delete(ada)
    client.user("ada")
    assert client.get(ada).status == 404


@pytest.mark.rfc("7644-5-1")
def test_user_names_are_compared_as_precis_has_it(client: Client) -> None:
    """Width, case and composition do not tell two user names apart (RFC 7613 section 3.2)."""
    id = client.user("Jos\u00e9")
    for name in ("JOSE\u0301", "jos\u00e9", "\uff2a\uff4f\uff53\u00c9"):
        answer = client.post("/Users", {"schemas": [USER], "userName": name})
        assert (answer.status, answer.body["scimType"]) == (409, "uniqueness")
        wanted = quote(f'userName eq "{name}"')
        found = client.get(f"/Users?filter={wanted}").body
        assert [each["id"] for each in found["Resources"]] == [id]
    assert client.get(f"/Users/{id}").body["userName"] == "Jos\u00e9"
