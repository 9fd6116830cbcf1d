"""The operations on resources (RFC 7644 sections 3.3 to 3.6)."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import STRICT, TOLERANT, Limits, MemoryStore, RequestCompleted, ResourceType, Scope
from scimkit.errors import PreconditionFailed
from scimkit.schema.core import GROUP as GROUP_TYPE
from scimkit.schema.core import GROUP_SCHEMA
from scimkit.schema.core import USER as USER_TYPE
from scimkit.stores.sql import SqlStore
from tests.client import BASE_URL, ENTERPRISE, ERROR, GROUP, PATCH_OP, USER, Client
from tests.resource_types import DEVICE


@pytest.mark.rfc(
    "7643-3.1-1",
    "7643-3.1-6",
    "7643-3.1-7",
    "7643-3.1-8",
    "7643-3.1-9",
    "7644-8.1-1",
    "7644-3.3-2",
    "7644-3.3-3",
    "7644-3.3-5",
    "7644-3.3-6",
    "7644-3.3-7",
    "7644-3.3.1-1",
    "7644-3.4.1-1",
)
def test_create(client: Client) -> None:
    """POST returns 201 with the resource, its id, meta, location and version."""
    answer = client.post("/Users", {"schemas": [USER], "userName": "ada", "id": "mine", "meta": {"version": "x"}})
    assert answer.status == 201
    location = f"{BASE_URL}/Users/{answer.id}"
    assert answer.headers["Location"] == location
    assert answer.headers["ETag"] == answer.body["meta"]["version"]
    assert answer.headers["Content-Type"] == "application/scim+json"
    assert answer.body["meta"]["location"] == location
    assert answer.body["meta"]["resourceType"] == "User"
    assert answer.body["meta"]["created"] == answer.body["meta"]["lastModified"]
    assert answer.id != "mine"
    assert client.get(f"/Users/{answer.id}").body == answer.body


@pytest.mark.rfc("7643-2.1-1")
def test_names_in_any_case_are_made_canonical(client: Client) -> None:
    """Attribute names are case-insensitive (RFC 7643 section 2.1); the response has the case of the schema."""
    body = {
        "SCHEMAS": [USER],
        "USERNAME": "ada",
        "Name": {"GIVENNAME": "Ada"},
        "emails": [{"Value": "a", "Primary": True}],
    }
    answer = client.post("/Users", body)
    assert answer.body["name"] == {"givenName": "Ada"}
    assert answer.body["emails"] == [{"value": "a", "primary": True}]


@pytest.mark.rfc("7643-2.5-1", "7643-2.5-2")
def test_null_and_empty_is_unassigned(client: Client) -> None:
    """Null, empty arrays and empty objects mean unassigned (RFC 7643 section 2.5)."""
    answer = client.post("/Users", {"schemas": [USER], "userName": "ada", "title": None, "emails": [], "name": {}})
    assert not {"title", "emails", "name"} & set(answer.body)


@pytest.mark.rfc("7643-3-1", "7643-3.3-2", "7643-2.1-3", "7644-3.5.2-13", "7644-3.5.2-17")
def test_schemas_follow_the_extensions(client: Client) -> None:
    """`schemas` lists the extensions that have values, before and after a PATCH."""
    id = client.user("ada", **{ENTERPRISE: {"department": "Care"}})
    assert client.get(f"/Users/{id}").body["schemas"] == [USER, ENTERPRISE]
    client.patch(f"/Users/{id}", {"op": "remove", "path": f"{ENTERPRISE}:department"})
    assert client.get(f"/Users/{id}").body["schemas"] == [USER]


@pytest.mark.parametrize("name", ["ada", "ADA", "Ada"])
@pytest.mark.rfc("7643-4.1.1-2", "7644-3.3-8", "7644-3.12-5", "7643-7-15")
def test_a_taken_user_name_is_a_conflict(client: Client, name: str) -> None:
    """A create or change with a userName that is in use, in any case, gets 409 uniqueness."""
    client.user("ada")
    other = client.user("bo")
    for answer in (
        client.post("/Users", {"schemas": [USER], "userName": name}),
        client.put(f"/Users/{other}", {"schemas": [USER], "userName": name}),
        client.patch(f"/Users/{other}", {"op": "replace", "path": "userName", "value": name}),
    ):
        assert (answer.status, answer.body["scimType"], answer.body["status"]) == (409, "uniqueness", "409")
        assert "ada" not in answer.body["detail"].lower()


def test_a_taken_group_name_is_a_conflict(client: Client) -> None:
    """The displayName of a group is unique, unless the resource type is declared otherwise."""
    client.group("Agents")
    assert client.post("/Groups", {"schemas": [GROUP], "displayName": "AGENTS"}).status == 409
    free = Client(resource_types=(ResourceType(GROUP_SCHEMA),))
    assert free.group("Agents") != free.group("Agents")


@pytest.mark.rfc("7643-7-12", "7644-3.4.2.2-8", "7643-7-13", "7643-7-14")
def test_the_stored_case_is_echoed(client: Client) -> None:
    """A comparison ignores case, but the response has the stored case."""
    id = client.user("Ada@Example.org")
    found = client.get('/Users?filter=userName eq "ADA@EXAMPLE.ORG"').body["Resources"]
    assert [(each["id"], each["userName"]) for each in found] == [(id, "Ada@Example.org")]


@pytest.mark.rfc("7644-3.2-1", "7644-3.5.1-1", "7644-3.5.1-2", "7644-3.5.1-7")
def test_replace_clears_what_is_not_given(client: Client) -> None:
    """PUT clears omitted attributes, ignores readOnly attributes, and keeps memberships (RFC 7644 section 3.5.1)."""
    id = client.user("ada", title="Agent", nickName="a")
    group = client.group("Agents", id)
    answer = client.put(f"/Users/{id}", {"schemas": [USER], "userName": "ada", "title": "Lead", "groups": [], "id": id})
    assert answer.status == 200
    assert answer.body["title"] == "Lead"
    assert "nickName" not in answer.body
    assert [each["value"] for each in answer.body["groups"]] == [group]
    assert client.put("/Users/nope", {"schemas": [USER], "userName": "x"}).status == 404
    assert client.put(f"/Users/{id}", {"schemas": [USER], "userName": "x", "id": "other"}).id == id


@pytest.mark.rfc("7644-3.5.2-7", "7644-3.5.2-8")
def test_patch_answers(client: Client) -> None:
    """PATCH of a user returns 200 with the user. PATCH of a group returns 204, unless attributes are requested."""
    user, group = client.user("ada"), client.group("Agents")
    change = {"op": "replace", "path": "displayName", "value": "x"}
    assert client.patch(f"/Users/{user}", change).body["displayName"] == "x"
    answer = client.patch(f"/Groups/{group}", change)
    assert (answer.status, answer.body) == (204, None)
    answer = client.patch(f"/Groups/{group}?attributes=displayName", {**change, "value": "y"})
    assert (answer.status, answer.body["displayName"]) == (200, "y")
    assert set(answer.body) == {"schemas", "id", "displayName"}
    assert client.patch("/Users/nope", change).status == 404


@pytest.mark.rfc("7644-3.5.2.1-3", "7644-3.5.2.1-5")
def test_a_patch_without_effect_keeps_the_version(client: Client) -> None:
    """Adding a present value or removing an absent value leaves version and lastModified unchanged."""
    user = client.user("ada", title="x")
    group = client.group("Agents", user)
    before = client.get(f"/Users/{user}").body, client.get(f"/Groups/{group}").body
    client.patch(f"/Users/{user}", {"op": "add", "path": "title", "value": "x"}, {"op": "remove", "path": "nickName"})
    client.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": user}]})
    client.patch(f"/Groups/{group}", {"op": "remove", "path": 'members[value eq "nobody"]'})
    client.patch(f"/Groups/{group}", {"op": "replace", "path": "displayName", "value": "Agents"})
    client.put(f"/Users/{user}", {"schemas": [USER], "userName": "ada", "title": "x"})
    assert (client.get(f"/Users/{user}").body, client.get(f"/Groups/{group}").body) == before


@pytest.mark.rfc("7643-4.2-2", "7644-3.5.2.2-2", "7644-3.5.2.3-2")
def test_members(client: Client) -> None:
    """Members are added and removed by value. Members that do not exist are skipped and reported."""
    events: list[RequestCompleted] = []
    client = Client(on_request_completed=events.append)
    ada, bo = client.user("ada"), client.user("bo")
    group = client.group("Agents", ada, "nobody")
    assert events[-1].skipped_members == ("nobody",)
    client.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": bo}, {"value": "ghost"}]})
    assert events[-1].skipped_members == ("ghost",)
    assert client.members(group) == {ada, bo}
    client.patch(f"/Groups/{group}", {"op": "remove", "path": "members", "value": [{"$ref": None, "value": ada}]})
    assert client.members(group) == {bo}
    client.patch(f"/Groups/{group}", {"op": "replace", "path": "members", "value": [{"value": ada}]})
    assert client.members(group) == {ada}
    client.patch(f"/Groups/{group}", {"op": "remove", "path": "members"})
    assert client.members(group) == set()


def test_unknown_members_can_be_refused() -> None:
    """With the policy `reject`, a member that does not exist gets 400, and nothing changes."""
    client = Client(MemoryStore(unknown_members="reject"))
    ada = client.user("ada")
    group = client.group("Agents")
    answer = client.patch(
        f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": ada}, {"value": "x"}]}
    )
    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert client.members(group) == set()


@pytest.mark.rfc("7643-2.3.7-3", "7643-4.1.2-3", "7643-4.1.2-4", "7643-4.1.2-6")
def test_groups_of_a_user_are_computed(client: Client) -> None:
    """The groups of a user follow the members of groups. Deleting the user or the group ends the membership."""
    ada, bo = client.user("ada"), client.user("bo")
    group = client.group("Agents", ada, bo)
    entry = {"value": group, "display": "Agents", "type": "direct", "$ref": f"{BASE_URL}/Groups/{group}"}
    assert client.get(f"/Users/{ada}").body["groups"] == [entry]
    version = client.get(f"/Groups/{group}").body["meta"]["version"]
    client.delete(f"/Users/{bo}")
    assert client.members(group) == {ada}
    assert client.get(f"/Groups/{group}").body["meta"]["version"] != version
    client.delete(f"/Groups/{group}")
    assert "groups" not in client.get(f"/Users/{ada}").body


@pytest.mark.rfc("7643-4.1.1-4")
def test_an_inactive_user_stays_visible(client: Client) -> None:
    """An inactive user appears in every read and keeps its memberships."""
    ada = client.user("ada")
    group = client.group("Agents", ada)
    client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    assert client.get(f"/Users/{ada}").body["active"] is False
    assert client.get('/Users?filter=userName eq "ada"').body["totalResults"] == 1
    assert client.members(group) == {ada}


@pytest.mark.rfc("7643-3.1-1", "7644-3.6-1", "7644-3.6-2", "7644-3.6-3")
def test_delete(client: Client) -> None:
    """DELETE returns 204, and every later method gets 404.

    The userName can be used again; the id is never used again.
    """
    id = client.user("ada")
    assert client.delete(f"/Users/{id}").status == 204
    for answer in (client.delete(f"/Users/{id}"), client.get(f"/Users/{id}"),
                   client.patch(f"/Users/{id}", {"op": "remove", "path": "title"})):  # fmt: skip
        assert (answer.status, answer.body["schemas"]) == (404, [ERROR])
    assert client.user("ada") != id


@pytest.mark.rfc(
    "7643-7-12",
    "7643-2.3.3-1",
    "7643-2.3.4-1",
    "7643-2.3.5-1",
    "7643-2.3.6-1",
    "7643-7-4",
    "7643-7-5",
    "7643-7-8",
    "7644-3.4.2.2-8",
    "7644-3.4.2.2-10",
    "7644-3.5.1-3",
)
def test_host_declared_types(client: Client) -> None:
    """A custom resource type is served like the others, by the rules of its schema."""
    client = Client(resource_types=(DEVICE,))
    urn = "urn:example:params:scim:schemas:1.0:Lease"
    body = {"schemas": [DEVICE.schema, urn], "serial": "S1", "label": "x", "model": "m", "pin": "1234", "notes": "n",
            "key": "eHk=", "bought": "2020-01-01T00:00:00+02:00", urn: {"until": "2030-01-01T00:00:00Z"}}  # fmt: skip
    created = client.post("/Devices", body)
    assert created.status == 201
    assert "pin" not in created.body
    assert created.body["notes"] == "n"
    assert "notes" not in client.get(f"/Devices/{created.id}").body
    assert client.get(f"/Devices/{created.id}?attributes=notes,pin").body["notes"] == "n"
    assert client.get('/Devices?filter=bought eq "2019-12-31T22:00:00Z"').body["totalResults"] == 1
    assert client.get('/Devices?filter=serial eq "s1"').body["totalResults"] == 0
    assert client.post("/Devices", {**body, "label": "y"}).status == 409
    changed = client.put(f"/Devices/{created.id}", {**body, "model": "other"})
    assert (changed.status, changed.body["scimType"]) == (400, "mutability")
    for wrong in ({"key": "no base64!"}, {"bought": "yesterday"}, {"ports": 1.5}, {"weight": "heavy"}, {"rented": 1}):
        answer = client.post("/Devices", {**body, "serial": "S2", **wrong})
        assert (answer.status, answer.body["scimType"]) == (400, "invalidValue"), wrong
        assert next(iter(wrong)) in answer.body["detail"]


class RacedStore(MemoryStore):
    """A store in which another write always comes between a read and the write that follows."""

    def __init__(self, races: int) -> None:
        super().__init__()
        self.races = races

    def change(self, *arguments: Any, **options: Any) -> Any:
        self.lose(arguments[4] if len(arguments) > 4 else None)
        return super().change(*arguments, **options)

    def replace(self, *arguments: Any, **options: Any) -> Any:
        self.lose(arguments[4] if len(arguments) > 4 else None)
        return super().replace(*arguments, **options)

    def lose(self, expected: str | None) -> None:
        if expected is not None and self.races > 0:
            self.races -= 1
            raise PreconditionFailed


ADD_PHONE = {"op": "add", "path": "phoneNumbers", "value": [{"value": "+47 1", "type": "work"}]}


def test_a_patch_that_loses_a_race_is_retried() -> None:
    """A PATCH that loses a race is retried, and the client does not notice."""
    client = Client(RacedStore(races=19))
    ada = client.user("ada")
    assert client.patch(f"/Users/{ada}", ADD_PHONE).body["phoneNumbers"] == ADD_PHONE["value"]


def test_a_patch_that_always_loses_is_unavailable() -> None:
    """A PATCH that loses every attempt gets 503 with Retry-After, and nothing changes."""
    client = Client(RacedStore(races=3), limits=Limits(attempts=3))
    ada = client.user("ada")
    answer = client.patch(f"/Users/{ada}", ADD_PHONE)
    assert (answer.status, answer.body["schemas"]) == (503, [ERROR])
    assert answer.headers["Retry-After"].isdigit()
    assert "phoneNumbers" not in client.get(f"/Users/{ada}").body


LEASE = "urn:example:params:scim:schemas:1.0:Lease"
PHONE = {
    "schemas": [DEVICE.schema, LEASE], "serial": "S1", "label": "x", "model": "m", "pin": "1234",
    LEASE: {"until": "2030-01-01T00:00:00Z"},
}  # fmt: skip


def test_a_put_that_loses_a_race_is_retried() -> None:
    """A PUT that must compare immutable attributes is retried too if it loses a race."""
    client = Client(RacedStore(races=2), resource_types=(DEVICE,))
    id = client.post("/Devices", PHONE).id
    assert client.put(f"/Devices/{id}", {**PHONE, "label": "y"}).body["label"] == "y"
    lost = Client(RacedStore(races=9), resource_types=(DEVICE,), limits=Limits(attempts=3))
    id = lost.post("/Devices", PHONE).id
    assert lost.put(f"/Devices/{id}", {**PHONE, "label": "y"}).status == 503


def test_a_put_keeps_what_the_client_cannot_read() -> None:
    """A PUT that omits a writeOnly attribute keeps its value, because no client can read and send it back."""
    store = MemoryStore()
    client = Client(store, resource_types=(DEVICE,))
    id = client.post("/Devices", PHONE).id
    without = {name: value for name, value in PHONE.items() if name != "pin"}
    assert client.put(f"/Devices/{id}", without).status == 200
    assert store.get(Scope(), DEVICE, id)["pin"] == "1234"
    assert client.put(f"/Devices/{id}", {**PHONE, "pin": "9"}).status == 200
    assert store.get(Scope(), DEVICE, id)["pin"] == "9"


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.rfc("7643-4.1.1-1", "7644-3.5.1-4")
def test_required_attributes(client: Client, method: str) -> None:
    """A resource without a required attribute is refused, and the detail names the attribute (RFC 7643 section 2.2)."""
    ada = client.user("ada")
    answer = client.send(method, "/Users" if method == "POST" else f"/Users/{ada}", {"schemas": [USER]})
    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert "userName" in answer.body["detail"]


def test_the_id_in_a_body() -> None:
    """The id, meta and groups in the body of a PUT or of a PATCH without a path are ignored."""
    for dialect in (TOLERANT, STRICT):
        client = Client(dialect=dialect)
        ada = client.user("ada")
        for id in (ada, "other"):
            ignored = {"id": id, "meta": {"version": "x"}, "groups": [{"value": "g"}]}
            answer = client.put(f"/Users/{ada}", {"schemas": [USER], "userName": "ada", **ignored})
            assert (answer.status, answer.id, "groups" in answer.body) == (200, ada, False)
            answer = client.patch(f"/Users/{ada}", {"op": "replace", "value": {"title": "x", **ignored}})
            assert (answer.status, answer.id, answer.body["title"]) == (200, ada, "x")


@pytest.mark.rfc("7643-3.1-8", "7643-3.1-10", "7644-3.14-2")
def test_versions(client: Client) -> None:
    """Every change gives a new version in ETag and meta. lastModified changes, created does not."""
    created = client.post("/Users", {"schemas": [USER], "userName": "ada"})
    path = f"/Users/{created.id}"
    answers = [
        created,
        client.patch(path, {"op": "add", "path": "title", "value": "x"}),
        client.put(path, {"schemas": [USER], "userName": "ada"}),
    ]
    versions = [each.headers["ETag"] for each in answers]
    assert len(set(versions)) == 3
    assert versions == [each.body["meta"]["version"] for each in answers]
    assert client.get(path).headers["ETag"] == versions[-1]
    assert len({each.body["meta"]["created"] for each in answers}) == 1
    moments = [each.body["meta"]["lastModified"] for each in answers]
    assert moments == sorted(moments)
    assert len(set(moments)) == 3


def test_only_create_has_a_location_header(client: Client) -> None:
    """Only a 201 response has the `Location` header; other responses have `meta.location`."""
    ada = client.user("ada")
    answer = client.get(f"/Users/{ada}")
    assert "Location" not in answer.headers
    assert answer.body["meta"]["location"] == f"{BASE_URL}/Users/{ada}"


@pytest.mark.rfc("7644-3.5.1-5", "7644-3.14-2")
def test_answers_of_group_changes(client: Client) -> None:
    """PUT of a group returns its members. PATCH of a group returns 204 without a body and without Content-Type."""
    ada = client.user("ada")
    group = client.group("Staff")
    put = client.put(f"/Groups/{group}", {"schemas": [GROUP], "displayName": "Staff", "members": [{"value": ada}]})
    assert [each["$ref"] for each in put.body["members"]] == [f"{BASE_URL}/Users/{ada}"]
    add = {"op": "add", "path": "members", "value": [{"value": ada}]}
    answer = client.patch(f"/Groups/{group}?excludedAttributes=members", add)
    assert (answer.status, answer.body, answer.headers) == (204, None, {"ETag": 'W/"2"'})
    asked = client.patch(f"/Groups/{group}?attributes=members", add)
    assert [each["value"] for each in asked.body["members"]] == [ada]
    assert asked.headers["ETag"]


@pytest.mark.rfc("7643-4.2-3")
def test_nested_groups(client: Client) -> None:
    """A group may be a member of another group, and its `$ref` refers to a group."""
    inner = client.group("Inner")
    outer = client.group("Outer", inner)
    assert client.get(f"/Groups/{outer}").body["members"] == [
        {"value": inner, "type": "Group", "$ref": f"{BASE_URL}/Groups/{inner}"}
    ]


@pytest.mark.rfc("7644-3.5.2-5")
def test_a_patch_is_atomic(client: Client) -> None:
    """If one operation of a PATCH fails, no operation is applied."""
    ada = client.user("ada")
    before = client.get(f"/Users/{ada}").body
    answer = client.patch(
        f"/Users/{ada}", {"op": "add", "path": "title", "value": "x"}, {"op": "remove", "path": "userName"}
    )
    assert (answer.status, answer.body["scimType"]) == (400, "mutability")
    assert client.get(f"/Users/{ada}").body == before


@pytest.mark.rfc("7644-3.5.2-2")
def test_a_patch_message_of_another_kind(client: Client) -> None:
    """A body that is not a PatchOp is refused, regardless of its other content."""
    ada = client.user("ada")
    for body in ({}, {"schemas": [PATCH_OP]}, {"schemas": [PATCH_OP], "Operations": []}, {"userName": "eve"}):
        answer = client.send("PATCH", f"/Users/{ada}", body)
        assert (answer.status, answer.body["scimType"]) == (400, "invalidSyntax")


@pytest.mark.rfc("7643-4.2-1", "7644-3.5.2.2-5")
def test_a_group_cannot_lose_its_name(client: Client) -> None:
    """A required attribute can be neither removed nor emptied, even if the PATCH does not need to read the group."""
    group = client.group("Agents")
    for operation in (
        {"op": "remove", "path": "displayName"},
        {"op": "replace", "path": "displayName", "value": None},
        {"op": "replace", "path": "displayName", "value": ""},
        {"op": "replace", "value": {"displayName": ""}},
    ):
        assert client.patch(f"/Groups/{group}", operation).status == 400
    assert client.get(f"/Groups/{group}").body["displayName"] == "Agents"


def test_a_filter_on_a_single_plain_value(client: Client) -> None:
    """A path with a filter on an attribute with one simple value is refused, and nothing changes."""
    ada = client.user("ada")
    for op in ("add", "replace", "remove"):
        operation = {"op": op, "path": 'userName[value eq "ada"]', "value": "x"}
        answer = client.patch(f"/Users/{ada}", operation)
        assert (answer.status, answer.body["scimType"]) == (400, "invalidPath")
    assert client.get(f"/Users/{ada}").body["userName"] == "ada"


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_groups_may_share_a_name_if_the_host_says_so(kind: str, tmp_path: Any) -> None:
    """If the host turns off uniqueness of displayName, the schema announces `none`, and two groups may share a name."""
    store: Any = MemoryStore() if kind == "memory" else SqlStore(f"sqlite:///{tmp_path}/names.db")
    shared = Client(store, resource_types=(USER_TYPE, GROUP_TYPE.without_uniqueness("displayName")))
    first, second = shared.group("Agents"), shared.group("Agents")
    found = shared.get('/Groups?filter=displayName eq "agents"').body["Resources"]
    assert {each["id"] for each in found} == {first, second}
    schema = shared.get(f"/Schemas/{GROUP_SCHEMA['id']}").body
    assert next(each for each in schema["attributes"] if each["name"] == "displayName")["uniqueness"] == "none"
    assert Client().get(f"/Schemas/{GROUP_SCHEMA['id']}").body["attributes"][0]["uniqueness"] == "server"
    with pytest.raises(ValueError, match="not unique"):
        GROUP_TYPE.without_uniqueness("externalId")
    if kind == "sqlite":
        store.engine.dispose()


def test_descriptions_of_the_schemas(client: Client) -> None:
    """The schemas have the descriptions `User Account` and `Group` (RFC 7643 section 8.7.1)."""
    described = {each["name"]: each["description"] for each in client.get("/Schemas").body["Resources"]}
    assert (described["User"], described["Group"]) == ("User Account", "Group")


@pytest.mark.parametrize("path", ["/ServiceProviderConfig", "/ResourceTypes/User", "/Schemas", f"/Schemas/{USER}"])
def test_discovery_is_not_filtered(client: Client, path: str) -> None:
    """A filter on a discovery endpoint gets 403 (RFC 7644 section 4)."""
    assert client.get(f'{path}?filter=id eq "x"').status == 403
