"""Tests of the authentik simulator: the requests that it sends, and the flaws that it finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scimkit import Request
from scimkit.service import Response
from tests.testing.flawed import assert_found, connected, edit_body, findings, report_of, sent, with_body


def test_what_it_sends() -> None:
    """authentik reads the discovery documents, sends POST without a search, and writes each member in one operation."""
    report = report_of("authentik")
    assert report.steps[0].request == "GET /ServiceProviderConfig"
    assert not sent(report, "Match")
    assert sent(report, "Create Ada")[0].exchange.sent["emails"][0]["type"] == "other"
    update = sent(report, "Update Ada")[0]
    assert update.exchange.sent["id"] == update.exchange.path.rsplit("/", 1)[1]
    operations = sent(report, "Members of Support Tier 1")[0].exchange.sent["Operations"]
    assert [len(each["value"]) for each in operations] == [1, 1, 1]
    renamed = sent(report, "Rename to")[0].exchange.sent["Operations"][0]
    assert {"schemas", "id", "externalId", "displayName"} == renamed["value"].keys()
    assert sent(report, "Delete Sam")


def test_an_existing_user_is_adopted() -> None:
    """After a 409 response, authentik searches for the user with a filter without quotes, and updates the user."""
    with connected("authentik") as authentik:
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ADA.king@example.org"}
        there = authentik._talk._connection.send("POST", "/Users", body).received["id"]
        assert authentik.synchronize()
        assert sent(authentik.report, "Create Ada")[0].status == 409
        assert sent(authentik.report, "Match Ada")[0].request.endswith("userName%20eq%20ada.king%40example.org")
        assert sent(authentik.report, "Update Ada")[0].request == f"PUT /Users/{there}"


def test_an_existing_group_is_adopted() -> None:
    """After a 409 response for a group, authentik lists all groups page by page, and adopts the right one."""

    def two_a_page(request: Request) -> Request:
        return replace(request, query=f"{request.query}&count=2") if request.path.endswith("/Groups") else request

    with connected("authentik", None, two_a_page) as authentik:
        for name in ("One", "Two", "Three", "support TIER 1"):
            body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name}
            assert authentik._talk._connection.send("POST", "/Groups", body).status == 201
        assert authentik.synchronize()
        pages = [step.request for step in sent(authentik.report, "Discover groups for Support Tier 1")]
        assert pages == ["GET /Groups", "GET /Groups?startIndex=3"]
        assert sent(authentik.report, "Members of Support Tier 1")


def no_config(request: Request, response: Response, body: Any) -> Response:
    return Response(404, b"") if "ServiceProviderConfig" in request.path else response


def test_a_missing_configuration_is_accepted() -> None:
    """authentik accepts 404 for the ServiceProviderConfig."""
    assert findings(report_of("authentik", no_config)) == []


@pytest.mark.parametrize("most", [1, 2])
def test_operations_come_in_chunks(most: int) -> None:
    """A PATCH of authentik has at most `bulk.maxOperations` operations."""

    def few(request: Request, response: Response, body: Any) -> Response:
        if "ServiceProviderConfig" in request.path:
            return with_body(response, {**body, "bulk": {"supported": True, "maxOperations": most}})
        return response

    report = report_of("authentik", few)
    assert findings(report) == []
    assert max(len(step.exchange.sent["Operations"]) for step in sent(report, "Members")) == most


def vague_conflict(request: Request, response: Response, body: Any) -> Response:
    return with_body(response, {"detail": "no"}, 409) if request.method == "POST" else response


def first_operation_only(request: Request) -> Request:
    def edit(body: Any) -> Any:
        return {**body, "Operations": body["Operations"][:1]}

    return edit_body(request, edit) if request.method == "PATCH" else request


def test_a_conflict_without_uniqueness_is_found() -> None:
    """authentik reports a 409 response without scimType `uniqueness`."""
    assert_found(report_of("authentik", vague_conflict), "Create", "uniqueness")


def test_lost_operations_are_found() -> None:
    """authentik finds the missing members of a service that applies only the first operation of a PATCH."""
    assert_found(report_of("authentik", None, first_operation_only), "Verify Support Tier 1", "missing")
