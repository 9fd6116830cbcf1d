"""OneLogin: what it sends, and which flaws it finds."""

from __future__ import annotations

from typing import Any

from scimkit import Request
from scimkit.service import Response
from tests.testing.flawed import assert_found, lived, refusing, sent, with_body


def test_what_it_sends() -> None:
    """PUT with an empty query and URNs of its own, a filter with a stray `&`, groups read as they are."""
    report = lived("onelogin")
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
    """A service that knows no schema but the RFC's takes no user from OneLogin."""
    refuses = refusing("POST", lambda body: "urn:scim:schemas:core:2.0" in body["schemas"])
    assert_found(lived("onelogin", refuses), "Create Ada", "a create wants 201")


def test_a_member_that_outlives_its_user_is_found() -> None:
    """A group that still has somebody who was deleted differs from the directory."""
    seen: dict[str, Any] = {}

    def keeps_members(request: Request, response: Response, body: Any) -> Response:
        if body and "/Groups/" in request.path and request.method == "GET":
            known = seen.setdefault(request.path, {})
            known |= {each["value"]: each for each in body.get("members", ())}
            return with_body(response, {**body, "members": list(known.values())})
        return response

    assert_found(lived("onelogin", keeps_members), "Verify Billing", "too many")


def test_a_delete_with_200_is_found() -> None:
    """DELETE is answered with 204."""
    assert_found(lived("onelogin", refusing("DELETE", lambda body: True, 200)), "Delete Sam", "a DELETE wants 204")
