"""Tests that the benchmarks run. They do not check times."""

from __future__ import annotations

import json

import pytest

from scimkit import USER, patch
from scimkit.schema.reading import read_resource
from tests.benchmarks.__main__ import main
from tests.benchmarks.database.comparison import Figures, rows
from tests.benchmarks.requests import BASE_URL, PAGE, REQUESTS, Floor, Ours
from tests.benchmarks.scimmy import Scimmy, folder
from tests.benchmarks.steps import DISABLE, ENTRA, FILTERS, filter_steps, patch_steps, user_body


@pytest.mark.filterwarnings("default")
def test_a_quick_run_measures_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    """A quick run prints every step."""
    assert main(["--quick"]) == 0
    shown = capsys.readouterr().out
    for name in (
        "PATCH of Entra's 8",
        "full user",
        "GET by id",
        "page of 100",
        "one member of",
        "PATCH active with a listener, SqlStore",
        f"{len(FILTERS)} filters",
        "SCIMMY",
    ):
        assert name in shown


def test_scimmy_answers_every_request() -> None:
    """SCIMMY has the users of the benchmark, and its responses have what the requests ask for."""
    with folder(install=False) as (path, reason):
        if path is None:
            pytest.skip(f"SCIMMY is not installed: {reason}")
        side = Scimmy(path, 300, [7], 150, BASE_URL)
        try:
            found = {title: side.response(title) for title in REQUESTS}
            assert side.measure("GET by id", 2) > 0
        finally:
            side.close()
    assert found["GET by id"].items() >= user_body(7).items()
    assert found["filter userName eq"]["Resources"][0]["id"] == found["GET by id"]["id"]
    assert found["PATCH active"]["active"] is False
    assert found["PATCH of Entra's 8"]["emails"][0]["value"] == "pia@example.org"
    assert found["POST"]["userName"] == user_body(10_000_000)["userName"]
    assert found[PAGE]["totalResults"] == 301
    assert len(found[PAGE]["Resources"]) == 100


def test_the_comparison_of_databases_says_why_it_is_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    """Without `wrk` or without a database, the comparison prints the reason and nothing else."""
    assert main(["--sql", "postgresql+psycopg://nobody@127.0.0.1:1/none"]) == 0
    shown = capsys.readouterr().out
    assert "Skipped: " in shown
    assert "server CPU" not in shown


def test_a_table_of_databases_has_ratios_to_the_floor() -> None:
    """Each row of the comparison has the CPU time and the ratio to the floor in the same step."""
    figures = {("GET", "floor"): Figures(100, 50, 2, 9000, 0), ("GET", "SqlStore"): Figures(150, 75, 5, 6000, 0)}
    assert rows(figures, 1000)[1] == (
        "GET by id", "SqlStore", "150", "1.50", "75", "1.50", "5.0", "2.50", "6,000", "0",
    )  # fmt: skip


def test_a_profile_names_the_functions(capsys: pytest.CaptureFixture[str]) -> None:
    """A profile prints the functions with the most time, and the share of each part, for each request."""
    assert main(["--quick", "--profile"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("by part, ") == 6
    assert "JSON out" in shown


def test_the_floor_writes_as_many_bytes() -> None:
    """The floor of each request writes as many bytes as scimkit."""
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


def test_results_agree() -> None:
    """scimkit, the peer and the floor compute the same results."""
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
