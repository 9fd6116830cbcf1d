"""Clauses of RFC 7643 that are not verified by other tests. The dialect is strict."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import ResourceType, SchemaExtension
from scimkit.dialects import STRICT
from scimkit.schema.core import GROUP_SCHEMA, USER_SCHEMA
from tests.client import BASE_URL, ENTERPRISE, GROUP, USER, Client
from tests.resource_types import DEVICE, LEASE_SCHEMA


@pytest.fixture
def client() -> Client:
    """Return a client of a strict service."""
    return Client(dialect=STRICT)


def post(client: Client, **attributes: Any) -> Any:
    """Create a user, and return the response."""
    return client.post("/Users", {"schemas": [USER], "userName": "ada", **attributes})


@pytest.mark.rfc("7643-2.2-1")
def test_default_characteristics() -> None:
    """An attribute without stated characteristics has the defaults of the RFC."""
    kind = ResourceType({"id": "urn:x:A", "name": "A", "attributes": [{"name": "nick"}]}, endpoint="/A")
    nick = kind.attributes["nick"]
    assert (nick.type, nick.mutability, nick.returned, nick.uniqueness) == ("string", "readWrite", "default", "none")
    assert not (nick.required or nick.case_exact or nick.multi_valued)


@pytest.mark.rfc("7643-2.3.1-1", "7643-2.3.2-1", "7643-2.4-1", "7643-4.1.2-2")
@pytest.mark.parametrize(
    "attributes",
    [
        {"title": 5},
        {"title": ["x"]},
        {"active": "true"},
        {"active": 1},
        {"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": True}]},
        {"x509Certificates": [{"value": "not base64!"}]},
    ],
)
def test_values_of_a_wrong_type(client: Client, attributes: dict[str, Any]) -> None:
    """A value of the wrong type is refused with 400 invalidValue, and the detail names the attribute."""
    answer = post(client, **attributes)
    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert next(iter(attributes)) in answer.body["detail"]


@pytest.mark.rfc("7643-2.3.1-3", "7643-2.4-2", "7643-2.4-3")
def test_values_of_a_multi_valued_attribute(client: Client) -> None:
    """Types need not be canonical, equal elements are stored once, and no element becomes primary by default."""
    entry = {"value": "a@x", "type": "boat"}
    assert post(client, emails=[entry, entry]).body["emails"] == [entry]
    assert client.get("/Users?filter=emails[primary eq true]").body["totalResults"] == 0


@pytest.mark.rfc("7643-2.4-3")
def test_a_type_and_value_is_one_element(client: Client) -> None:
    """Elements with the same `type` and `value` are merged into one element with all sub-attributes."""
    work = {"value": "a@x", "type": "work"}
    other = {**work, "type": "home"}
    created = post(client, emails=[{**work, "display": "A"}, other, {**work, "primary": True}]).body
    assert created["emails"] == [{**work, "display": "A", "primary": True}, other]
    operation = {"op": "add", "path": "emails", "value": [{**other, "primary": True}]}
    changed = client.patch(f"/Users/{created['id']}", operation).body
    assert changed["emails"] == [{**work, "display": "A", "primary": False}, {**other, "primary": True}]
    operation = {"op": "replace", "path": 'emails[type eq "home"].type', "value": "work"}
    assert [each["type"] for each in client.patch(f"/Users/{created['id']}", operation).body["emails"]] == ["work"]


@pytest.mark.rfc("7643-2.3.8-1")
def test_a_complex_sub_attribute() -> None:
    """A schema with a complex attribute inside a complex attribute is refused when it is compiled."""
    inner = {"name": "inner", "type": "complex", "subAttributes": [{"name": "value"}]}
    schema = {"id": "urn:x:A", "name": "A", "attributes": [{"name": "a", "type": "complex", "subAttributes": [inner]}]}
    with pytest.raises(ValueError, match=r"attribute a has a complex sub-attribute"):
        ResourceType(schema)


@pytest.mark.rfc("7643-2.3.8-2")
def test_the_order_of_sub_attributes(client: Client) -> None:
    """Elements that differ only in the order of sub-attributes are equal."""
    entries = [{"value": "a@x", "type": "work"}, {"type": "work", "value": "a@x"}]
    assert len(post(client, emails=entries).body["emails"]) == 1


@pytest.mark.rfc("7643-3-2", "7643-3-4")
@pytest.mark.parametrize(
    "body",
    [{"userName": "x"}, {"schemas": [], "userName": "x"}, {"schemas": ["urn:x"], "userName": "x"},
     {"schemas": [USER], "userName": "x", "shoeSize": 9}],
)  # fmt: skip
def test_schemas_of_a_client(client: Client, body: dict[str, Any]) -> None:
    """A resource without the URN of its schema, or with an unknown attribute, is refused."""
    answer = client.post("/Users", body)
    assert (answer.status, answer.body["scimType"]) == (400, "invalidSyntax")


@pytest.mark.rfc("7643-3-3")
def test_schemas_are_listed_once(client: Client) -> None:
    """`schemas` lists each URN once."""
    assert client.user("bo", schemas=[USER, USER])
    assert client.get("/Users").body["Resources"][0]["schemas"] == [USER]


@pytest.mark.rfc("7643-3.1-3")
def test_no_id_is_a_reserved_word(client: Client) -> None:
    """No resource gets the id `bulkId`, even if the client sends it."""
    assert "bulkId" not in post(client, id="bulkId").id


@pytest.mark.rfc("7643-3.1-4", "7643-3.1-5")
def test_external_ids(client: Client) -> None:
    """`externalId` is stored unchanged, compares with case, is scoped to the tenant, and need not be unique."""
    ids = [client.user("ada", externalId="E1"), client.user("bo", externalId="E1")]
    found = client.get('/Users?filter=externalId eq "E1"').body["Resources"]
    assert [(each["id"], each["externalId"]) for each in found] == [(id, "E1") for id in ids]
    assert client.get('/Users?filter=externalId eq "e1"').body["totalResults"] == 0
    assert client.of_tenant("other").get('/Users?filter=externalId eq "E1"').body["totalResults"] == 0


@pytest.mark.rfc("7643-3.3-1")
def test_extensions(client: Client) -> None:
    """Attributes of an extension are accepted only under the URN of the extension."""
    extended = {"schemas": [USER, ENTERPRISE], ENTERPRISE: {"department": "Care"}}
    assert post(client, **extended).body[ENTERPRISE] == {"department": "Care"}
    for wrong in ({"department": "Care"}, {f"{ENTERPRISE}:department": "Care"}):
        assert post(client, **{"userName": "bo", "schemas": [USER, ENTERPRISE], **wrong}).status == 400


@pytest.mark.rfc("7643-4.3-1", "7643-7-3")
def test_read_only_attributes(client: Client) -> None:
    """A manager is stored by id. The client cannot set `manager.displayName` or other readOnly attributes."""
    boss = client.user("boss")
    manager = {"value": boss, "displayName": "Mallory"}
    body = post(client, schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"manager": manager}}, groups=[{"value": "g"}]).body
    assert body[ENTERPRISE]["manager"]["value"] == boss
    assert body[ENTERPRISE]["manager"].get("displayName") != "Mallory"
    assert "groups" not in body
    change = {"op": "replace", "path": "groups", "value": [{"value": "g"}]}
    assert client.patch(f"/Users/{body['id']}", change).body["scimType"] == "mutability"


@pytest.mark.rfc("7643-5-3")
def test_authentication_schemes(client: Client) -> None:
    """Every authentication scheme has a type, a name and a description."""
    for scheme in client.get("/ServiceProviderConfig").body["authenticationSchemes"]:
        assert {"type", "name", "description"} <= scheme.keys()


@pytest.mark.rfc("7643-6-1", "7643-6-2")
def test_resource_types(client: Client) -> None:
    """A ResourceType has a name, an endpoint, a schema, and extensions with the `required` flag."""
    user = client.get("/ResourceTypes/User").body
    assert (user["name"], user["endpoint"], user["schema"]) == ("User", "/Users", USER)
    assert user["schemaExtensions"] == [{"schema": ENTERPRISE, "required": False}]


@pytest.mark.rfc("7643-6-3")
def test_a_required_extension() -> None:
    """A resource without a required extension is refused."""
    kind = ResourceType(USER_SCHEMA, extensions=[SchemaExtension(LEASE_SCHEMA, required=True)])
    client = Client(dialect=STRICT, resource_types=(kind,))
    assert post(client).status == 400
    lease = str(LEASE_SCHEMA["id"])
    assert post(client, schemas=[USER, lease], **{lease: {"until": "2030-01-01T00:00:00Z"}}).status == 201


CHARACTERISTICS = {"name", "type", "multiValued", "required", "caseExact", "mutability", "returned", "uniqueness"}


@pytest.mark.rfc("7643-7-1")
def test_schema_documents(client: Client) -> None:
    """Every attribute of every Schema has all characteristics."""
    for schema in client.get("/Schemas").body["Resources"]:
        assert schema["id"].startswith("urn:")
        for attribute in schema["attributes"]:
            for each in (attribute, *attribute.get("subAttributes", ())):
                assert each.keys() >= CHARACTERISTICS


@pytest.mark.rfc("7643-7-2")
def test_schemas_announce_the_enforced_uniqueness(client: Client) -> None:
    """The Schema of Group announces that `displayName` is unique only if the store enforces it.

    The Schema document of the application is not changed.
    """
    for service, uniqueness, status in (
        (client, "server", 409),
        (Client(dialect=STRICT, resource_types=(ResourceType(GROUP_SCHEMA),)), "none", 201),
    ):
        service.group("Agents")
        attributes = service.get(f"/Schemas/{GROUP}").body["attributes"]
        assert {each["name"]: each["uniqueness"] for each in attributes}["displayName"] == uniqueness
        assert service.post("/Groups", {"schemas": [GROUP], "displayName": "AGENTS"}).status == status


@pytest.mark.rfc("7643-2.1-2", "7643-2.3-1")
@pytest.mark.parametrize("wrong", [{"name": "1st"}, {"name": "a b"}, {"name": "$id"}, {"name": "a", "type": "uuid"}])
def test_a_schema_with_an_invalid_attribute(wrong: dict[str, Any]) -> None:
    """An attribute name outside the grammar and an unknown data type are refused when a schema is compiled."""
    with pytest.raises(ValueError, match="attribute"):
        ResourceType({"id": "urn:x:A", "name": "A", "attributes": [wrong]})


@pytest.mark.rfc("7643-3.1-13")
def test_a_schema_that_lists_common_attributes() -> None:
    """Definitions of `id` and `externalId` in a schema are ignored."""
    entries = [{"name": "ID", "mutability": "readWrite"}, {"name": "externalId", "caseExact": False}, {"name": "a"}]
    kind = ResourceType({"id": "urn:x:A", "name": "A", "attributes": entries})
    id, external = kind.attributes["id"], kind.attributes["externalId"]
    assert (id.mutability, id.returned, external.case_exact) == ("readOnly", "always", True)
    assert {"id", "a"} <= kind.attributes.keys()


@pytest.mark.rfc("7643-3.1-12", "7643-3-6")
def test_common_attributes_are_in_every_type() -> None:
    """A custom resource type has `id`, `externalId` and `meta`, and the client cannot set `id` and `meta`."""
    client = Client(dialect=STRICT, resource_types=(DEVICE,))
    body = {"schemas": [DEVICE.schema], "serial": "S", "label": "x", "externalId": "E", "id": "mine", "meta": {}}
    device = client.post("/Devices", body).body
    assert device["id"] != "mine"
    assert (device["externalId"], device["meta"]["resourceType"]) == ("E", "Device")
    assert device["meta"].keys() == {"resourceType", "created", "lastModified", "version", "location"}


@pytest.mark.rfc("7643-3-5")
def test_the_order_of_schemas(client: Client) -> None:
    """The URN of the base schema need not come first in `schemas`."""
    extended = post(client, schemas=[ENTERPRISE, USER], **{ENTERPRISE: {"department": "Care"}})
    assert (extended.status, extended.body[ENTERPRISE]) == (201, {"department": "Care"})


@pytest.mark.rfc("7643-2.3.4-1")
@pytest.mark.parametrize("number", [b"2.0", b"2e0", b"2.5"])
def test_an_integer_with_a_fraction(number: bytes) -> None:
    """An integer with a fraction or an exponent is refused, even if the fraction is zero."""
    client = Client(dialect=STRICT, resource_types=(DEVICE,))
    body = b'{"schemas": ["%s"], "serial": "S", "label": "x", "ports": %s}' % (DEVICE.schema.encode(), number)
    assert client.post("/Devices", body).body["scimType"] == "invalidValue"


@pytest.mark.rfc("7643-2.3.6-2", "7643-2.3.6-3")
@pytest.mark.parametrize("value", ["YWI=", "YWI", "-_8=", "-_8"])
def test_base64(client: Client, value: str) -> None:
    """Binary values in either alphabet, with or without padding, are accepted and returned unchanged."""
    certificates = [{"value": value}]
    assert post(client, x509Certificates=certificates).body["x509Certificates"] == certificates


@pytest.mark.rfc("7643-2.3.7-7", "7643-2.4-6", "7643-4.3-2")
def test_references_are_made_by_the_service(client: Client) -> None:
    """A `$ref` of the client is ignored. The response has a `$ref` made from the id."""
    boss = client.user("boss")
    manager = {"value": boss, "$ref": f"https://elsewhere.example/v1/Users/{boss}"}
    body = post(client, schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"manager": manager}}).body
    assert body[ENTERPRISE]["manager"] == {"value": boss, "$ref": f"{BASE_URL}/Users/{boss}"}


@pytest.mark.rfc("7643-2.4-7")
def test_one_value_of_two_types(client: Client) -> None:
    """The same e-mail address may have the types work and home."""
    emails = [{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home"}]
    assert post(client, emails=emails).body["emails"] == emails


@pytest.mark.rfc("7643-4.1.1-7")
def test_names_are_kept_as_they_were_sent(client: Client) -> None:
    """`name.formatted` and the components of a name are returned as the client sent them."""
    for number, name in enumerate(({"formatted": "A K"}, {"givenName": "A"}, {"formatted": "K, A", "givenName": "A"})):
        assert post(client, userName=f"u{number}", name=name).body["name"] == name


@pytest.mark.rfc("7643-4.2-2", "7643-4.2-4")
def test_members_are_immutable(client: Client) -> None:
    """No sub-attribute of a member can change, including `display`. A member must have a `value`."""
    ada = client.user("ada")
    group = f"/Groups/{client.group('Agents', members=[{'value': ada, 'display': 'Ada'}])}"
    for name in ("value", "type", "display"):
        change = {"op": "replace", "path": f'members[value eq "{ada}"].{name}', "value": "x"}
        answer = client.patch(group, change)
        assert (answer.status, answer.body["scimType"]) == (400, "mutability"), name
    assert client.post("/Groups", {"schemas": [GROUP], "displayName": "x", "members": [{"type": "User"}]}).status == 400


@pytest.mark.rfc("7643-6-4", "7643-7-17")
def test_discovery_documents_are_complete(client: Client) -> None:
    """Every resource type and schema has a description. Every complex attribute lists its sub-attributes."""
    assert all(each["description"] for each in client.get("/ResourceTypes").body["Resources"])
    for schema in client.get("/Schemas").body["Resources"]:
        assert schema["name"] and schema["description"]
        for each in schema["attributes"]:
            assert (each["type"] == "complex") is bool(each.get("subAttributes"))


@pytest.mark.rfc("7643-6-5")
def test_the_schemas_of_a_type_exist(client: Client) -> None:
    """`schema` and `schemaExtensions` of a ResourceType name existing Schema resources."""
    for kind in client.get("/ResourceTypes").body["Resources"]:
        for urn in (kind["schema"], *(each["schema"] for each in kind.get("schemaExtensions", ()))):
            assert client.get(f"/Schemas/{urn}").id == urn


@pytest.mark.rfc("7643-6-6")
def test_an_extension_may_be_left_out(client: Client) -> None:
    """A user without the enterprise extension is accepted."""
    assert ENTERPRISE not in post(client).body["schemas"]


@pytest.mark.rfc("7643-8.7.2-1", "7643-8.7.2-2")
def test_the_schemas_of_discovery(client: Client) -> None:
    """The Schemas of the discovery documents describe these documents, with the errata applied."""
    urn = "urn:ietf:params:scim:schemas:core:2.0"

    def attributes(name: str) -> dict[str, Any]:
        return {each["name"]: each for each in client.get(f"/Schemas/{urn}:{name}").body["attributes"]}

    assert attributes("ResourceType")["schemaExtensions"]["multiValued"] is True
    within = attributes("Schema")["attributes"]["subAttributes"]
    nested = next(each for each in within if each["name"] == "subAttributes")["subAttributes"]
    for table in (within, nested):
        assert next(each for each in table if each["name"] == "referenceTypes")["multiValued"] is True
    config = client.get("/ServiceProviderConfig").body
    described = attributes("ServiceProviderConfig")
    for name in config.keys() - {"schemas", "meta"}:
        parts = config[name] if isinstance(config[name], list) else [config[name]]
        known = {each["name"] for each in described[name]["subAttributes"]}
        assert all(part.keys() <= known for part in parts), name
        assert all(each["mutability"] == "readOnly" for each in described.values())


@pytest.mark.rfc("7643-7-8")
def test_what_is_returned_on_request(client: Client) -> None:
    """An on-request attribute is returned if the request names it or writes it, unless the request excludes it."""
    client = Client(dialect=STRICT, resource_types=(DEVICE,))
    body = {"schemas": [DEVICE.schema], "serial": "S", "label": "x"}
    created = client.post("/Devices", {**body, "notes": "n"})
    path = f"/Devices/{created.id}"
    note = {"op": "replace", "path": "notes", "value": "m"}
    assert created.body["notes"] == "n"
    assert "notes" not in client.get(path).body
    assert client.get(f"{path}?attributes=notes").body["notes"] == "n"
    assert client.patch(path, note).body["notes"] == "m"
    assert "notes" not in client.patch(path, {"op": "replace", "path": "label", "value": "y"}).body
    assert client.patch(path, {"op": "add", "value": {"notes": "o"}}).body["notes"] == "o"
    assert "notes" not in client.patch(f"{path}?attributes=label", note).body
    assert "notes" not in client.patch(f"{path}?excludedAttributes=notes", note).body
    assert "notes" not in client.patch(path, {"op": "remove", "path": "notes"}).body
    assert client.put(path, {**body, "notes": "p"}).body["notes"] == "p"
    assert "notes" not in client.put(path, body).body
