"""Clauses of RFC 7643 that no other test shows. The dialect is strict."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import ResourceType, SchemaExtension
from scimkit.dialects import STRICT
from scimkit.schema.core import GROUP_SCHEMA, USER_SCHEMA
from tests.client import ENTERPRISE, GROUP, USER, Client
from tests.resource_types import LEASE_SCHEMA


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
