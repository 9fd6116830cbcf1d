"""The page of database errors says what the code does."""

from __future__ import annotations

from pathlib import Path

from tests.database_errors_table import page

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "database-errors.md"


def test_the_page_is_the_one_that_is_printed() -> None:
    """`python -m tests.database_errors_table` prints the page as it is."""
    assert PAGE.read_text("utf-8") == page()
