"""Clauses of RFC 7643 that no other test shows. The dialect is strict."""

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
    """A strict service."""
    return Client(dialect=STRICT)


def post(client: Client, **attributes: Any) -> Any:
    """The answer to the creation of a user."""
    return client.post("/Users", {"schemas": [USER], "userName": "ada", **attributes})


@pytest.mark.rfc("7643-2.2-1")
def test_default_characteristics() -> None:
    """An attribute of which nothing is said has the defaults of the RFC."""
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
    """A value that does not have its attribute's type is 400 invalidValue that names it."""
    answer = post(client, **attributes)
    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert next(iter(attributes)) in answer.body["detail"]


@pytest.mark.rfc("7643-2.3.1-3", "7643-2.4-2", "7643-2.4-3")
def test_values_of_a_multi_valued_attribute(client: Client) -> None:
    """Any type is taken beside the canonical ones, equal values are kept once, and none is made primary."""
    entry = {"value": "a@x", "type": "boat"}
    assert post(client, emails=[entry, entry]).body["emails"] == [entry]
    assert client.get("/Users?filter=emails[primary eq true]").body["totalResults"] == 0


@pytest.mark.rfc("7643-2.4-3")
def test_a_type_and_value_comes_once(client: Client) -> None:
    """However a client says it, a combination of type and value is one element, with all that was said of it."""
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
    """A schema with a complex attribute inside a complex one is refused when it is compiled."""
    inner = {"name": "inner", "type": "complex", "subAttributes": [{"name": "value"}]}
    schema = {"id": "urn:x:A", "name": "A", "attributes": [{"name": "a", "type": "complex", "subAttributes": [inner]}]}
    with pytest.raises(ValueError, match=r"attribute a has a complex sub-attribute"):
        ResourceType(schema)


@pytest.mark.rfc("7643-2.3.8-2")
def test_the_order_of_sub_attributes(client: Client) -> None:
    """Values with the same sub-attributes in another order are the same value."""
    entries = [{"value": "a@x", "type": "work"}, {"type": "work", "value": "a@x"}]
    assert len(post(client, emails=entries).body["emails"]) == 1


@pytest.mark.rfc("7643-3-2", "7643-3-4")
@pytest.mark.parametrize(
    "body",
    [{"userName": "x"}, {"schemas": [], "userName": "x"}, {"schemas": ["urn:x"], "userName": "x"},
     {"schemas": [USER], "userName": "x", "shoeSize": 9}],
)  # fmt: skip
def test_schemas_of_a_client(client: Client, body: dict[str, Any]) -> None:
    """A resource without the schema of its type, or with an attribute of none, is refused."""
    answer = client.post("/Users", body)
    assert (answer.status, answer.body["scimType"]) == (400, "invalidSyntax")


@pytest.mark.rfc("7643-3-3")
def test_schemas_are_listed_once(client: Client) -> None:
    """No URN is in schemas twice."""
    assert client.user("bo", schemas=[USER, USER])
    assert client.get("/Users").body["Resources"][0]["schemas"] == [USER]


@pytest.mark.rfc("7643-3.1-3")
def test_no_id_is_a_reserved_word(client: Client) -> None:
    """Not even a client that asks for it gets the id `bulkId`."""
    assert "bulkId" not in post(client, id="bulkId").id


@pytest.mark.rfc("7643-3.1-4", "7643-3.1-5")
def test_external_ids(client: Client) -> None:
    """externalId is kept as the client gave it, compares with case, is scoped to the tenant, and need not be unique."""
    ids = [client.user("ada", externalId="E1"), client.user("bo", externalId="E1")]
    found = client.get('/Users?filter=externalId eq "E1"').body["Resources"]
    assert [(each["id"], each["externalId"]) for each in found] == [(id, "E1") for id in ids]
    assert client.get('/Users?filter=externalId eq "e1"').body["totalResults"] == 0
    assert client.of_tenant("other").get('/Users?filter=externalId eq "E1"').body["totalResults"] == 0


@pytest.mark.rfc("7643-3.3-1")
def test_extensions(client: Client) -> None:
    """Attributes of an extension stand under its URN, and nowhere else."""
    extended = {"schemas": [USER, ENTERPRISE], ENTERPRISE: {"department": "Care"}}
    assert post(client, **extended).body[ENTERPRISE] == {"department": "Care"}
    for wrong in ({"department": "Care"}, {f"{ENTERPRISE}:department": "Care"}):
        assert post(client, **{"userName": "bo", "schemas": [USER, ENTERPRISE], **wrong}).status == 400


@pytest.mark.rfc("7643-4.3-1", "7643-7-3")
def test_read_only_attributes(client: Client) -> None:
    """A manager is kept by id; its displayName and other readOnly attributes are not the client's to set."""
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
    """Every scheme has a type, a name and a description."""
    for scheme in client.get("/ServiceProviderConfig").body["authenticationSchemes"]:
        assert {"type", "name", "description"} <= scheme.keys()


@pytest.mark.rfc("7643-6-1", "7643-6-2")
def test_resource_types(client: Client) -> None:
    """A ResourceType says its name, endpoint, schema, and extensions with whether they are required."""
    user = client.get("/ResourceTypes/User").body
    assert (user["name"], user["endpoint"], user["schema"]) == ("User", "/Users", USER)
    assert user["schemaExtensions"] == [{"schema": ENTERPRISE, "required": False}]


@pytest.mark.rfc("7643-6-3")
def test_a_required_extension() -> None:
    """A resource without an extension that its type requires is refused."""
    kind = ResourceType(USER_SCHEMA, extensions=[SchemaExtension(LEASE_SCHEMA, required=True)])
    client = Client(dialect=STRICT, resource_types=(kind,))
    assert post(client).status == 400
    lease = str(LEASE_SCHEMA["id"])
    assert post(client, schemas=[USER, lease], **{lease: {"until": "2030-01-01T00:00:00Z"}}).status == 201


CHARACTERISTICS = {"name", "type", "multiValued", "required", "caseExact", "mutability", "returned", "uniqueness"}


@pytest.mark.rfc("7643-7-1")
def test_schema_documents(client: Client) -> None:
    """Every attribute of every Schema says all its characteristics."""
    for schema in client.get("/Schemas").body["Resources"]:
        assert schema["id"].startswith("urn:")
        for attribute in schema["attributes"]:
            for each in (attribute, *attribute.get("subAttributes", ())):
                assert each.keys() >= CHARACTERISTICS


@pytest.mark.rfc("7643-7-2")
def test_schemas_announce_the_uniqueness_that_is_kept(client: Client) -> None:
    """A group's name is announced as unique where it is, and only there; the host's document is left as it was."""
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
def test_a_schema_with_an_attribute_that_is_none(wrong: dict[str, Any]) -> None:
    """A name that the grammar does not have, and a data type of one's own, are refused when a type is compiled."""
    with pytest.raises(ValueError, match="attribute"):
        ResourceType({"id": "urn:x:A", "name": "A", "attributes": [wrong]})


@pytest.mark.rfc("7643-3.1-13")
def test_a_schema_that_lists_common_attributes() -> None:
    """What a schema says of `id` and `externalId` does not count."""
    entries = [{"name": "ID", "mutability": "readWrite"}, {"name": "externalId", "caseExact": False}, {"name": "a"}]
    kind = ResourceType({"id": "urn:x:A", "name": "A", "attributes": entries})
    id, external = kind.attributes["id"], kind.attributes["externalId"]
    assert (id.mutability, id.returned, external.case_exact) == ("readOnly", "always", True)
    assert {"id", "a"} <= kind.attributes.keys()


@pytest.mark.rfc("7643-3.1-12", "7643-3-6")
def test_common_attributes_are_in_every_type() -> None:
    """A host's own type has id, externalId and meta; the first and the last are the service's to set."""
    client = Client(dialect=STRICT, resource_types=(DEVICE,))
    body = {"schemas": [DEVICE.schema], "serial": "S", "label": "x", "externalId": "E", "id": "mine", "meta": {}}
    device = client.post("/Devices", body).body
    assert device["id"] != "mine"
    assert (device["externalId"], device["meta"]["resourceType"]) == ("E", "Device")
    assert device["meta"].keys() == {"resourceType", "created", "lastModified", "version", "location"}


@pytest.mark.rfc("7643-3-5")
def test_the_order_of_schemas(client: Client) -> None:
    """The base schema need not be the first."""
    extended = post(client, schemas=[ENTERPRISE, USER], **{ENTERPRISE: {"department": "Care"}})
    assert (extended.status, extended.body[ENTERPRISE]) == (201, {"department": "Care"})


@pytest.mark.rfc("7643-2.3.4-1")
@pytest.mark.parametrize("number", [b"2.0", b"2e0", b"2.5"])
def test_an_integer_with_a_fraction(number: bytes) -> None:
    """An integer has neither a fraction nor an exponent, not even of zero."""
    client = Client(dialect=STRICT, resource_types=(DEVICE,))
    body = b'{"schemas": ["%s"], "serial": "S", "label": "x", "ports": %s}' % (DEVICE.schema.encode(), number)
    assert client.post("/Devices", body).body["scimType"] == "invalidValue"


@pytest.mark.rfc("7643-2.3.6-2", "7643-2.3.6-3")
@pytest.mark.parametrize("value", ["YWI=", "YWI", "-_8=", "-_8"])
def test_base64(client: Client, value: str) -> None:
    """Both alphabets are taken, with their padding and without, and given back as they were sent."""
    certificates = [{"value": value}]
    assert post(client, x509Certificates=certificates).body["x509Certificates"] == certificates


@pytest.mark.rfc("7643-2.3.7-7", "7643-2.4-6", "7643-4.3-2")
def test_references_are_made_by_the_service(client: Client) -> None:
    """A `$ref` of the client is passed over, with whatever version in it; the answer has one made of the id."""
    boss = client.user("boss")
    manager = {"value": boss, "$ref": f"https://elsewhere.example/v1/Users/{boss}"}
    body = post(client, schemas=[USER, ENTERPRISE], **{ENTERPRISE: {"manager": manager}}).body
    assert body[ENTERPRISE]["manager"] == {"value": boss, "$ref": f"{BASE_URL}/Users/{boss}"}


@pytest.mark.rfc("7643-2.4-7")
def test_one_value_of_two_types(client: Client) -> None:
    """The same address may be there for work and for home."""
    emails = [{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "home"}]
    assert post(client, emails=emails).body["emails"] == emails


@pytest.mark.rfc("7643-4.1.1-7")
def test_names_are_kept_as_they_were_sent(client: Client) -> None:
    """`name.formatted`, its components, or both are returned, as the client gave them."""
    for number, name in enumerate(({"formatted": "A K"}, {"givenName": "A"}, {"formatted": "K, A", "givenName": "A"})):
        assert post(client, userName=f"u{number}", name=name).body["name"] == name


@pytest.mark.rfc("7643-4.2-2", "7643-4.2-4")
def test_members_are_immutable(client: Client) -> None:
    """No part of a member is changed, also not its display; a member has a value."""
    ada = client.user("ada")
    group = f"/Groups/{client.group('Agents', members=[{'value': ada, 'display': 'Ada'}])}"
    for name in ("value", "type", "display"):
        change = {"op": "replace", "path": f'members[value eq "{ada}"].{name}', "value": "x"}
        answer = client.patch(group, change)
        assert (answer.status, answer.body["scimType"]) == (400, "mutability"), name
    assert client.post("/Groups", {"schemas": [GROUP], "displayName": "x", "members": [{"type": "User"}]}).status == 400


@pytest.mark.rfc("7643-6-4", "7643-7-17")
def test_discovery_documents_are_complete(client: Client) -> None:
    """Every type has a description; every complex attribute lists its sub-attributes."""
    assert all(each["description"] for each in client.get("/ResourceTypes").body["Resources"])
    for schema in client.get("/Schemas").body["Resources"]:
        assert schema["name"] and schema["description"]
        for each in schema["attributes"]:
            assert (each["type"] == "complex") is bool(each.get("subAttributes"))


@pytest.mark.rfc("7643-6-5")
def test_the_schemas_of_a_type_are_there(client: Client) -> None:
    """`schema` and `schemaExtensions` name Schema resources."""
    for kind in client.get("/ResourceTypes").body["Resources"]:
        for urn in (kind["schema"], *(each["schema"] for each in kind.get("schemaExtensions", ()))):
            assert client.get(f"/Schemas/{urn}").id == urn


@pytest.mark.rfc("7643-6-6")
def test_an_extension_may_be_left_out(client: Client) -> None:
    """A user without the enterprise extension is a user."""
    assert ENTERPRISE not in post(client).body["schemas"]


@pytest.mark.rfc("7643-8.7.2-1", "7643-8.7.2-2")
def test_the_schemas_of_discovery(client: Client) -> None:
    """They say of the discovery documents what these have, with the errata."""
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
    """It comes when it is asked for, and after a write of it, but for one that excludes it."""
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
