"""Test that the page of database errors agrees with the code."""

from __future__ import annotations

from pathlib import Path

from tests.database_errors_table import page

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "database-errors.md"


def test_the_page_is_up_to_date() -> None:
    """The page is identical to the output of `python -m tests.database_errors_table`."""
    assert PAGE.read_text("utf-8") == page()
