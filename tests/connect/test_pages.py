"""Test that the pages in docs/connect/ are complete, and that their transcripts are current."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.connect.transcripts import NAMES, PAGES, names_in, transcript, written

PROVIDER_PAGES = sorted(path for path in PAGES.glob("*.md") if path.stem not in ("index", "troubleshooting"))
SECTIONS = ("## Map attributes", "## What each step sends", "## What the provisioning log shows", "## Known limits")
PLACED = [(path, name) for path in PROVIDER_PAGES for name in names_in(path.read_text("utf-8"))]
NAVIGATION = (Path(__file__).parents[2] / "mkdocs.yml").read_text("utf-8")


@cache
def index() -> str:
    """Return the text of the index page."""
    return (PAGES / "index.md").read_text("utf-8")


@pytest.mark.parametrize("path", PROVIDER_PAGES, ids=lambda path: path.stem)
def test_pages_are_complete(path: Path) -> None:
    """Each page has all sections, clicks or a field table, a source, and its places in the index and the navigation."""
    page = path.read_text("utf-8")
    assert [section for section in SECTIONS if section not in page] == []
    assert "https://" in page.split("## Known limits")[1]
    assert "click by click" in page.lower() or "## Which field takes what" in page
    assert f"]({path.name})" in index()
    assert f"connect/{path.name}\n" in NAVIGATION


def test_every_transcript_has_a_page() -> None:
    """Each simulator, and each list of documented requests, has its transcript on exactly one page."""
    assert sorted(name for _, name in PLACED) == sorted(NAMES)


@pytest.mark.parametrize(("path", "name"), PLACED, ids=[name for _, name in PLACED])
def test_transcripts_are_current(path: Path, name: str) -> None:
    """`python -m tests.connect.transcripts --write` would not change the page."""
    page = path.read_text("utf-8")
    assert written(page, name, transcript(name)) == page
