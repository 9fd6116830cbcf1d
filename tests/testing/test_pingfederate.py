"""Tests of the PingFederate simulator: the requests that it sends, and the flaws that it finds."""

from __future__ import annotations

from typing import Any

from scimkit import Request
from scimkit.dialects import DIALECTS
from scimkit.service import Response
from tests.testing.flawed import assert_found, report_of, sent, with_body


def test_what_it_sends() -> None:
    """PingFederate sends PUT for users, PATCH for groups, and filters without quotes. It deletes no users."""
    report = report_of("pingfederate")
    assert sent(report, "Probe")[0].request == "GET /Users/0"
    assert "%22" not in "".join(step.request for step in sent(report, "Match"))
    assert sent(report, "Look up")[0].request == "GET /Users?filter=emails%20eq%20nobody%40nowhere.example"
    assert {step.exchange.method for step in sent(report, "Update")} == {"PUT"}
    assert {step.exchange.method for step in sent(report, "Members")} == {"PATCH"}
    assert sent(report, "Read all groups for Night Shift")
    assert sent(report, "Deactivate Sam")


def test_a_strict_service_is_found() -> None:
    """PingFederate finds a service that refuses filters without quotes."""
    assert_found(report_of("pingfederate", dialect=DIALECTS["strict"]), "Test connection", "a query needs 200")


def html_errors(request: Request, response: Response, body: Any) -> Response:
    return Response(404, b"<h1>Not found</h1>") if response.status == 404 else response


def anybody(request: Request, response: Response, body: Any) -> Response:
    return with_body(response, {"id": "0"}, 200) if request.path.endswith("/Users/0") else response


def test_a_wrong_404_is_found() -> None:
    """PingFederate finds a service whose response for a missing user is not 404 with a SCIM error."""
    assert_found(report_of("pingfederate", html_errors), "Probe", "SCIM error body")
    assert_found(report_of("pingfederate", anybody), "Probe", "has the status 200, but the resource does not exist")
