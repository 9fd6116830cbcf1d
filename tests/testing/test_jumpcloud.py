"""Tests of the JumpCloud simulator: the requests that it sends, and the flaws that it finds."""

from __future__ import annotations

from dataclasses import replace

from scimkit import Request
from scimkit.testing.directory import Team, key_of
from scimkit.testing.directory_history import DirectoryEvent
from tests.testing.flawed import assert_found, connected, empties_on_remove, findings, report_of, sent


def test_what_it_sends() -> None:
    """JumpCloud creates and deletes a test user and a test group, then sends one `replace` for each path."""
    report = report_of("jumpcloud")
    assert [step.title for step in report.steps if step.title.startswith("Activate")] == [
        "Activate: create a user",
        "Activate: delete the user",
        "Activate: create a group",
        "Activate: delete the group",
    ]
    operations = sent(report, "Update Ada Lovelace")[0].exchange.sent["Operations"]
    assert {operation["op"] for operation in operations} == {"replace"}
    assert {"userName", "name.familyName"} <= {operation["path"] for operation in operations}
    removed = [each for step in sent(report, "Members of") for each in step.exchange.sent["Operations"]]
    assert any(each["op"] == "remove" and each["path"] == "members" and each["value"] for each in removed)


def test_an_empty_group_is_not_created() -> None:
    """JumpCloud creates a group when the group has its first member."""
    night = key_of("team/empty")
    events = [
        DirectoryEvent("A team is formed", "form", (Team(night, "Empty"),)),
        DirectoryEvent("Somebody joins", "join", (night, key_of("ada"))),
    ]
    report = report_of("jumpcloud", events=events[:1])
    assert not sent(report, "Create Empty")
    report = report_of("jumpcloud", events=events)
    assert sent(report, "Create Empty")
    assert findings(report) == []


def test_a_group_with_the_same_name_is_adopted() -> None:
    """JumpCloud adopts an existing group with the same name, and updates its members."""
    with connected("jumpcloud") as jumpcloud:
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Support Tier 1"}
        jumpcloud._talk._connection.send("POST", "/Groups", body)
        assert jumpcloud.synchronize()
        assert not sent(jumpcloud.report, "Create Support Tier 1")


def test_a_service_without_delete_is_found() -> None:
    """If DELETE fails, JumpCloud deactivates the test user, and the activation fails."""

    def no_delete(request: Request) -> Request:
        return replace(request, method="GET") if request.method == "DELETE" else request

    report = report_of("jumpcloud", None, no_delete)
    assert_found(report, "Activate: delete the user", "a DELETE needs 204")
    assert sent(report, "Activate: deactivate the user")[0].passed


def test_a_group_emptied_by_a_remove_is_found() -> None:
    """JumpCloud finds a service that removes all members instead of the listed members."""
    assert_found(report_of("jumpcloud", None, empties_on_remove), "Verify Escalations", "missing")
