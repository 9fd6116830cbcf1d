"""Tests of the Okta simulators for custom apps and catalog apps: their requests, and the flaws that they find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scimkit import Request
from scimkit.service import Response
from scimkit.testing.directory import key_of
from scimkit.testing.directory_history import play
from tests.testing.flawed import (
    assert_found,
    connected,
    edit_body,
    findings,
    hides_inactive,
    refusing,
    report_of,
    sent,
    with_body,
)


def test_a_custom_app_puts() -> None:
    """A custom app sends PUT for users, activation and groups. Before the PUT of a user it reads the user."""
    report = report_of("okta")
    assert {step.exchange.method for step in report.steps} == {"GET", "POST", "PUT", "DELETE"}
    created = sent(report, "Create Ada")[0].exchange.sent
    assert created["groups"] == []
    assert created["password"]
    deactivation = sent(report, "Deactivate Bo")[0].exchange.sent
    assert deactivation["active"] is False
    assert {"id", "meta", "groups", "userName", "emails"} <= deactivation.keys()
    assert all("/Groups/" in step.request for step in report.steps if step.exchange.method == "DELETE")
    assert sent(report, "Test connector: users")[0].request == "GET /Users?startIndex=1&count=2"


def test_a_catalog_app_patches() -> None:
    """A catalog app sends PATCH: `replace` without path for activation and names, and one change of members."""
    report = report_of("okta-catalogue")
    assert "PUT" not in {step.exchange.method for step in report.steps}
    operations = sent(report, "Deactivate Bo")[0].exchange.sent["Operations"]
    assert operations == [{"op": "replace", "value": {"active": False}}]
    renamed = sent(report, "Rename to Escalations")[0]
    assert renamed.exchange.sent["Operations"][0]["value"]["id"] == renamed.exchange.path.rsplit("/", 1)[1]
    assert "path" not in renamed.exchange.sent["Operations"][0]


def test_hidden_inactive_users_are_found() -> None:
    """A returning user gets 409 if the filters of the service hide inactive users."""
    assert_found(report_of("okta", hides_inactive), "Create Sam", "409")


def empty_user(request: Request, response: Response, body: Any) -> Response:
    return Response(201, b"", response.headers) if request.method == "POST" else response


def drops_title(request: Request) -> Request:
    def edit(body: Any) -> Any:
        body.pop("title", None)
        return body

    return edit_body(request, edit) if request.method == "PUT" else request


def upper_case(request: Request, response: Response, body: Any) -> Response:
    if body and "userName" in body:
        return with_body(response, {**body, "userName": body["userName"].upper()})
    return response


class EmptiesGroups:
    """A service that removes a user from all groups if a PUT of the user has empty `groups`."""

    def __init__(self) -> None:
        self.without: set[str] = set()

    def __call__(self, request: Request, response: Response, body: Any) -> Response:
        if request.method == "PUT" and "/Users/" in request.path:
            self.without.add(request.path.rsplit("/", 1)[1])
        if body and "members" in body:
            members = [each for each in body["members"] if each["value"] not in self.without]
            return with_body(response, {**body, "members": members})
        return response


FLAWS: dict[str, tuple[str, Any, Any, str, str]] = {
    "an empty user": ("okta", empty_user, None, "Create", "has no `id`"),
    "refuses id in a PUT": ("okta", refusing("PUT", lambda body: "id" in body), None, "Update", "a PUT needs 200"),
    "loses a title": ("okta", None, drops_title, "Verify Bo", "has no `title`"),
    "empties groups": ("okta", EmptiesGroups(), None, "Verify Support Tier 1", "missing"),
    "changes case": ("okta", upper_case, None, "Verify", "userName"),
    "refuses read-only id": (
        "okta-catalogue", refusing("PATCH", lambda body: "id" in str(body)), None, "Rename", "a PATCH needs",
    ),
    "refuses DELETE": ("okta", refusing("DELETE", lambda body: True), None, "Delete Billing", "a DELETE needs 204"),
}  # fmt: skip


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_found(flaw: str) -> None:
    """The simulator finds each flaw at the request that the flaw affects."""
    provider, tamper, before, title, reason = FLAWS[flaw]
    assert_found(report_of(provider, tamper, before), title, reason)


@pytest.mark.parametrize("provider", ["okta", "okta-catalogue"])
def test_import_reads_everybody_once(provider: str) -> None:
    """An import of 230 users requests three pages of 100, and returns each user once."""
    with connected(provider) as okta:
        many(okta, 230)
        assert len(okta.import_all()) == 230
        assert [step.request for step in okta.report.steps] == [
            f"GET /Users?startIndex={start}&count=100" for start in (1, 101, 201)
        ]
        assert findings(okta.report) == []


def test_an_import_with_a_page_twice_is_found() -> None:
    """The import finds a service that ignores `startIndex` and returns the same page again."""

    def no_start(request: Request) -> Request:
        return replace(request, query=request.query.replace("startIndex=101", "startIndex=1"))

    with connected("okta", None, no_start) as okta:
        many(okta, 130)
        okta.import_all()
        assert_found(okta.report, "Import from 101", "on two pages")


def test_an_import_with_short_pages_is_found() -> None:
    """The import finds a service that returns 50 users instead of the requested 100."""

    def fifty(request: Request) -> Request:
        return replace(request, query=request.query.replace("count=100", "count=50"))

    with connected("okta", None, fifty) as okta:
        many(okta, 130)
        okta.import_all()
        assert_found(okta.report, "Import from 1", "Some resources are missing")


def test_push_now_replaces_all_members() -> None:
    """*Push now* replaces the members of a group. The comparison finds a service that adds members instead."""
    tier1 = key_of("team/tier1")

    def adds(request: Request) -> Request:
        def edit(body: Any) -> Any:
            for operation in body.get("Operations", ()):
                if operation.get("path") == "members" and operation["op"] == "replace":
                    operation["op"] = "add"
            return body

        return edit_body(request, edit) if request.method == "PATCH" else request

    for before in (None, adds):
        with connected("okta-catalogue", None, before) as okta:
            play(okta, [])
            okta.directory.leave(tier1, key_of("bo"))
            assert okta.push_now(tier1)
            assert okta.verify() is (before is None)


def many(okta: Any, count: int) -> None:
    for number in range(count):
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": f"u{number}"}
        assert okta._talk._connection.send("POST", "/Users", body).status == 201
