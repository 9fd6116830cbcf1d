"""The governance requests of Okta: discovery of roles and entitlements, and their assignment, with their flaws."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit.entitlements import Offer, OfferedType, RolesAndEntitlements
from scimkit.schema.resource_types import SchemaExtension
from scimkit.service import Request, Response
from scimkit.testing.directory import key_of
from scimkit.testing.directory_history import play
from tests.testing.flawed import Answer, assert_found, connected, findings, with_body

PROFILE = {"id": "urn:example:profile", "name": "Profile", "attributes": [{"name": "region", "type": "string"}]}
MANY = [Offer(f"licence-{number:03}", f"License {number}", type="License") for number in range(120)]


def offered(**options: Any) -> RolesAndEntitlements:
    profiles = [Offer("eu", "Europe", extensions={"urn:example:profile": {"region": "eu"}})]
    return RolesAndEntitlements(
        roles=[Offer("agent", "Agent", id="r1"), Offer("admin", "Administrator", id="r2")],
        entitlements=lambda tenant: MANY,
        types=[OfferedType("Profile", profiles, extensions=[SchemaExtension(PROFILE)])],
        **options,
    )


@pytest.mark.parametrize("provider", ["okta", "okta-catalogue"])
def test_governance(provider: str) -> None:
    """Okta discovers all roles and entitlements, assigns some, replaces them and takes them away."""
    with connected(provider, roles_and_entitlements=offered(schemas="okta")) as okta:
        play(okta, [])
        begin = len(okta.report.steps)
        found = okta.discover_entitlements()
        assert [step.request for step in okta.report.steps[begin:]] == [
            "GET /ResourceTypes",
            "GET /Schemas",
            "GET /Roles?startIndex=1&count=100",
            "GET /Entitlements?startIndex=1&count=100",
            "GET /Entitlements?startIndex=101&count=100",
            "GET /Profiles?startIndex=1&count=100",
        ]
        assert {name: len(each) for name, each in found.items()} == {"Role": 2, "Entitlement": 120, "Profile": 1}
        assert found["Profile"]["eu"]["urn:example:profile"] == {"region": "eu"}
        bo = key_of("bo")
        roles, licenses = found["Role"], found["Entitlement"]
        chosen = [licenses["licence-007"], found["Profile"]["eu"]]
        assert okta.assign(bo, roles=[roles["agent"]], entitlements=chosen)
        assert okta.assign(bo, roles=[roles["admin"]], entitlements=[licenses["licence-119"]])
        assert okta.synchronize()
        assert okta.assign(bo)
        assert findings(okta.report) == []


def test_the_form_of_each_tenant() -> None:
    """A function chooses the form for each tenant. In the form of the draft, Okta finds no roles."""
    forms = {"default": "draft"}
    with connected("okta", roles_and_entitlements=offered(schemas=forms.__getitem__)) as okta:
        assert okta.discover_entitlements() == {}
        assert_found(okta.report, "Discover types", "No resource type has a schema of Okta")
    forms["default"] = "okta"
    with connected("okta", roles_and_entitlements=offered(schemas=forms.__getitem__)) as okta:
        assert okta.discover_entitlements().keys() == {"Role", "Entitlement", "Profile"}
        assert findings(okta.report) == []


def test_a_value_that_is_not_offered() -> None:
    """An assignment of a role that the application no longer offers is reported with the detail of the service."""
    with connected("okta", roles_and_entitlements=offered(schemas="okta")) as okta:
        play(okta, [])
        assert not okta.assign(key_of("bo"), roles=[{"id": "gone", "displayName": "Gone"}])
        assert_found(okta.report, "Assign Bo", "must be a value that this application offers")


def without(endpoint: str, name: str) -> Answer:
    """Return a function that removes an attribute from the resources of an endpoint."""

    def tamper(request: Request, response: Response, body: Any) -> Response:
        if request.path == endpoint:
            shown = [{key: value for key, value in each.items() if key != name} for each in body["Resources"]]
            return with_body(response, {**body, "Resources": shown})
        return response

    return tamper


def forgets_roles(request: Request, response: Response, body: Any) -> Response:
    if body and "roles" in body:
        return with_body(response, {name: value for name, value in body.items() if name != "roles"})
    return response


FLAWS: dict[str, tuple[Any, str, str]] = {
    "no name": (without("/Roles", "displayName"), "Read /Roles", "no `displayName`"),
    "no type": (without("/Entitlements", "type"), "Read /Entitlements", "no `type`"),
    "no schemas": (without("/Roles", "schemas"), "Read /Roles", "another schema"),
    "loses roles": (forgets_roles, "Assign Bo", "other `roles`"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_found(flaw: str) -> None:
    """The simulator finds each flaw at the request that the flaw affects."""
    tamper, title, reason = FLAWS[flaw]
    with connected("okta", tamper, roles_and_entitlements=offered(schemas="okta")) as okta:
        play(okta, [])
        okta.discover_entitlements()
        okta.assign(key_of("bo"), roles=[{"id": "agent", "displayName": "Agent"}])
        assert_found(okta.report, title, reason)
