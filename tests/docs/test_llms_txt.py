"""Tests of the hook that writes `llms.txt` and the Markdown of each page."""

from __future__ import annotations

import runpy
from types import SimpleNamespace
from typing import Any, Final

from tests.docs.tables import DOCS

HOOK: Final = runpy.run_path(str(DOCS / "hooks" / "llms_txt.py"))


def page(name: str, title: str) -> Any:
    """Return a page as MkDocs has it in its navigation."""
    return SimpleNamespace(is_section=False, is_page=True, title=title, file=SimpleNamespace(src_uri=name))


def test_summary() -> None:
    """The summary is the first sentence of prose, without marks of Markdown."""
    markdown = "---\ntitle: x\n---\n# Title\n\n```sh\nrun. this\n```\n\n1. A list.\n\nUse *this* [page](x.md). More.\n"
    assert HOOK["summary"](markdown) == "Use this page."
    assert HOOK["summary"]("# Title\n\n- a list\n") == ""


def test_included_files_are_expanded() -> None:
    """The Markdown of a page contains the files that the page includes."""
    expanded = HOOK["expanded"]((DOCS / "how-to" / "flask.md").read_text("utf-8"), DOCS / "examples")
    assert "--8<--" not in expanded
    assert "DispatcherMiddleware(app.wsgi_app, mounted)" in expanded


def test_api_documentation_is_a_sentence() -> None:
    """The Markdown of a page names what the HTML page documents, without options of mkdocstrings."""
    markdown = "::: scimkit.uuid7\n\n::: scimkit.x\n    options:\n      members: [A, b]\n"
    expanded = HOOK["expanded"](markdown, DOCS)
    assert expanded == (
        "The HTML page documents the module `scimkit.uuid7`: its public names.\n\n"
        "The HTML page documents the module `scimkit.x`: `A`, `b`.\n"
    )
    for each in (DOCS / "reference").rglob("*.md"):
        assert ":::" not in HOOK["expanded"](each.read_text("utf-8"), DOCS / "examples"), each


def test_listing() -> None:
    """Each page is a link below the title of its section."""
    section = SimpleNamespace(
        is_section=True, is_page=False, title="How-to", children=[page("how-to/flask.md", "Flask")]
    )
    lines = HOOK["listing"]([page("index.md", "Home"), section], "https://docs.example.org/")
    assert lines == [
        "- [Home](https://docs.example.org/index.md)", "", "## How-to", "",
        "- [Flask](https://docs.example.org/how-to/flask.md)",
    ]  # fmt: skip
