"""What is said to do about a refused request."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit.testing.exchange import Exchange
from scimkit.testing.remedies import advice
from tests.client import ENTERPRISE, GROUP, PATCH_OP


def refused(method: str, path: str, sent: Any = None, status: int = 400) -> Exchange:
    return Exchange(method, path, sent, status, None, 0.0)


def patch(*operations: dict[str, Any]) -> Exchange:
    return refused("PATCH", "/Users/1", {"schemas": [PATCH_OP], "Operations": list(operations)})


@pytest.mark.parametrize(("exchange", "said"), [
    (patch({"op": "Add", "path": "title", "value": "x"}), ["without regard to case"]),
    (patch({"op": "replace", "path": "active", "value": "False"}), ["for a boolean"]),
    (patch({"op": "add", "path": 'emails[type eq "work"].value', "value": "x"}), ["Create the entry"]),
    (patch({"op": "add", "path": f"{ENTERPRISE}:manager", "value": "m1"}), ["Take a manager"]),
    (patch({"op": "remove", "path": "members", "value": [{"value": "1"}]}), ["Remove only"]),
    (patch({"op": "replace", "value": {"name.givenName": "Ada"}}), ["as the path"]),
    (patch({"op": "replace", "value": {"id": "1", "displayName": "x"}}), ["readOnly"]),
    (patch({"op": "Replace", "path": "active", "value": "True"}), ["without regard to case", "for a boolean"]),
    (refused("POST", "/Groups", {"schemas": [GROUP, "http://x.example/Group"]}), ["URNs in schemas"]),
    (refused("GET", "/Users?filter=userName%20eq%20ada"), ["without quotes"]),
])  # fmt: skip
def test_each_habit_is_told(exchange: Exchange, said: list[str]) -> None:
    """A habit in a request that was refused is named with what serves it, and no other is."""
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
def test_a_request_in_rfc_form_has_no_habit(exchange: Exchange) -> None:
    """Where nothing is outside the RFC, or something else was wrong, nothing is said."""
    assert advice(exchange) is None
