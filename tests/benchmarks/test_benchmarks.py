"""The benchmark runs. No time is asserted."""

from __future__ import annotations

import pytest

from scimkit import USER, patch
from scimkit.schema.reading import read_resource
from tests.benchmarks.__main__ import main
from tests.benchmarks.steps import ENTRA, FILTERS, filter_steps, patch_steps, user_body


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
