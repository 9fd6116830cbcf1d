"""JumpCloud: what it sends, and which flaws it finds."""

from __future__ import annotations

from dataclasses import replace

from scimkit import Request
from scimkit.testing.directory import Team, key_of
from scimkit.testing.directory_history import DirectoryEvent
from tests.testing.flawed import assert_found, connected, empties_on_remove, findings, lived, sent


def test_what_it_sends() -> None:
    """A test user and group come and go; then one `replace` a path, and members removed by a list of values."""
    report = lived("jumpcloud")
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
    """A team without members waits for its first one."""
    night = key_of("team/empty")
    events = [
        DirectoryEvent("A team is formed", "form", (Team(night, "Empty"),)),
        DirectoryEvent("Somebody joins", "join", (night, key_of("ada"))),
    ]
    report = lived("jumpcloud", events=events[:1])
    assert not sent(report, "Create Empty")
    report = lived("jumpcloud", events=events)
    assert sent(report, "Create Empty")
    assert findings(report) == []


def test_a_group_of_the_same_name_is_taken_over() -> None:
    """A group that is there is linked, its members brought to the directory's."""
    with connected("jumpcloud") as jumpcloud:
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Support Tier 1"}
        jumpcloud._talk._connection.send("POST", "/Groups", body)
        assert jumpcloud.synchronize()
        assert not sent(jumpcloud.report, "Create Support Tier 1")


def test_a_service_without_delete_is_found() -> None:
    """Where DELETE fails the test user is deactivated, and the activation fails."""

    def no_delete(request: Request) -> Request:
        return replace(request, method="GET") if request.method == "DELETE" else request

    report = lived("jumpcloud", None, no_delete)
    assert_found(report, "Activate: delete the user", "a DELETE wants 204")
    assert sent(report, "Activate: deactivate the user")[0].passed


def test_a_group_emptied_by_a_remove_is_found() -> None:
    """`remove members` with a list removes those only."""
    assert_found(lived("jumpcloud", None, empties_on_remove), "Verify Escalations", "lost")
