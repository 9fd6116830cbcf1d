"""Tests that each statement of the comparison with other projects has a source."""

from __future__ import annotations

import re

import pytest

from tests.docs.tables import DOCS, rows

PAGE = "explanation/comparison.md"
SECTIONS = [
    match for match in re.findall(r"^## (.+)$", (DOCS / PAGE).read_text("utf-8"), re.MULTILINE) if match.endswith(")")
]


@pytest.mark.parametrize("section", SECTIONS)
def test_each_cell_has_a_source(section: str) -> None:
    """Each cell about a project has a link, and each section begins with what the other project does better."""
    found = rows(PAGE, section)
    assert len(found) >= 4
    assert [cells for cells in found if not all("](" in cell for cell in cells[1:])] == []
    text = (DOCS / PAGE).read_text("utf-8").split(f"## {section}\n")[1]
    assert text.index("**What it does better:**") < text.index("| --- |")
