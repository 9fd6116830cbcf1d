"""Tests of the SailPoint simulator: the requests that it sends, and the flaws that it finds."""

from __future__ import annotations

from typing import Any

from scimkit import Request
from scimkit.service import Response
from scimkit.testing.directory_history import play
from tests.testing.flawed import assert_found, connected, edit_body, findings, report_of, sent, with_body


def test_what_it_sends() -> None:
    """SailPoint reads all discovery documents, and sends PATCH. It sets `active` by `add` without a path."""
    report = report_of("sailpoint")
    discovered = [step.request for step in sent(report, "Discover")]
    assert "GET /ResourceTypes/User" in discovered
    assert "GET /ResourceTypes/Group" in discovered
    operations = sent(report, "Deactivate Bo")[0].exchange.sent["Operations"]
    assert operations == [{"op": "add", "value": {"active": False}}]
    assert "PUT" not in {step.exchange.method for step in report.steps}


def test_aggregation_returns_every_account() -> None:
    """An aggregation returns each account once."""
    with connected("sailpoint") as sailpoint:
        play(sailpoint, [])
        assert len(sailpoint.aggregate()) == 7
        assert findings(sailpoint.report) == []


def bare_resources(request: Request, response: Response, body: Any) -> Response:
    if body and "Resources" in body:
        bare = [{name: value for name, value in each.items() if name != "schemas"} for each in body["Resources"]]
        return with_body(response, {**body, "Resources": bare})
    return response


def no_resource_type(request: Request, response: Response, body: Any) -> Response:
    return Response(404, b"") if request.path.endswith("/ResourceTypes/User") else response


def add_keeps(request: Request) -> Request:
    """Remove `active` from `add` operations without a path, so that the service ignores the change."""

    def edit(body: Any) -> Any:
        for operation in body.get("Operations", ()):
            if operation["op"] == "add" and "path" not in operation:
                operation["value"].pop("active", None)
        return body

    return edit_body(request, edit) if request.method == "PATCH" else request


def test_listed_resources_without_schemas_are_found() -> None:
    """SailPoint finds listed resources without `schemas`."""
    with connected("sailpoint", bare_resources) as sailpoint:
        play(sailpoint, [])
        sailpoint.aggregate()
        assert_found(sailpoint.report, "Aggregate", "no `schemas`")


def test_missing_discovery_is_found() -> None:
    """SailPoint finds a missing discovery document, also of a single resource type."""
    assert_found(report_of("sailpoint", no_resource_type), "Discover ResourceTypes/User", "discovery needs 200")


def test_a_deactivation_that_does_nothing_is_found() -> None:
    """SailPoint finds a service whose `add` does not replace the value of a single-valued attribute."""
    assert_found(report_of("sailpoint", None, add_keeps), "Verify Bo", "another `active` (expected false, got true)")


def test_read_only_attributes_are_not_written() -> None:
    """SailPoint leaves out of a PATCH the attributes that the published schema declares readOnly."""

    def title_is_read_only(request: Request, response: Response, body: Any) -> Response:
        if "/Schemas/" in request.path and body:
            attributes = [{**each, "mutability": "readOnly"} if each["name"] == "title" else each
                          for each in body["attributes"]]  # fmt: skip
            return with_body(response, {**body, "attributes": attributes})
        return response

    report = report_of("sailpoint", title_is_read_only)
    written = [each for step in sent(report, "Update") for each in step.exchange.sent["Operations"]]
    assert "title" not in {each.get("path") for each in written}
