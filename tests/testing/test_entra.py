"""Tests of the Entra simulator: a correct server passes, and each flaw is found at the request that it affects."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scimkit import MemoryStore, Request, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.service import Response
from scimkit.testing.directory import key_of, sample_directory
from scimkit.testing.entra import FLAVORS, EntraSimulator, Report, run_story
from scimkit.testing.server import running
from tests.testing.flawed import Answer, Flawed, as_is, with_body


def hides_inactive(request: Request, response: Response, body: Any) -> Response:
    if body and "Resources" in body:
        shown = [each for each in body["Resources"] if each.get("active") is not False]
        return with_body(response, {**body, "Resources": shown, "totalResults": len(shown)})
    return response


def not_found_for_no_match(request: Request, response: Response, body: Any) -> Response:
    if body and body.get("totalResults") == 0:
        return with_body(response, {"detail": "none"}, 404)
    return response


def empty_200_for_groups(request: Request, response: Response, body: Any) -> Response:
    if request.method == "PATCH" and "/Groups" in request.path:
        return Response(200, b"", response.headers)
    return response


def manager_as_text(request: Request, response: Response, body: Any) -> Response:
    urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    if body and "manager" in body.get(urn, {}):
        return with_body(response, {**body, urn: {**body[urn], "manager": body[urn]["manager"]["value"]}})
    return response


def html_errors(request: Request, response: Response, body: Any) -> Response:
    return Response(404, b"<h1>Not found</h1>") if response.status == 404 else response


def no_duplicates_check(request: Request, response: Response, body: Any) -> Response:
    if body and isinstance(body.get("totalResults"), int):
        return with_body(response, {**body, "totalResults": str(body["totalResults"])})
    return response


def other_ids(request: Request, response: Response, body: Any) -> Response:
    if request.method == "GET" and body and "userName" in body:
        return with_body(response, {**body, "id": body["id"][::-1]})
    return response


def refuses(request: Request, response: Response, body: Any) -> Response:
    return with_body(response, {"detail": "no"}, 401)


def empties_on_remove(request: Request) -> Request:
    """Remove `value` from `remove` operations. The service then removes all members (RFC 7644 section 3.5.2.2)."""
    if request.method != "PATCH" or b'"Remove"' not in request.body:
        return request
    body = json.loads(request.body)
    for operation in body["Operations"]:
        if operation["op"] == "Remove":
            operation.pop("value", None)
    return Request(
        request.method, request.path, request.query, request.headers, json.dumps(body).encode(), request.base_url
    )


def ignores_filters(request: Request) -> Request:
    return Request(request.method, request.path, "", request.headers, request.body, request.base_url)


def story(tamper: Answer = as_is, before: Any = None, flavor: str = "default") -> Report:
    tokens = TokenRegistry()
    token = tokens.issue("Entra").token
    with running(ScimApp(Flawed(tamper, before, tokens=tokens))) as url:
        return run_story(url, token, flavor=flavor)


@pytest.mark.parametrize("flavor", FLAVORS)
def test_a_sound_server_passes(flavor: str) -> None:
    """A correct server passes every step of the story in both flavors."""
    report = story(flavor=flavor)
    assert [(step.title, step.reason) for step in report.failures] == []
    assert report.passed
    titles = " | ".join(step.title for step in report.steps)
    for part in ("Test connection", "Provision on demand", "Create Mia Boss", "Set manager of Ada King", "Add 2 to",
                 "Remove 1 from Support Tier 1", "Disable Bo Lind", "Find disabled", "Enable Bo Lind", "Delete Sam Ng",
                 "Clear manager", "Delete Billing"):  # fmt: skip
        assert part in titles
    assert "Kim" not in titles  # Entra does not create a user that is disabled from the start


FLAWS: dict[str, tuple[Any, Any, str, str]] = {
    "hides inactive users": (hides_inactive, None, "Find disabled", "Return inactive users"),
    "404 for no match": (not_found_for_no_match, None, "Test connection", "quarantines"),
    "empties a group on remove with values": (as_is, empties_on_remove, "Verify Support Tier 1", "missing"),
    "ignores filters": (as_is, ignores_filters, "connection", "Apply the filter"),
    "200 without a body for a group": (empty_200_for_groups, None, "Add", "empty body"),
    "manager as a string": (manager_as_text, None, "Set manager", "cannot parse"),
    "HTML errors": (html_errors, None, "is gone", "SCIM error body"),
    "totalResults as a string": (no_duplicates_check, None, "Test connection", "ServiceIncompatible"),
    "changes ids": (other_ids, None, "Read", "InvalidAnchor"),
    "refuses the token": (refuses, None, "Test connection", "credentials"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_is_found(flaw: str) -> None:
    """A server with a flaw fails at the step at which Entra would fail, and the reason names the consequence."""
    tamper, before, title, reason = FLAWS[flaw]
    report = story(tamper, before)
    assert not report.passed
    failures = [f"{step.title}: {step.reason}" for step in report.failures]
    assert any(title in each and any(word in each for word in reason.split("|")) for each in failures), failures


def test_a_failed_connection_test_ends_the_story() -> None:
    """The simulator sends nothing after a failed connection test."""
    assert len(story(refuses).steps) == 1


def test_an_unreachable_server() -> None:
    """A server that cannot be reached results in a failed step, and raises no exception."""
    report = run_story("http://127.0.0.1:9", "scimkit_x")
    assert not report.passed


def test_on_demand_takes_five_members_at_most() -> None:
    """*Provision on demand* of a large team adds five members."""
    directory = sample_directory()
    team = key_of("team/tier1")
    directory.join(team, *(key for key in directory.people if directory.people[key].enabled))
    tokens = TokenRegistry()
    token = tokens.issue("Entra").token
    with running(ScimApp(ScimService(MemoryStore(), tokens=tokens))) as url:
        entra = EntraSimulator(url, token, directory)
        for key in directory.people:
            entra.provision_on_demand(key)
        assert entra.provision_on_demand(team)
        entra.close()
    added = [step.exchange.sent for step in entra.report.steps if step.title.startswith("Add ")]
    assert [len(body["Operations"][0]["value"]) for body in added] == [5]


def test_the_token_is_in_no_report() -> None:
    """The report does not contain the token."""
    tokens = TokenRegistry()
    token = tokens.issue("Entra").token
    with running(ScimApp(ScimService(MemoryStore(), tokens=tokens))) as url:
        report = run_story(url, token)
    assert token not in repr(report)
