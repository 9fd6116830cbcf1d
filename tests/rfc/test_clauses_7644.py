"""Clauses of RFC 7644 that are not verified by other tests. The dialect is strict."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from scimkit import Limits
from scimkit.dialects import STRICT
from tests.client import BASE_URL, ENTERPRISE, GROUP, PATCH_OP, USER, Client
from tests.resource_types import DEVICE


@pytest.fixture
def client() -> Client:
    """Return a client of a strict service."""
    return Client(dialect=STRICT)


@pytest.fixture
def ada(client: Client) -> str:
    """Return the path of a user with a name and two e-mail addresses."""
    emails = [{"value": "a@w", "type": "work", "primary": True}, {"value": "a@h", "type": "home"}]
    return f"/Users/{client.user('ada', name={'givenName': 'Ada', 'familyName': 'King'}, emails=emails)}"


@pytest.mark.rfc("7644-3.3-2")
def test_read_only_attributes_of_a_create_are_ignored(client: Client) -> None:
    """`meta`, `id` and `groups` of a POST body are ignored."""
    body = {"schemas": [USER], "userName": "ada", "meta": {"resourceType": "X"}, "groups": [{"value": "g"}]}
    answer = client.post("/Users", body)
    assert (answer.status, answer.body["meta"]["resourceType"], "groups" in answer.body) == (201, "User", False)


@pytest.mark.rfc("7644-3.4.2.3-5")
def test_sorting_by_the_primary_value(client: Client) -> None:
    """A multi-valued attribute sorts by its primary element, or by its first element if none is primary."""
    last = client.user("u1", emails=[{"value": "a"}, {"value": "z", "primary": True}])
    first = client.user("u2", emails=[{"value": "m"}, {"value": "b"}])
    assert [each["id"] for each in client.get("/Users?sortBy=emails").body["Resources"]] == [first, last]


@pytest.mark.rfc("7644-3.5.2-3", "7644-3.5.2-9", "7644-3.5.2-11", "7644-3.5.2.1-1", "7644-3.5.2.2-1", "7644-3.5.2.3-4")
@pytest.mark.parametrize(
    ("operation", "kinds"),
    [
        ({"op": "move", "path": "title", "value": "x"}, "invalidSyntax invalidValue"),
        ({"op": "replace", "path": "groups", "value": [{"value": "g"}]}, "mutability"),
        ({"op": "replace", "path": "title[", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": "shoeSize", "value": 9}, "invalidPath"),
        ({"op": "add", "path": "title"}, "invalidSyntax invalidValue"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "replace", "path": 'emails[type eq "other"].value', "value": "x"}, "noTarget"),
    ],
)
def test_refused_operations(client: Client, ada: str, operation: dict[str, Any], kinds: str) -> None:
    """An impossible operation is refused with 400 and the `scimType` of the RFC, and nothing changes."""
    before = client.get(ada).body
    answer = client.patch(ada, operation)
    assert answer.status == 400
    assert answer.body["scimType"] in kinds.split()
    assert client.get(ada).body == before


@pytest.mark.rfc("7644-3.5.2-4")
def test_operations_in_order(client: Client, ada: str) -> None:
    """Each operation applies to the result of the previous operation."""
    operations = [{"op": "add", "path": "title", "value": each} for each in "xyz"]
    assert client.patch(ada, *operations).body["title"] == "z"
    assert "title" not in client.patch(ada, *operations, {"op": "remove", "path": "title"}).body


@pytest.mark.rfc("7644-3.5.2-6")
def test_a_new_primary(client: Client, ada: str) -> None:
    """Adding a primary element makes the old primary element not primary."""
    added = {"op": "add", "path": "emails", "value": [{"value": "a@n", "primary": True}]}
    emails = client.patch(ada, added).body["emails"]
    assert [each["value"] for each in emails if each.get("primary")] == ["a@n"]


@pytest.mark.rfc("7644-3.5.2.1-2", "7644-3.5.2.1-4", "7644-3.5.2.3-1", "7644-3.5.2.3-3")
@pytest.mark.parametrize("op", ["add", "replace"])
def test_values_are_written(client: Client, ada: str, op: str) -> None:
    """Without a path, the value names the attributes. Unnamed sub-attributes keep their values."""
    value = {"title": "x", "name": {"givenName": "Augusta"}}
    body = client.patch(ada, {"op": op, "value": value}, {"op": op, "path": "userName", "value": "eve"}).body
    assert (body["title"], body["userName"]) == ("x", "eve")
    assert body["name"] == {"givenName": "Augusta", "familyName": "King"}


@pytest.mark.rfc("7644-3.5.2.2-3")
def test_removing_by_filter(client: Client, ada: str) -> None:
    """A `remove` with a filter removes the selected elements. Without elements the attribute is unassigned."""
    work, home = ({"op": "remove", "path": f'emails[type eq "{each}"]'} for each in ("work", "home"))
    assert client.patch(ada, work).body["emails"] == [{"value": "a@h", "type": "home"}]
    assert "emails" not in client.patch(ada, home).body


@pytest.mark.rfc("7644-3.6-1")
def test_deleted_resources_are_not_found(client: Client, ada: str) -> None:
    """No query finds a deleted resource."""
    client.delete(ada)
    assert client.get('/Users?filter=userName eq "ada"').body["totalResults"] == 0
    assert client.get("/").body["totalResults"] == 0


@pytest.mark.rfc("7644-3.10-2")
def test_core_attributes_by_urn(client: Client, ada: str) -> None:
    """A core attribute may have its URN in a filter, a projection and a path."""
    assert client.get(f'/Users?filter={USER}:userName eq "ada"').body["totalResults"] == 1
    assert "userName" in client.get(f"{ada}?attributes={USER.upper()}:USERNAME").body
    assert client.patch(ada, {"op": "add", "path": f"{USER}:title", "value": "x"}).body["title"] == "x"


@pytest.mark.rfc("7644-7.8-1")
@pytest.mark.parametrize(("name", "other"), [("straße", "STRASSE"), ("Ødegård", "ødegåRD"), ("ΣΑΣ", "σας")])
def test_case_in_other_languages(client: Client, name: str, other: str) -> None:
    """`userName` compares without case in every script."""
    client.user(name)
    assert client.get(f'/Users?filter=userName eq "{other}"').body["totalResults"] == 1
    assert client.post("/Users", {"schemas": [USER], "userName": other}).status == 409


@pytest.mark.rfc("7644-3.4.2.2-14")
def test_a_filter_on_a_complex_attribute(client: Client, ada: str) -> None:
    """A filter on `emails` compares `emails.value`."""
    assert client.get('/Users?filter=emails co "@h"').body["totalResults"] == 1
    assert client.get('/Users?filter=emails co "work"').body["totalResults"] == 0


@pytest.mark.rfc("7644-3.5.1-6")
def test_an_immutable_attribute_is_set_once() -> None:
    """PUT may assign an immutable attribute that has no value, and may not change it later."""
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
    """A path reaches attributes, sub-attributes, selected elements and their sub-attributes."""
    answer = client.patch(ada, operation)
    assert answer.status == 200
    assert answer.body.get(name) == expected


@pytest.mark.rfc("7644-3.5.2.2-5")
@pytest.mark.parametrize("path", ["userName", "id", "meta", "groups"])
def test_what_cannot_be_removed(client: Client, ada: str, path: str) -> None:
    """Removing a required or readOnly attribute is refused with 400 mutability."""
    before = client.get(ada).body
    answer = client.patch(ada, {"op": "remove", "path": path})
    assert (answer.status, answer.body["scimType"]) == (400, "mutability")
    assert client.get(ada).body == before


@pytest.mark.rfc("7644-3.6-4")
def test_deleted_user_name_is_free(client: Client, ada: str) -> None:
    """The `userName` of a deleted user is free at once, and the id is answered with 404."""
    client.delete(ada)
    client.user("ada")
    assert client.get(ada).status == 404


@pytest.mark.rfc("7644-5-1")
def test_user_names_compare_by_precis(client: Client) -> None:
    """User names compare without width, case and composition (RFC 7613 section 3.2)."""
    id = client.user("Jos\u00e9")
    for name in ("JOSE\u0301", "jos\u00e9", "\uff2a\uff4f\uff53\u00c9"):
        answer = client.post("/Users", {"schemas": [USER], "userName": name})
        assert (answer.status, answer.body["scimType"]) == (409, "uniqueness")
        wanted = quote(f'userName eq "{name}"')
        found = client.get(f"/Users?filter={wanted}").body
        assert [each["id"] for each in found["Resources"]] == [id]
    assert client.get(f"/Users/{id}").body["userName"] == "Jos\u00e9"


@pytest.mark.rfc("7644-3.1-4", "7644-3.1-5")
def test_schemas_of_messages(client: Client) -> None:
    """The URNs of messages are not listed among the schemas of resources."""
    ada = client.user("ada")
    bulk = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "DELETE", "path": f"/Users/{ada}"}]}  # fmt: skip
    for answer in (client.get("/Users"), client.get("/Users/nope"), client.post("/Bulk", bulk)):
        (urn,) = answer.body["schemas"]
        assert urn.startswith("urn:ietf:params:scim:api:messages:2.0:")
        assert client.get(f"/Schemas/{urn}").status == 404
    assert not any(":api:" in each["id"] for each in client.get("/Schemas").body["Resources"])


@pytest.mark.rfc("7644-1.2-1")
def test_locations_are_urls(client: Client, ada: str) -> None:
    """`meta.location` is an encoded URL that leads to the resource."""
    location = client.get(ada).body["meta"]["location"]
    assert quote(location, safe=":/") == location
    assert client.get(location.removeprefix(BASE_URL)).status == 200


@pytest.mark.rfc("7644-3.4.2-6", "7644-3.4.2.2-16")
def test_a_filter_on_one_resource(client: Client, ada: str) -> None:
    """A GET of one resource with a filter is answered with 404 if the resource does not match."""
    for text, status in (('userName eq "ada"', 200), ("emails pr", 200), ('userName eq "bo"', 404), ("x y", 400)):
        assert client.get(f"{ada}?filter={quote(text)}&attributes=id").status == status, text


@pytest.mark.rfc("7644-3.4.2.2-5")
@pytest.mark.parametrize("path", ["/Users?filter=", "/?filter", "/Users?filter=%20", "/Users/{id}?filter="])
def test_an_empty_filter(client: Client, ada: str, path: str) -> None:
    """An empty filter is refused with 400 invalidFilter, and never returns all resources."""
    answer = client.get(path.replace("/Users/{id}", ada))
    assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter")


@pytest.mark.rfc("7644-3.4.2.2-14")
@pytest.mark.parametrize("text", ['name eq "Ada"', 'meta eq "x"', 'addresses co "x"'])
def test_a_complex_attribute_without_a_value(client: Client, ada: str, text: str) -> None:
    """A filter on a complex attribute without a sub-attribute `value` is refused."""
    assert client.get(f"/Users?filter={quote(text)}").body["scimType"] == "invalidFilter"


@pytest.mark.rfc("7644-3.4.2.2-19")
def test_a_filter_by_schema(client: Client, ada: str) -> None:
    """A filter `schemas eq` finds the resources that have an extension."""
    client.patch(ada, {"op": "add", "path": f"{ENTERPRISE}:department", "value": "Care"})
    client.user("bo")
    found = client.get("/Users?filter=" + quote(f'schemas eq "{ENTERPRISE}"')).body["Resources"]
    assert [each["userName"] for each in found] == ["ada"]


@pytest.mark.rfc("7644-3.3-3", "7644-3.4.2.2-17")
def test_nothing_is_defaulted(client: Client, ada: str) -> None:
    """An attribute that the client leaves out has no value in responses and filters."""
    assert "active" not in client.get(ada).body
    assert client.get("/Users?filter=active pr").body["totalResults"] == 0


@pytest.mark.rfc("7644-3.4.2.1-3")
def test_a_large_result_comes_in_pages() -> None:
    """A query over many resources returns a page and the total number of results."""
    client = Client(dialect=STRICT, limits=Limits(page=2, default_page=2))
    for number in range(5):
        client.user(f"u{number}")
    body = client.get("/?filter=id pr").body
    assert (body["totalResults"], body["itemsPerPage"]) == (5, 2)


@pytest.mark.rfc("7644-3.4.2.3-4")
def test_types_that_lack_the_sorted_attribute(client: Client, ada: str) -> None:
    """Resources without the `sortBy` attribute come last in ascending order and first in descending order."""
    client.group("G", ada.rpartition("/")[2])
    for by, ascending in (("userName", ["User", "Group"]), ("members.value", ["Group", "User"])):
        for order, expected in (("ascending", ascending), ("descending", ascending[::-1])):
            found = client.get(f"/?sortBy={by}&sortOrder={order}").body["Resources"]
            assert [each["meta"]["resourceType"] for each in found] == expected


@pytest.mark.rfc("7644-3.9-5")
def test_both_projections_together(client: Client, ada: str) -> None:
    """With both parameters, the response has attributes that are named and not excluded, and those always returned."""
    body = client.get(f"{ada}?attributes=emails,userName&excludedAttributes=emails.type,userName,id").body
    assert body.keys() == {"schemas", "id", "emails"}
    assert body["emails"] == [{"value": "a@w", "primary": True}, {"value": "a@h"}]


@pytest.mark.rfc("7644-3.5-1", "7644-3.5.1-8")
def test_put_replaces(client: Client, ada: str) -> None:
    """PUT replaces the given attributes. Null and an empty array clear an attribute."""
    body = {"schemas": [USER], "userName": "ada", "title": "x", "name": {"givenName": "A"}, "emails": []}
    replaced = client.put(ada, body).body
    assert (replaced["title"], replaced["name"], "emails" in replaced) == ("x", {"givenName": "A"}, False)
    assert "title" not in client.put(ada, {**body, "title": None}).body


@pytest.mark.rfc("7644-3.5-2", "7644-3.5.2.3-7")
def test_patch_is_supported(client: Client, ada: str) -> None:
    """PATCH is supported and announced. Without a path, the value names the attributes to replace."""
    assert client.get("/ServiceProviderConfig").body["patch"] == {"supported": True}
    body = client.patch(ada, {"op": "replace", "value": {"emails": [{"value": "n"}], "title": "x"}}).body
    assert (body["emails"], body["title"]) == ([{"value": "n"}], "x")


@pytest.mark.rfc("7644-3.5.2-3")
@pytest.mark.parametrize("entry", [{"op": "add", "OP": "remove"}, {}, {"op": None}, {"op": ["add"]}])
def test_an_operation_has_one_op(client: Client, ada: str, entry: dict[str, Any]) -> None:
    """An operation with no `op`, with two, or with an unknown name is refused."""
    answer = client.patch(ada, {**entry, "path": "title", "value": "x"})
    assert answer.status == 400
    assert "title" not in client.get(ada).body


@pytest.mark.rfc("7644-3.5.2-16")
def test_patch_of_an_immutable_attribute() -> None:
    """PATCH may assign an immutable attribute that has no value, and may not change it later."""
    client = Client(dialect=STRICT, resource_types=(DEVICE,))
    path = f"/Devices/{client.post('/Devices', {'schemas': [DEVICE.schema], 'serial': 'S', 'label': 'x'}).id}"
    assert client.patch(path, {"op": "add", "path": "model", "value": "m"}).body["model"] == "m"
    for op in ("add", "replace"):
        assert client.patch(path, {"op": op, "path": "model", "value": "n"}).body["scimType"] == "mutability"


@pytest.mark.rfc("7644-3.5.2-13")
def test_patch_of_schemas(client: Client, ada: str) -> None:
    """Operations on `schemas` are ignored, because `schemas` follows the attributes of the resource."""
    operations = [
        {"op": "remove", "path": "schemas"},
        {"op": "add", "path": "schemas", "value": [ENTERPRISE]},
        {"op": "add", "path": "title", "value": "x"},
    ]
    body = client.patch(ada, *operations).body
    assert (body["schemas"], body["title"]) == ([USER], "x")


def send_bulk(client: Client, *operations: dict[str, Any]) -> Any:
    """Send a bulk request, and return the results."""
    schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    return client.post("/Bulk", {"schemas": [schema], "Operations": operations}).body["Operations"]


@pytest.mark.rfc("7644-3.7.3-2")
def test_locations_in_a_bulk(client: Client) -> None:
    """Every result has a location, except a failed POST. The result of a change has the version."""
    group = client.group("G")
    data = {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "displayName", "value": "H"}]}
    results = send_bulk(
        client,
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"schemas": [USER]}},
        {"method": "PUT", "path": "/Users/nope", "data": {"schemas": [USER], "userName": "x"}},
        {"method": "DELETE", "path": f"{BASE_URL}/Users/nope"},
        {"method": "PATCH", "path": f"/Groups/{group}", "data": data},
    )
    assert [each["status"] for each in results] == ["400", "404", "404", "204"]
    nope = f"{BASE_URL}/Users/nope"
    assert [each.get("location") for each in results] == [None, nope, nope, f"{BASE_URL}/Groups/{group}"]
    assert results[3]["version"] == client.get(f"/Groups/{group}").headers["ETag"]


@pytest.mark.rfc("7644-3.7-7", "7644-3.7.2-1")
def test_references_in_a_patch(client: Client) -> None:
    """A bulkId may replace an id in the value of a PATCH and in the filter of its path."""
    group = client.group("G")

    def patch(*operations: dict[str, Any]) -> dict[str, Any]:
        data = {"schemas": [PATCH_OP], "Operations": operations}
        return {"method": "PATCH", "path": f"/Groups/{group}", "data": data}

    add = {"op": "add", "path": "members", "value": [{"value": "bulkId:a"}, {"value": "bulkId:b"}]}
    remove = {"op": "remove", "path": 'members[value eq "bulkId:a"]'}
    new = [
        {"method": "POST", "path": "/Users", "bulkId": each, "data": {"schemas": [USER], "userName": each}}
        for each in "ab"
    ]
    results = send_bulk(client, patch(add), patch(remove), *new)
    assert [each["status"] for each in results] == ["204", "204", "201", "201"]
    assert client.members(group) == {results[3]["location"].rpartition("/")[2]}


@pytest.mark.rfc("7644-3.7.1-1")
def test_a_group_that_contains_itself(client: Client) -> None:
    """A group may refer to itself by its own bulkId."""
    data = {"schemas": [GROUP], "displayName": "G", "members": [{"value": "bulkId:g", "type": "Group"}]}
    (result,) = send_bulk(client, {"method": "POST", "path": "/Groups", "bulkId": "g", "data": data})
    group = client.get(result["location"].removeprefix(BASE_URL)).body
    assert (result["status"], group["members"][0]["value"]) == ("201", group["id"])


@pytest.mark.rfc("7644-3.7.4-1")
def test_the_detail_names_the_limit() -> None:
    """The detail of a 413 response names the exceeded limit."""
    client = Client(dialect=STRICT, limits=Limits(body=500, bulk_operations=1))
    delete = {"method": "DELETE", "path": "/Users/x"}
    for operations, limit in (([delete] * 2, "1 operations"), ([delete] * 50, "500 bytes")):
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}
        answer = client.post("/Bulk", body)
        assert answer.status == 413
        assert limit in answer.body["detail"]


@pytest.mark.rfc("7644-3.11-2")
def test_the_location_of_me() -> None:
    """Every response of /Me has the location of the resource, including errors."""
    paths: list[str] = []
    client = Client(dialect=STRICT, me=lambda principal: paths[0])
    paths.append(f"/Users/{client.user('ada')}")
    for method, body, status in (
        ("GET", None, 200),
        ("PUT", {"schemas": [USER]}, 400),
        ("PATCH", {"schemas": [PATCH_OP], "Operations": []}, 400),
        ("DELETE", None, 204),
        ("GET", None, 404),
    ):
        answer = client.send(method, "/Me", body)
        assert (answer.status, answer.headers["Location"]) == (status, f"{BASE_URL}{paths[0]}")


@pytest.mark.rfc("7644-3.13-2", "7644-3.13-3")
def test_versions_of_the_protocol(client: Client) -> None:
    """A protocol version in the path is answered with 404."""
    for version in ("v1", "v2", "v3"):
        assert client.get(f"/{version}/Users").status == 404
    assert client.get("/Users").status == 200


@pytest.mark.rfc("7644-3.8-4")
def test_bodies_are_utf_8(client: Client) -> None:
    """Bodies in UTF-8 are read and written. Bodies in another encoding are refused."""
    body = f'{{"schemas": ["{USER}"], "userName": "Ødegård"}}'
    assert client.post("/Users", body.encode()).body["userName"] == "Ødegård"
    assert client.post("/Users", body.encode("latin-1")).status == 400
    answer = client.post("/Users", body.encode(), headers={"Content-Type": "application/json; charset=latin-1"})
    assert answer.status == 415


@pytest.mark.rfc("7644-4-2")
def test_discovery_ignores_query_parameters(client: Client) -> None:
    """Discovery endpoints ignore parameters for sorting, pagination and projection, even invalid ones."""
    for path in ("/Schemas", "/ResourceTypes", "/ServiceProviderConfig"):
        query = "?sortBy=nope&startIndex=9&count=0&attributes=id&cursor=x"
        assert client.get(path + query).body == client.get(path).body
