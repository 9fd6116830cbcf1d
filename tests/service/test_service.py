"""The service: every operation, every error, as RFC 7644 has them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from scimkit import Event, Limits, MemoryStore, ResourceType, ScimService, TokenRegistry
from tests.client import BASE_URL, ENTERPRISE, ERROR, GROUP, USER, Client

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def test_create(client: Client) -> None:
    """POST answers 201 with the resource, its id, its meta, its location and its version."""
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


def test_names_in_any_case_are_made_canonical(client: Client) -> None:
    """Attribute names have no case (RFC 7643 section 2.1); the answer has the schema's."""
    body = {
        "SCHEMAS": [USER],
        "USERNAME": "ada",
        "Name": {"GIVENNAME": "Ada"},
        "emails": [{"Value": "a", "Primary": True}],
    }
    answer = client.post("/Users", body)
    assert answer.body["name"] == {"givenName": "Ada"}
    assert answer.body["emails"] == [{"value": "a", "primary": True}]


def test_null_and_empty_is_unassigned(client: Client) -> None:
    """Null, empty arrays and empty objects are no values (RFC 7643 section 2.5)."""
    answer = client.post("/Users", {"schemas": [USER], "userName": "ada", "title": None, "emails": [], "name": {}})
    assert not {"title", "emails", "name"} & set(answer.body)


def test_schemas_follow_the_extensions(client: Client) -> None:
    """`schemas` lists the extensions that have values, before and after a PATCH."""
    id = client.user("ada", **{ENTERPRISE: {"department": "Care"}})
    assert client.get(f"/Users/{id}").body["schemas"] == [USER, ENTERPRISE]
    client.patch(f"/Users/{id}", {"op": "remove", "path": f"{ENTERPRISE}:department"})
    assert client.get(f"/Users/{id}").body["schemas"] == [USER]


@pytest.mark.parametrize("name", ["ada", "ADA", "Ada"])
def test_a_taken_user_name_is_a_conflict(client: Client, name: str) -> None:
    """A userName in use, in any case, is 409 uniqueness, on create and on change."""
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
    """A group's displayName is unique too, unless the type is compiled otherwise."""
    client.group("Agents")
    assert client.post("/Groups", {"schemas": [GROUP], "displayName": "AGENTS"}).status == 409
    from scimkit.schema.core import GROUP_SCHEMA

    free = Client(resource_types=(ResourceType(GROUP_SCHEMA),))
    assert free.group("Agents") != free.group("Agents")


def test_the_stored_case_is_echoed(client: Client) -> None:
    """Comparison has no case, the value keeps its own."""
    id = client.user("Ada@Example.org")
    found = client.get('/Users?filter=userName eq "ADA@EXAMPLE.ORG"').body["Resources"]
    assert [(each["id"], each["userName"]) for each in found] == [(id, "Ada@Example.org")]


def test_replace_clears_what_is_not_given(client: Client) -> None:
    """PUT clears omitted attributes, ignores read-only ones, and leaves memberships (RFC 7644 section 3.5.1)."""
    id = client.user("ada", title="Agent", nickName="a")
    group = client.group("Agents", id)
    answer = client.put(f"/Users/{id}", {"schemas": [USER], "userName": "ada", "title": "Lead", "groups": [], "id": id})
    assert answer.status == 200
    assert answer.body["title"] == "Lead"
    assert "nickName" not in answer.body
    assert [each["value"] for each in answer.body["groups"]] == [group]
    assert client.put("/Users/nope", {"schemas": [USER], "userName": "x"}).status == 404
    assert client.put(f"/Users/{id}", {"schemas": [USER], "userName": "x", "id": "other"}).status == 400


def test_patch_answers(client: Client) -> None:
    """PATCH of a user is 200 with it, of a group 204, unless attributes are named."""
    user, group = client.user("ada"), client.group("Agents")
    change = {"op": "replace", "path": "displayName", "value": "x"}
    assert client.patch(f"/Users/{user}", change).body["displayName"] == "x"
    answer = client.patch(f"/Groups/{group}", change)
    assert (answer.status, answer.body) == (204, None)
    answer = client.patch(f"/Groups/{group}?attributes=displayName", {**change, "value": "y"})
    assert (answer.status, answer.body["displayName"]) == (200, "y")
    assert set(answer.body) == {"schemas", "id", "displayName"}
    assert client.patch("/Users/nope", change).status == 404


def test_a_change_of_nothing_changes_nothing(client: Client) -> None:
    """Adding what is there and removing what is absent leaves version and lastModified."""
    user = client.user("ada", title="x")
    group = client.group("Agents", user)
    before = client.get(f"/Users/{user}").body, client.get(f"/Groups/{group}").body
    client.patch(f"/Users/{user}", {"op": "add", "path": "title", "value": "x"}, {"op": "remove", "path": "nickName"})
    client.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": user}]})
    client.patch(f"/Groups/{group}", {"op": "remove", "path": 'members[value eq "nobody"]'})
    client.patch(f"/Groups/{group}", {"op": "replace", "path": "displayName", "value": "Agents"})
    client.put(f"/Users/{user}", {"schemas": [USER], "userName": "ada", "title": "x"})
    assert (client.get(f"/Users/{user}").body, client.get(f"/Groups/{group}").body) == before


def test_members(client: Client) -> None:
    """Members are added and removed by value; those that do not exist are passed over and reported."""
    events: list[Event] = []
    client = Client(on_event=events.append)
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
    """With the policy `reject` a member that does not exist is 400, and nothing changes."""
    client = Client(MemoryStore(unknown_members="reject"))
    ada = client.user("ada")
    group = client.group("Agents")
    answer = client.patch(
        f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": ada}, {"value": "x"}]}
    )
    assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    assert client.members(group) == set()


def test_groups_of_a_user_are_computed(client: Client) -> None:
    """A user's groups follow the members of groups; deleting either ends the membership."""
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


def test_an_inactive_user_stays_visible(client: Client) -> None:
    """A disabled user is in every read, and keeps its memberships."""
    ada = client.user("ada")
    group = client.group("Agents", ada)
    client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    assert client.get(f"/Users/{ada}").body["active"] is False
    assert client.get('/Users?filter=userName eq "ada"').body["totalResults"] == 1
    assert client.members(group) == {ada}


def test_delete(client: Client) -> None:
    """DELETE is 204, then 404 for every method; the name is free again, the id is not used again."""
    id = client.user("ada")
    assert client.delete(f"/Users/{id}").status == 204
    for answer in (client.delete(f"/Users/{id}"), client.get(f"/Users/{id}"),
                   client.patch(f"/Users/{id}", {"op": "remove", "path": "title"})):  # fmt: skip
        assert (answer.status, answer.body["schemas"]) == (404, [ERROR])
    assert client.user("ada") != id


def test_pages(client: Client) -> None:
    """Pages count from 1, in a stable order; strange values are clamped, no hit is an empty list."""
    ids = [client.user(f"user{number}") for number in range(5)]
    page = client.get("/Users?startIndex=2&count=2").body
    assert page["schemas"] == [LIST]
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, 2, 2)
    assert [each["id"] for each in page["Resources"]] == ids[1:3]
    for query, expected in (("startIndex=0", ids), ("startIndex=-3&count=2", ids[:2]), ("startIndex=6", []),
                            ("count=0", []), ("count=-1", []), ("startindex=5&COUNT=9", ids[4:])):  # fmt: skip
        answer = client.get(f"/Users?{query}")
        assert answer.status == 200
        assert [each["id"] for each in answer.body["Resources"]] == expected
        assert answer.body["totalResults"] == 5
    assert client.get("/Users?count=x").body["scimType"] == "invalidValue"
    empty = client.get('/Users?filter=userName eq "nobody"').body
    assert (empty["totalResults"], empty["Resources"]) == (0, [])


def test_the_page_size_has_a_limit() -> None:
    """A count over the limit is clamped to it, and the limit is announced."""
    client = Client(limits=Limits(page=3, default_page=2))
    for number in range(5):
        client.user(f"user{number}")
    assert client.get("/Users?count=100").body["itemsPerPage"] == 3
    assert client.get("/Users").body["itemsPerPage"] == 2
    assert client.get("/ServiceProviderConfig").body["filter"]["maxResults"] == 3


def test_projection(client: Client) -> None:
    """`attributes` and `excludedAttributes` choose what is returned, `id` and `schemas` always come."""
    ada = client.user("ada", name={"givenName": "Ada", "familyName": "King"}, **{ENTERPRISE: {"department": "Care"}})
    group = client.group("Agents", ada)
    body = client.get(f"/Users/{ada}?attributes=name.familyName,{ENTERPRISE}:department").body
    assert body == {
        "schemas": [USER, ENTERPRISE],
        "id": ada,
        "name": {"familyName": "King"},
        ENTERPRISE: {"department": "Care"},
    }
    assert set(client.get(f"/Users/{ada}?attributes=userName").body) == {"schemas", "id", "userName"}
    assert "members" not in client.get(f"/Groups/{group}?excludedAttributes=members").body
    assert "members" not in client.get("/Groups?excludedAttributes=MEMBERS").body["Resources"][0]
    assert set(client.post("/Users?attributes=id", {"schemas": [USER], "userName": "x"}).body) == {"schemas", "id"}
    assert client.get(f"/Users/{ada}?attributes=meta.location").body["meta"] == {"location": f"{BASE_URL}/Users/{ada}"}


def test_search(client: Client) -> None:
    """`POST .search` is a GET with its parameters in the body, on a type and on all of them."""
    ada = client.user("ada", displayName="B")
    group = client.group("A", ada)
    request = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
    found = client.post("/Users/.search", {**request, "filter": 'userName eq "ada"', "attributes": ["userName"]}).body
    assert found["Resources"] == [{"schemas": [USER], "id": ada, "userName": "ada"}]
    everything = client.post("/.search", request).body
    assert [each["id"] for each in everything["Resources"]] == [ada, group]
    both = {**request, "filter": "displayName pr", "sortBy": "displayName", "sortOrder": "ascending"}
    assert [each["id"] for each in client.post("/.search", both).body["Resources"]] == [group, ada]
    assert client.get('/?filter=userName eq "ada"').body["totalResults"] == 1
    assert client.get("/?filter=members pr&startIndex=1&count=1").body["totalResults"] == 1
    assert client.get("/?filter=nosuch pr").body["scimType"] == "invalidFilter"
    assert [each["id"] for each in client.get("/?startIndex=2&count=5").body["Resources"]] == [group]


def test_sorting(client: Client) -> None:
    """Sorting follows the attribute's case rules; what has no value is last ascending, first descending."""
    names = {name: client.user(name, **({} if title is None else {"title": title})) for name, title in
             (("c", "beta"), ("a", None), ("b", "Alpha"), ("d", "beta"))}  # fmt: skip

    def order(query: str) -> str:
        found = [each["id"] for each in client.get(f"/Users?{query}").body["Resources"]]
        return "".join(name for id in found for name, each in names.items() if each == id)

    assert order("sortBy=title") == "bcda"
    assert order("sortBy=title&sortOrder=descending") == "acdb"
    assert order("sortBy=userName&startIndex=2&count=2") == "bc"
    assert order("sortBy=emails") == "cabd"
    assert client.get("/Users?sortBy=nosuch").body["scimType"] == "invalidPath"
    assert client.get("/Users?sortBy=title&sortOrder=up").status == 400


def test_discovery(client: Client) -> None:
    """The three discovery documents, as lists and one by one, have no null and cannot be filtered."""
    config = client.get("/ServiceProviderConfig").body
    assert config["patch"] == {"supported": True}
    for kind, count in (("ResourceTypes", 2), ("Schemas", 3)):
        listed = client.get(f"/{kind}").body
        assert listed["totalResults"] == count == len(listed["Resources"])
        for each in listed["Resources"]:
            for id in (each["id"], each["id"].replace(":", "%3A"), each["id"].replace(":", "%3a")):
                assert client.get(f"/{kind}/{id}").body == each
            assert each["meta"]["location"] == f"{BASE_URL}/{kind}/{each['id']}"
        assert "null" not in json.dumps(listed)
        assert client.get(f"/{kind}?filter=id pr").status == 403
    user = client.get(f"/Schemas/{USER}").body
    emails = next(each for each in user["attributes"] if each["name"] == "emails")
    kind = next(each for each in emails["subAttributes"] if each["name"] == "type")
    assert kind["canonicalValues"] == ["work", "home", "other"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/Nope", 404), ("GET", "/Users/x/y", 404), ("PATCH", "/Users", 405), ("POST", "/Users/x", 405),
     ("DELETE", "/Schemas", 405), ("GET", "/.search", 405), ("PUT", "/ServiceProviderConfig", 405), ("GET", "/users", 404)],
)  # fmt: skip
def test_no_such_endpoint(client: Client, method: str, path: str, status: int) -> None:
    """An unknown route is 404, a method that an endpoint does not take 405 with `Allow`; both SCIM errors."""
    answer = client.send(method, path)
    assert (answer.status, answer.body["schemas"]) == (status, [ERROR])
    assert ("Allow" in answer.headers) is (status == 405)


def test_tenants_are_apart(client: Client) -> None:
    """What one tenant has, no other sees, names, finds, links or deletes."""
    other = client.of_tenant("other")
    ada = client.user("ada")
    group = client.group("Agents", ada)
    assert other.user("ada") != ada
    assert other.group("Agents", ada) != group
    assert other.get(f"/Users/{ada}").status == 404
    assert other.delete(f"/Users/{ada}").status == 404
    assert other.get("/Users?filter=userName pr or id pr").body["totalResults"] == 1
    assert other.get(f'/Groups?filter=members eq "{ada}"').body["totalResults"] == 0
    assert client.get(f"/Users/{ada}").body["groups"][0]["value"] == group


def test_passwords() -> None:
    """A password is handed to the host's hook and dropped: never returned, stored, found or logged."""
    handed: list[tuple[str, str, str]] = []
    events: list[Event] = []
    store = MemoryStore()
    client = Client(store, set_password=lambda *args: handed.append(args), on_event=events.append)
    answer = client.post("/Users", {"schemas": [USER], "userName": "ada", "password": "s3cret1"})
    client.put(f"/Users/{answer.id}", {"schemas": [USER], "userName": "ada", "password": "s3cret2"})
    for operation in ({"path": "password", "value": "s3cret3"}, {"value": {"password": "s3cret4", "title": "x"}}):
        changed = client.patch(f"/Users/{answer.id}", {"op": "replace", **operation})
        assert changed.status == 200
        assert "password" not in changed.body
    assert handed == [("default", answer.id, f"s3cret{number}") for number in (1, 2, 3, 4)]
    assert "s3cret" not in repr(vars(store)) + repr(
        store.get.__self__._tenants["default"].tables["User"].entries
    ) + repr(events)
    assert client.get('/Users?filter=password eq "s3cret4"').status == 400
    assert "password" not in client.get("/Users?attributes=password").body["Resources"][0]
    assert client.get("/ServiceProviderConfig").body["changePassword"]["supported"] is True


def test_a_defect_is_a_scim_error(caplog: pytest.LogCaptureFixture) -> None:
    """A defect of a store is 500 with a SCIM body that says nothing of it; the log has the traceback."""

    class Broken(MemoryStore):
        def get(self, *args: Any, **options: Any) -> Any:
            raise RuntimeError("secret of the store")

    client = Client(Broken())
    with caplog.at_level(logging.ERROR, "scimkit"):
        answer = client.get("/Users/x")
    assert (answer.status, answer.body["schemas"]) == (500, [ERROR])
    assert "secret" not in json.dumps(answer.body)
    assert "secret of the store" in caplog.text


def test_events_tell_what_happened() -> None:
    """Every request is told to the hook: whose, what, the outcome; a hook that fails does no harm."""
    events: list[Event] = []
    client = Client(on_event=events.append)
    id = client.user("ada")
    client.patch(f"/Users/{id}", {"op": "Replace", "path": "active", "value": "False"})
    client.get("/Users/nope")
    client.get("/Users", headers={"Authorization": "Bearer nope"})
    created, patched, missing, refused = events
    assert (created.method, created.resource_type, created.id, created.changed) == ("POST", "User", id, True)
    assert patched.quirks == ("op-case", "boolean-text")
    assert (missing.status, missing.detail, missing.changed) == (404, "This User does not exist.", False)
    assert (refused.status, refused.tenant) == (401, None)

    def fails(event: Event) -> None:
        raise RuntimeError

    assert Client(on_event=fails).get("/Users").status == 200


def test_resource_types_must_differ() -> None:
    """Two types with one endpoint are a mistake of the host, told at once."""
    from scimkit import USER as USER_TYPE

    with pytest.raises(ValueError, match="share"):
        ScimService(MemoryStore(), tokens=TokenRegistry(), resource_types=(USER_TYPE, USER_TYPE))


def test_host_declared_types(client: Client) -> None:
    """A host's own type is served like the others, by its own rules."""
    from tests.resource_types import DEVICE

    client = Client(resource_types=(DEVICE,))
    urn = "urn:example:params:scim:schemas:1.0:Lease"
    body = {"schemas": [DEVICE.schema, urn], "serial": "S1", "label": "x", "model": "m", "pin": "1234", "notes": "n",
            "key": "eHk=", "bought": "2020-01-01T00:00:00+02:00", urn: {"until": "2030-01-01T00:00:00Z"}}  # fmt: skip
    created = client.post("/Devices", body)
    assert created.status == 201
    assert not {"pin", "notes"} & set(created.body)
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
