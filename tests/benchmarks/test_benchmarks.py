"""The benchmark runs. No time is asserted."""

from __future__ import annotations

import json

import pytest

from scimkit import USER, patch
from scimkit.schema.reading import read_resource
from tests.benchmarks.__main__ import main
from tests.benchmarks.requests import Floor, Ours
from tests.benchmarks.steps import DISABLE, ENTRA, FILTERS, filter_steps, patch_steps, user_body


@pytest.mark.filterwarnings("default")
def test_a_quick_run_measures_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    """Every step gives a number for us, and for the peer where there is one."""
    assert main(["--quick"]) == 0
    shown = capsys.readouterr().out
    for name in (
        "PATCH of Entra's 8",
        "full user",
        "GET by id",
        "page of 100",
        "one member of",
        f"{len(FILTERS)} filters",
    ):
        assert name in shown


def test_a_profile_says_where_the_time_goes(capsys: pytest.CaptureFixture[str]) -> None:
    """For each whole request: the first functions by own time, and the share of each part."""
    assert main(["--quick", "--profile"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("by part, ") == 5
    assert "JSON out" in shown


def test_the_bare_work_of_a_request_sends_the_same() -> None:
    """The floor of each whole request writes as many bytes as we do."""
    ours, floor = Ours(200), Floor(200)
    body = json.dumps(user_body(200)).encode()
    change = json.dumps(DISABLE).encode()
    for response, bare in (
        (ours.send("GET", f"/Users/{ours.ids[100]}"), floor.get(floor.ids[100])),
        (ours.send("GET", "/Users", "filter=userName+eq+%22user5@example.com%22"), floor.named("user5@example.com")),
        (ours.send("GET", "/Users", "startIndex=100&count=100"), floor.page(100)),
        (ours.send("POST", "/Users", body=body), floor.post(body)),
        (ours.send("PATCH", f"/Users/{ours.ids[100]}", body=change), floor.patch(floor.ids[100], change)),
    ):
        assert len(response.body) == len(bare)


def test_both_sides_do_the_same() -> None:
    """What is compared comes to the same: the same matches, the same document."""
    for step in filter_steps():
        if step.name.startswith("match"):
            assert step.ours() is step.peer() is bool(step.floor())
    for step in patch_steps():
        theirs = step.peer().model_dump()
        ours = step.ours()
        assert step.floor() == ours
        assert {name: ours[name] for name in ("displayName", "active", "name", "emails")} == {
            name: theirs[name] for name in ("displayName", "active", "name", "emails")
        }
    assert patch.apply(USER, read_resource(USER, user_body()), ENTRA).changes
