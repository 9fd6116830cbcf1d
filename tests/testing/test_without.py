"""Tests of `without`, which names attributes that an application does not keep, and of findings about attributes."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import Request
from scimkit.service import Response
from scimkit.testing.differences import compared
from scimkit.testing.directory_history import full_history, play
from scimkit.testing.exchange import Exchange
from scimkit.testing.providers import PROVIDERS
from scimkit.testing.report import Finding
from scimkit.testing.without import Without
from tests.testing.flawed import connected, findings, sent, with_body

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WORK_EMAIL = 'emails[type eq "work"].value'


def specialize(request: Request, response: Response, body: Any) -> Response:
    """Remove title, addresses, externalId and the enterprise extension from the resources of a response."""
    if not body:
        return response
    for each in body.get("Resources", [body]):
        each.pop("externalId", None)
        for name in ("title", "addresses", ENTERPRISE):
            each.pop(name, None)
    return with_body(response, body)


NOT_KEPT = ("title", "addresses", "externalId", ENTERPRISE)


@pytest.mark.parametrize("name", PROVIDERS)
def test_attributes_in_without_are_sent_but_not_compared(name: str) -> None:
    """Attributes in `without` are sent, but not compared. Other missing attributes are findings."""
    with connected(name, specialize, without=NOT_KEPT) as simulator:
        report = play(simulator, full_history())
    assert findings(report) == []
    assert report.not_compared == NOT_KEPT
    assert any("externalId" in str(step.exchange.sent) for step in sent(report, "Create"))
    with connected(name, specialize) as simulator:
        report = play(simulator, [])
    assert not report.passed
    assert report.not_compared == ()
    assert any("`externalId`" in each for each in findings(report))


def test_display_name_can_be_left_out_for_users_only() -> None:
    """`displayName` in `without` applies to users only, so `displayName` of groups is still compared."""

    def nameless(request: Request, response: Response, body: Any) -> Response:
        if body and ("userName" in body or "/Groups/" in request.path):
            body.pop("displayName", None)
            return with_body(response, body)
        return response

    for name in ("entra", "okta"):
        with connected(name, nameless, without=["displayName"]) as simulator:
            report = play(simulator, [])
        assert {step.request.split("/")[1] for step in report.failures} == {"Groups"}
        assert all("`displayName`" in str(step.reason) for step in report.failures)
        assert all("--without" not in str(step.fix) for step in report.failures)


def test_no_search_by_email_if_emails_are_not_kept() -> None:
    """PingFederate does not search by e-mail address if the application keeps no e-mail addresses."""
    for without, times in (((), 1), (("emails",), 0), ((WORK_EMAIL,), 1)):
        with connected("pingfederate", without=without) as simulator:
            assert simulator.test_connection()
            assert len(sent(simulator.report, "Look up")) == times


@pytest.mark.parametrize(("name", "path"), [
    ("title", "title"), ("TITLE", "title"), ("emails", WORK_EMAIL), (WORK_EMAIL, WORK_EMAIL),
    ("emails.value", WORK_EMAIL), ('emails[type eq "work"]', WORK_EMAIL), ("name", "name.givenName"),
    ("manager", f"{ENTERPRISE}:manager.value"), (ENTERPRISE, f"{ENTERPRISE}:department"),
    (f"{ENTERPRISE}:department", f"{ENTERPRISE}:department"),
    ("urn:ietf:params:scim:schemas:core:2.0:User:title", "title"),
])  # fmt: skip
def test_a_name_covers_the_attribute_and_what_is_in_it(name: str, path: str) -> None:
    """A name in any case covers an attribute with its sub-attributes, the elements of one type, or an extension."""
    assert Without([name]).covers(path)
    assert Without([name]).kept({path: 1, "userName": 2}) == {"userName": 2}


@pytest.mark.parametrize(("name", "path"), [
    ('emails[type eq "other"]', WORK_EMAIL), ("name.familyName", "name.givenName"), ("title", "titles"),
    ("manager", f"{ENTERPRISE}:department"),
])  # fmt: skip
def test_a_name_covers_nothing_else(name: str, path: str) -> None:
    """A name does not cover elements of another type or other attributes."""
    assert not Without([name]).covers(path)


@pytest.mark.parametrize(("name", "said"), [
    ("titel", "'titel' is not an attribute of users or groups"), ("title.x", "is not an attribute"),
    ("emails[...]", "is not an attribute"), ("userName", "userName cannot be left out: identity providers match"),
    ("id", "cannot be left out"), ("members", "cannot be left out"),
])  # fmt: skip
def test_other_names_are_refused(name: str, said: str) -> None:
    """An unknown attribute and an attribute that identity providers need are refused."""
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        Without([name])
    for provider in ("entra", "okta"):
        with pytest.raises(ValueError), connected(provider, without=[name]):
            pass


def test_a_string_is_refused() -> None:
    """A single string instead of a list of names is refused."""
    with pytest.raises(ValueError, match=r"list of attributes, such as \['title'\]"):
        Without("title")


def difference(attributes: dict[str, Any], received: Any, path: str = "/Users/7?x=1") -> Finding:
    """Return the finding about a response."""
    found = compared(Exchange("GET", path, None, 200, received, 0.0), attributes)
    assert found is not None
    return found


def test_a_missing_attribute_is_named() -> None:
    """The finding names the missing attributes, the request, and the two possible fixes."""
    found = difference({"title": "Agent", f"{ENTERPRISE}:manager.value": "m1", "active": True}, {"active": True})
    assert found.reason == "The response to GET /Users/7 has no `title` and `manager`."
    assert found.fix == (
        "Map title, manager. If the application does not keep them, run with --without title "
        "--without manager (in pytest, the fixture scim_without)."
    )


def test_an_option_is_quoted_for_a_shell() -> None:
    """The option in a finding is quoted for a shell, and is accepted."""
    found = difference({WORK_EMAIL: "ada@example.org"}, {"emails": [{"type": "home", "value": "x"}]})
    assert str(found.fix).find("""--without 'emails[type eq "work"]' (""") > 0
    assert Without(['emails[type eq "work"]']).covers(WORK_EMAIL)


def test_needed_attributes_can_only_be_mapped() -> None:
    """The fix for `userName` of users and `displayName` of groups is only to map the attribute."""
    assert difference({"userName": "ada"}, None).fix == "Map userName."
    assert "--without" not in str(difference({"displayName": "Tier 1"}, {}, "/Groups/7").fix)


@pytest.mark.parametrize(("expected", "received", "said"), [
    ("Agent", "Agents", "expected a string of 5 characters, got a string of 6 characters"),
    ("Agent", "AGENT", "the expected string in another case"),
    ("Agent", "Other", "expected a string of 5 characters, got another string of that length"),
    ("Agent", 7, "expected a string of 5 characters, got a number"),

    ("Agent", ["Agent"], "expected a string of 5 characters, got an array"),
    ("Agent", {"a": 1}, "expected a string of 5 characters, got an object"),
    (False, True, "expected false, got true"), (True, "True", "expected true, got a string of 4 characters"),
])  # fmt: skip
def test_a_changed_attribute_is_described(expected: Any, received: Any, said: str) -> None:
    """The finding describes the expected and the received value, without the values."""
    found = difference({"title": expected}, {"title": received})
    assert found.reason == f"The response to GET /Users/7 has another `title` ({said})."
    assert str(found.fix).startswith("Store title as written")


def test_an_attribute_that_was_not_removed_is_named() -> None:
    """The finding names an attribute that should have been removed."""
    found = difference({"title": None}, {"title": "Agent"})
    assert found.reason == "The response to GET /Users/7 still has `title`."
    assert found.fix == "Remove title if a PUT omits the attribute or a PATCH removes it."
