"""Roles and entitlements: discovery, search, assignment, over several stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.entitlements import Offer, OfferedType, RolesAndEntitlements
from scimkit.provisioning import LogQuery
from scimkit.schema.resource_types import SchemaExtension
from tests.client import BASE_URL, USER, Client
from tests.stores.databases import store_of
from tests.stores.mapped.helpdesk import AGENTS, account, helpdesk_of
from tests.stores.mapped.test_served import NARROW

ROLES = [
    Offer("agent", "Agent", type="support", id="rl1"),
    Offer("lead", "Team lead", contains=["agent"], assignments_permitted=3, assignments_used=1, id="rl0"),
    Offer("retired", supported=False, id="rl2"),
]
SEAT = {"id": "urn:example:seat", "name": "Seat", "attributes": [{"name": "floor", "type": "integer"}]}
LICENSES = OfferedType(
    "License",
    [Offer("pro", "Pro", extensions={"urn:example:seat": {"floor": 2}}), Offer("basic")],
    extensions=[SchemaExtension(SEAT)],
)
CONFIG_SCHEMA = "/Schemas/urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"


def by_tenant(tenant: str) -> Sequence[Offer]:
    """Return the entitlements of a tenant."""
    return [Offer(f"{tenant}-voice", "Voice", type="channel"), Offer("basic", type="channel")]


def declared(**options: Any) -> RolesAndEntitlements:
    return RolesAndEntitlements(roles=ROLES, entitlements=by_tenant, types=[LICENSES], **options)


def client_of(store: Any = None, tenant: str = "default", **options: Any) -> Client:
    return Client(store, tenant=tenant, roles_and_entitlements=declared(**options))


STORES = {
    "memory": lambda: (MemoryStore(provisioning_log=True), "default"),
    "sql": lambda: (store_of("sqlite"), "roles"),
    "mapped": lambda: (helpdesk_of("sqlite", (AGENTS,)), account()),
}


@pytest.mark.rfc("roles-3.1-1", "roles-3.2-1", "roles-3.3-1")
def test_discovery() -> None:
    """ResourceTypes, Schemas and ServiceProviderConfig announce the roles and entitlements, with all attributes."""
    client = client_of()
    types = {each["name"]: each for each in client.get("/ResourceTypes").body["Resources"]}
    assert list(types) == ["User", "Group", "Role", "Entitlement", "License"]
    assert types["Role"]["schema"] == "urn:ietf:params:scim:schemas:core:2.0:Role"
    assert types["License"]["endpoint"] == "/Licenses"
    assert types["License"]["schemaExtensions"] == [{"schema": "urn:example:seat", "required": False}]
    assert client.get("/ResourceTypes/Role").body == types["Role"]
    schemas = {each["id"]: each for each in client.get("/Schemas").body["Resources"]}
    for each in types.values():
        assert each["schema"] in schemas
    role = schemas["urn:ietf:params:scim:schemas:core:2.0:Role"]["attributes"]
    assert {each["mutability"] for each in role} == {"readOnly"}
    assert {each["name"]: each["type"] for each in role} == {
        "value": "string", "display": "string", "type": "string", "supported": "boolean",
        "limitedAssignmentsPermitted": "boolean", "totalAssignmentsPermitted": "integer",
        "totalAssignmentsUsed": "integer", "containedBy": "string", "contains": "string",
    }  # fmt: skip
    announced = client.get("/ServiceProviderConfig").body["RolesAndEntitlements"]
    assert announced == {
        "roles": {
            "supported": True, "multipleRolesSupported": True, "primarySupported": True, "typeSupported": True,
            "types": ["support"],
        },
        "entitlements": {
            "supported": True, "multipleEntitlementsSupported": True, "primarySupported": True, "typeSupported": True,
        },
    }  # fmt: skip
    config = client.get(CONFIG_SCHEMA).body["attributes"]
    [attribute] = [each for each in config if each["name"] == "RolesAndEntitlements"]
    assert {each["name"] for each in attribute["subAttributes"]} == {"roles", "entitlements"}
    plain = Client()
    assert "RolesAndEntitlements" not in plain.get("/ServiceProviderConfig").body
    assert plain.get("/Roles").status == 404
    assert all(each["name"] != "RolesAndEntitlements" for each in plain.get(CONFIG_SCHEMA).body["attributes"])


@pytest.mark.rfc("roles-3.2-1", "roles-3.2-2")
def test_a_resource() -> None:
    """A role has the attributes of the draft, a location and an ETag. It cannot be written."""
    client = client_of()
    lead = client.get("/Roles/rl0")
    assert lead.body == {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Role"],
        "id": "rl0", "value": "lead", "display": "Team lead", "supported": True,
        "limitedAssignmentsPermitted": True, "totalAssignmentsPermitted": 3, "totalAssignmentsUsed": 1,
        "contains": ["agent"],
        "meta": {"resourceType": "Role", "version": lead.headers["ETag"], "location": f"{BASE_URL}/Roles/rl0"},
    }  # fmt: skip
    assert client.get("/Roles/rl1").body["containedBy"] == ["lead"]
    assert client.get("/Roles/rl0", headers={"If-None-Match": lead.headers["ETag"]}).status == 304
    assert client.get("/Roles/nobody").status == 404
    for method, path in (("POST", "/Roles"), ("PUT", "/Roles/rl0"), ("PATCH", "/Roles/rl0"), ("DELETE", "/Roles/rl0")):
        refused = client.send(method, path, {"schemas": [], "value": "x"})
        assert (refused.status, refused.headers["Allow"]) == (405, "GET")
    bulk = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "DELETE", "path": "/Roles/rl0"}],
    }
    assert client.post("/Bulk", bulk).body["Operations"][0]["status"] == "405"


@pytest.mark.parametrize("store", STORES)
def test_search(store: str) -> None:
    """Filters, sorting, attributes and both kinds of pages work, at the endpoint and over all resource types."""
    kept, tenant = STORES[store]()
    client = client_of(kept, tenant)
    assert values(client, "/Roles") == ["lead", "agent", "retired"]
    assert values(client, "/Roles?filter=supported eq true and display sw %22A%22") == ["agent"]
    assert values(client, "/Roles?filter=contains eq %22agent%22") == ["lead"]
    assert values(client, "/Licenses?filter=urn:example:seat:floor gt 1") == ["pro"]
    assert values(client, "/Roles?sortBy=value&sortOrder=descending") == ["retired", "lead", "agent"]
    assert values(client, "/Roles?startIndex=2&count=1") == ["agent"]
    found = client.post("/Roles/.search", {"schemas": [SEARCH], "filter": 'id eq "rl2"', "attributes": ["value"]})
    assert [each.keys() for each in found.body["Resources"]] == [{"schemas", "id", "value"}]
    assert client.get("/Roles?filter=nothing eq 1").body["scimType"] == "invalidFilter"
    walked, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/Roles?count=1&cursor={cursor}").body
        walked += [each["value"] for each in page["Resources"]]
        cursor = page.get("nextCursor")
    assert walked == ["lead", "agent", "retired"]
    everywhere = client.get("/?filter=meta.resourceType eq %22License%22").body
    assert [each["value"] for each in everywhere["Resources"]] == ["basic", "pro"]


SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


def values(client: Client, path: str) -> list[str]:
    """Return the values of the resources that a search finds."""
    return [each["value"] for each in client.get(path.replace(" ", "%20")).body["Resources"]]


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)), st.integers(1, 7))
def test_pages_by_cursor_while_the_offers_change(before: set[int], after: set[int], count: int) -> None:
    """An offer that exists during all pages is on exactly one page, although the host changes its offers meanwhile."""
    now = [before]
    client = Client(
        roles_and_entitlements=RolesAndEntitlements(roles=lambda tenant: [Offer(f"r{each:02}") for each in now[0]])
    )
    page = client.get(f"/Roles?count={count}&cursor=").body
    seen = [each["value"] for each in page["Resources"]]
    now[0] = after
    while "nextCursor" in page:
        page = client.get(f"/Roles?count={count}&cursor={page['nextCursor']}").body
        seen += [each["value"] for each in page["Resources"]]
    assert len(seen) == len(set(seen))
    assert {f"r{each:02}" for each in before & after} <= set(seen)


@pytest.mark.parametrize("store", STORES)
def test_assignment(store: str) -> None:
    """Offered values are stored. Others are refused by POST, PUT and PATCH, unless the user has the value already."""
    kept, tenant = STORES[store]()
    client = client_of(kept, tenant)
    before = Client(kept, tenant=tenant)
    ada = before.post("/Users", user(f"ada-{store}", roles=["fossil"])).id
    path = f"/Users/{ada}"
    assert client.patch(path, replace("title", "Dr.")).status == 200
    assert client.patch(path, add("roles", "AGENT")).status == 200
    assert roles(client, path) == {"fossil", "AGENT"}
    assert client.put(path, user(f"ada-{store}", roles=["fossil", "lead"])).status == 200
    for refused in (
        client.post("/Users", user("bo", roles=["agent", "nothing"])),
        client.put(path, user(f"ada-{store}", roles=["lead", "nothing"])),
        client.patch(path, replace("roles", [{"value": "lead"}, {"value": "nothing"}])),
    ):
        assert (refused.status, refused.body["scimType"]) == (400, "invalidValue")
        assert refused.body["detail"] == ("roles[1].value must be a value that this application offers. See /Roles.")
    assert client.patch(path, add("roles", "retired")).body["detail"] == (
        "roles[2].value is offered, but not supported at present. Choose another value."
    )
    assert roles(client, path) == {"fossil", "lead"}
    assert client.patch(path, {"op": "remove", "path": 'roles[value eq "fossil"]'}).status == 200
    assert client.patch(path, add("roles", "fossil")).status == 400
    kept_anyway = client_of(kept, tenant, unknown_values="keep")
    done = kept_anyway.patch(path, add("roles", "fossil"))
    assert (done.status, done.quirks) == (200, ("value-not-offered:roles.value",))
    assert roles(client, path) == {"fossil", "lead"}


def user(name: str, **assigned: Sequence[str]) -> dict[str, Any]:
    """Return a user with roles or entitlements."""
    lists = {attribute: [{"value": each} for each in found] for attribute, found in assigned.items()}
    return {"schemas": [USER], "userName": name, **lists}


def add(path: str, value: str, **more: str) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": [{"value": value, **more}]}


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def roles(client: Client, path: str) -> set[str]:
    return {each["value"] for each in client.get(path).body["roles"]}


def test_types_and_tenants() -> None:
    """Each tenant has its own offers. A type of offers limits the values; another type, as Entra sends, does not."""
    client = client_of(tenant="acme")
    other = client.of_tenant("globex")
    assert values(client, "/Entitlements") == ["acme-voice", "basic"]
    assert values(other, "/Entitlements") == ["basic", "globex-voice"]
    path = f"/Users/{client.post('/Users', user('ada')).id}"
    assert client.patch(path, add("entitlements", "acme-voice", type="Channel")).status == 200
    assert client.patch(path, add("entitlements", "pro", type="License")).status == 200
    assert client.patch(path, add("roles", "agent", type="WindowsAzureActiveDirectoryRole")).status == 200
    refused = client.patch(path, add("entitlements", "pro", type="channel"))
    assert refused.body["detail"].endswith("See /Entitlements or /Licenses.")
    globex = f"/Users/{other.post('/Users', user('ada')).id}"
    assert other.patch(globex, add("entitlements", "acme-voice")).status == 400


def test_one_role() -> None:
    """An application with one role for each user refuses a second, and announces that."""
    client = client_of(one_role=True)
    announced = client.get("/ServiceProviderConfig").body["RolesAndEntitlements"]["roles"]
    assert announced["multipleRolesSupported"] is False
    path = f"/Users/{client.post('/Users', user('ada', roles=['agent'])).id}"
    assert client.patch(path, add("roles", "lead")).body["detail"] == "roles must have at most one value."
    assert client.patch(path, replace("roles", [{"value": "lead"}])).status == 200
    assert client.post("/Users", user("bo", roles=["agent", "lead"])).status == 400


def test_scopes_and_log() -> None:
    """Scopes of a token hold for roles too. Refusals at the endpoint and of values are in the provisioning log."""
    store = MemoryStore(provisioning_log=True)
    client = client_of(store)
    client.token = client.tokens.issue("narrow", scopes=["read:User", "write:User"]).token
    refused = client.get("/Roles")
    assert (refused.status, refused.body["detail"]) == (
        403, "This token may not search a Role: it lacks the scope read:Role."
    )  # fmt: skip
    assert client.get("/").status == 200
    client.token = client.tokens.issue("roles", scopes=["read:Role", "write"]).token
    assert len(client.get("/").body["Resources"]) == 3
    client.post("/Users", user("bo", roles=["nothing"]))
    client.send("DELETE", "/Roles/rl0")
    log = store.provisioning_log
    assert log is not None
    entries = [(each.resource_type, each.method) for each in log.search(LogQuery(tenant="default")).entries]
    assert entries == [("Role", "DELETE"), ("User", "POST"), ("Role", "GET")]


def test_declarations_that_do_not_fit() -> None:
    """A declaration that cannot work is refused when the service is built."""
    for options, reason in (
        ({}, "offer roles"),
        ({"roles": [Offer("a"), Offer("A")]}, "same value"),
        ({"roles": [Offer("a", id="x"), Offer("b", id="x")]}, "same id"),
        ({"roles": [], "types": [OfferedType("Role", [])]}, "same name"),
    ):
        with pytest.raises(ValueError, match=reason):
            RolesAndEntitlements(**options)
    for value in ("", "a/b", "x" * 256, "a\n", ".search"):
        with pytest.raises(ValueError, match="the value of an offer"):
            Offer(value)

    async def awaited(tenant: str) -> Sequence[Offer]:
        return []

    tokens = TokenRegistry()
    with pytest.raises(TypeError, match="needs an async store"):
        ScimService(MemoryStore(), tokens=tokens, roles_and_entitlements=RolesAndEntitlements(roles=awaited))
    taken = RolesAndEntitlements(types=[OfferedType("Seat", [], endpoint="/Users")])
    with pytest.raises(ValueError, match="same name or endpoint"):
        ScimService(MemoryStore(), tokens=tokens, roles_and_entitlements=taken)
    narrow = helpdesk_of("sqlite", (NARROW,))
    with pytest.raises(ValueError, match="roles are offered, but the store does not keep roles"):
        ScimService(narrow, tokens=tokens, roles_and_entitlements=RolesAndEntitlements(roles=ROLES))


def test_a_function_of_the_host_may_block() -> None:
    """With a function that returns offers, an adapter with an event loop handles requests in a thread."""
    tokens = TokenRegistry()
    assert ScimService(MemoryStore(), tokens=tokens, roles_and_entitlements=declared()).blocking
    fixed = RolesAndEntitlements(roles=ROLES)
    assert not ScimService(MemoryStore(), tokens=tokens, roles_and_entitlements=fixed).blocking
