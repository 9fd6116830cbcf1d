"""Applications that keep fewer attributes: what a simulator is told of them, and what it says about the others."""

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
    """Users have no title, no addresses and no enterprise attributes; neither users nor groups have externalId."""
    if not body:
        return response
    for each in body.get("Resources", [body]):
        each.pop("externalId", None)
        for name in ("title", "addresses", ENTERPRISE):
            each.pop(name, None)
    return with_body(response, body)


NOT_KEPT = ("title", "addresses", "externalId", ENTERPRISE)


@pytest.mark.parametrize("name", PROVIDERS)
def test_what_is_not_kept_is_sent_and_not_expected_back(name: str) -> None:
    """A narrower application passes if the simulator is told what it does not keep, and fails otherwise."""
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


def test_a_user_may_have_no_display_name_and_a_group_must() -> None:
    """Without displayName, the name of a group is compared all the same."""

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


def test_who_keeps_no_address_is_not_asked_for_one() -> None:
    """PingFederate looks nobody up by e-mail address if the application keeps none."""
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
    """Names are attributes, sub-attributes, elements of a type and extensions, in any case."""
    assert Without([name]).covers(path)
    assert Without([name]).kept({path: 1, "userName": 2}) == {"userName": 2}


@pytest.mark.parametrize(("name", "path"), [
    ('emails[type eq "other"]', WORK_EMAIL), ("name.familyName", "name.givenName"), ("title", "titles"),
    ("manager", f"{ENTERPRISE}:department"),
])  # fmt: skip
def test_a_name_covers_nothing_else(name: str, path: str) -> None:
    """Elements of another type and neighbors are still compared."""
    assert not Without([name]).covers(path)


@pytest.mark.parametrize(("name", "said"), [
    ("titel", "'titel' is no attribute of users or groups"), ("title.x", "is no attribute"),
    ("emails[...]", "is no attribute"), ("userName", "userName cannot be left out: identity providers match"),
    ("id", "cannot be left out"), ("members", "cannot be left out"),
])  # fmt: skip
def test_other_names_are_refused(name: str, said: str) -> None:
    """A name that no schema has, and one that no identity provider can do without, is refused by each simulator."""
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        Without([name])
    for provider in ("entra", "okta"):
        with pytest.raises(ValueError), connected(provider, without=[name]):
            pass


def test_a_text_is_no_list() -> None:
    """One text, whose characters would be taken for names, is refused."""
    with pytest.raises(ValueError, match=r"list of attributes, such as \['title'\]"):
        Without("title")


def difference(attributes: dict[str, Any], received: Any, path: str = "/Users/7?x=1") -> Finding:
    """Return the finding about a response."""
    found = compared(Exchange("GET", path, None, 200, received, 0.0), attributes)
    assert found is not None
    return found


def test_a_missing_attribute_is_named() -> None:
    """The finding says which attribute is missing, where, and both ways out."""
    found = difference({"title": "Agent", f"{ENTERPRISE}:manager.value": "m1", "active": True}, {"active": True})
    assert found.reason == "The response to GET /Users/7 has no `title` and `manager`."
    assert found.fix == (
        "Map title, manager. If the application does not keep them, run with --without title "
        "--without manager (in pytest, the fixture scim_without)."
    )


def test_an_option_is_quoted_for_a_shell() -> None:
    """The option that a finding tells can be pasted into a shell, and is accepted."""
    found = difference({WORK_EMAIL: "ada@example.org"}, {"emails": [{"type": "home", "value": "x"}]})
    assert str(found.fix).find("""--without 'emails[type eq "work"]' (""") > 0
    assert Without(['emails[type eq "work"]']).covers(WORK_EMAIL)


def test_what_must_be_kept_has_one_way_out() -> None:
    """userName of users and displayName of groups can be mapped only."""
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
def test_a_changed_attribute_is_told_by_kind(expected: Any, received: Any, said: str) -> None:
    """The finding tells what was expected and what came, without a value of a user."""
    found = difference({"title": expected}, {"title": received})
    assert found.reason == f"The response to GET /Users/7 has another `title` ({said})."
    assert str(found.fix).startswith("Store title as written")


def test_an_attribute_that_stays_is_named() -> None:
    """What was removed and is still there is named."""
    found = difference({"title": None}, {"title": "Agent"})
    assert found.reason == "The response to GET /Users/7 still has `title`."
    assert found.fix == "Remove title when a PUT omits it or a PATCH removes it."
