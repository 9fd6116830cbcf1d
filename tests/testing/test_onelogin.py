"""Tests of the OneLogin simulator: the requests that it sends, and the flaws that it finds."""

from __future__ import annotations

from typing import Any

from scimkit import Request
from scimkit.service import Response
from tests.testing.flawed import assert_found, refusing, report_of, sent, with_body


def test_what_it_sends() -> None:
    """OneLogin sends PUT with its own URNs, superfluous `?` and `&` in URLs, and reads groups without parameters."""
    report = report_of("onelogin")
    update = sent(report, "Update Ada")[0]
    assert update.request.startswith("PUT /Users/")
    assert update.request.endswith("?")
    assert update.exchange.sent["schemas"][0] == "urn:scim:schemas:core:2.0"
    assert sent(report, "Match Ada")[0].request.endswith("&")
    assert sent(report, "Members of")[0].request.endswith("?")
    assert sent(report, "Refresh entitlements")[0].request == "GET /Groups"
    assert sent(report, "Delete Sam")
    assert not sent(report, "Delete Billing")


def test_an_unknown_schema_that_is_refused_is_found() -> None:
    """OneLogin finds a service that refuses unknown URNs in `schemas`."""
    refuses = refusing("POST", lambda body: "urn:scim:schemas:core:2.0" in body["schemas"])
    assert_found(report_of("onelogin", refuses), "Create Ada", "a create needs 201")


def test_a_member_that_outlives_its_user_is_found() -> None:
    """OneLogin finds a group that still has a deleted user as a member."""
    seen: dict[str, Any] = {}

    def keeps_members(request: Request, response: Response, body: Any) -> Response:
        if body and "/Groups/" in request.path and request.method == "GET":
            known = seen.setdefault(request.path, {})
            known |= {each["value"]: each for each in body.get("members", ())}
            return with_body(response, {**body, "members": list(known.values())})
        return response

    assert_found(report_of("onelogin", keeps_members), "Verify Billing", "too many")


def test_a_delete_with_200_is_found() -> None:
    """OneLogin finds a service that responds to DELETE with 200 instead of 204."""
    assert_found(report_of("onelogin", refusing("DELETE", lambda body: True, 200)), "Delete Sam", "a DELETE needs 204")
