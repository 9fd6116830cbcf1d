"""The table of RFC clauses is complete and consistent."""

from __future__ import annotations

from pathlib import Path

from tests.rfc.clauses import LEVELS, read_clauses
from tests.rfc.table import TITLES, collect, page

PAGE = Path(__file__).parents[2] / "docs/reference/rfc.md"


def test_page_is_up_to_date() -> None:
    """The page in the documentation equals the output of `python -m tests.rfc.table`."""
    assert PAGE.read_text("utf-8") == page()


def test_every_marker_names_a_clause() -> None:
    """Every `rfc` marker of a test names an existing clause."""
    assert collect().keys() - read_clauses().keys() == set()


def test_clauses_are_well_formed() -> None:
    """Every clause has a known RFC, a known level, and texts that fit into a table."""
    for clause in read_clauses().values():
        assert clause.rfc in TITLES, clause.id
        assert clause.level in LEVELS, clause.id
        assert clause.text and clause.ours, clause.id
        assert not any(mark in clause.text + clause.ours + clause.untested for mark in "|\n"), clause.id


def test_every_must_and_should_has_a_test() -> None:
    """Every MUST and SHOULD has either a test or a reason for having none."""
    tests = collect()
    for clause in read_clauses().values():
        assert not (clause.untested and clause.id in tests), f"{clause.id} has a test and a reason for none"
        if clause.level != "MAY":
            assert clause.untested or clause.id in tests, f"{clause.id} has no test"
