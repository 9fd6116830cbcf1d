"""Tests of the advice about refused requests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scimkit.testing.exchange import Exchange
from scimkit.testing.remedies import advice, remedy
from tests.client import ENTERPRISE, GROUP, PATCH_OP, USER


def refused(method: str, path: str, sent: Any = None, status: int = 400) -> Exchange:
    return Exchange(method, path, sent, status, None, 0.0)


def patch(*operations: dict[str, Any]) -> Exchange:
    return refused("PATCH", "/Users/1", {"schemas": [PATCH_OP], "Operations": list(operations)})


@pytest.mark.parametrize(("exchange", "said"), [
    (patch({"op": "Add", "path": "title", "value": "x"}), ["without regard to case"]),
    (patch({"op": "replace", "path": "active", "value": "False"}), ["values of boolean attributes"]),
    (patch({"op": "add", "path": 'emails[type eq "work"].value', "value": "x"}), ["create an element"]),
    (patch({"op": "add", "path": f"{ENTERPRISE}:manager", "value": "m1"}), ["Accept `manager` as a string"]),
    (patch({"op": "remove", "path": "members", "value": [{"value": "1"}]}), ["remove only"]),
    (patch({"op": "replace", "value": {"name.givenName": "Ada"}}), ["as an attribute path"]),
    (patch({"op": "replace", "value": {"id": "1", "displayName": "x"}}), ["readOnly"]),
    (patch({"op": "Replace", "path": "active", "value": "True"}), ["without regard to case", "boolean attributes"]),
    (refused("POST", "/Groups", {"schemas": [GROUP, "http://x.example/Group"]}), ["unknown URNs in `schemas`"]),
    (refused("GET", "/Users?filter=userName%20eq%20ada"), ["without quotes"]),
])  # fmt: skip
def test_each_deviation_has_an_advice(exchange: Exchange, said: list[str]) -> None:
    """The advice covers each deviation of a refused request, and no other."""
    found = advice(exchange)
    assert found is not None
    assert all(each in found for each in said)
    assert found.count(".") == len(said)


@pytest.mark.parametrize("exchange", [
    patch({"op": "add", "path": "title", "value": "x"}, {"op": "remove", "path": 'members[value eq "1"]'}),
    patch({"op": "replace", "value": {"active": False}}),
    refused("GET", "/Users?filter=userName%20eq%20%22ada%22"),
    refused("GET", "/Users?filter=active+eq+true"),
    refused("PATCH", "/Users/1", {"Operations": [{"op": "Add"}]}, 404),
    refused("POST", "/Users", [1]),
])  # fmt: skip
def test_a_request_in_rfc_form_gets_no_advice(exchange: Exchange) -> None:
    """A request in RFC form, or one that was refused for another reason, gets no advice."""
    assert advice(exchange) is None


ADA = {
    "schemas": [USER, ENTERPRISE], "id": "1", "userName": "ada", "title": "Agent", ENTERPRISE: {"department": "Sales"},
}  # fmt: skip


@pytest.mark.parametrize(("exchange", "said"), [
    (refused("POST", "/Users", ADA), "Accept userName, title, department, in POST /Users, or ignore the attributes"),
    (replace(refused("PUT", "/Users/1", ADA), received={"detail": "title is not supported"}),
     "Accept title, which the error names, in PUT /Users, or ignore the attributes"),
    (replace(refused("POST", "/Users", ADA), received={"detail": "It is refused."}), "Accept userName, title, dep"),
    (patch({"op": "add", "path": "title", "value": "x"}), "Accept title, in PATCH /Users"),
    (patch({"op": "remove", "path": 'members[value eq "1"]'}), "Accept members, in PATCH /Users"),
    (patch({"op": "replace", "value": {"active": False}}), "Accept active, in PATCH /Users"),
    (refused("GET", "/Users?filter=userName+eq+%22ada%22"), "Support a filter on userName in GET /Users"),
    (refused("POST", "/Users", ADA, 500), "respond with 201. The request has the attributes userName, title, dep"),
    (refused("GET", "/Users", None, 503), "Look for the error of GET /Users in the log of the service"),
    (refused("DELETE", "/Users/1", None, 501), "Serve DELETE /Users and respond with 201."),
    (refused("POST", "/Users", ADA, 409), "only if another resource has the same userName"),
    (refused("POST", "/Groups", ADA, 409), "only if another resource has the same displayName"),
    (refused("POST", "/Users", ADA, 200), "Respond with 201 to POST /Users."),
    (refused("DELETE", "/Users/1"), "Respond with 201 to DELETE /Users."),
    (refused("POST", "/Users", {"schemas": [USER, "urn:x"]}), "Ignore unknown URNs in `schemas`."),
])  # fmt: skip
def test_a_remedy_names_the_attributes(exchange: Exchange, said: str) -> None:
    """The remedy names the attributes that the request writes or filters by, and no values."""
    found = remedy(exchange, "201")
    assert said in found
    assert "Agent" not in found
    assert "request shown" not in found
