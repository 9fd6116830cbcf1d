"""Tests of the links in the Markdown files of the top folder, and of the check of the built site.

`mkdocs build --strict` checks the links and anchors of `docs`. `python -m tests.docs.pages` checks the built site.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.links import broken_links, broken_markdown_links
from tests.docs.tables import DOCS

TOP = DOCS.parent


@pytest.mark.parametrize("page", sorted(TOP.glob("*.md")), ids=lambda page: page.name)
def test_links_of_a_file_in_the_top_folder(page: Path) -> None:
    """Each relative link leads to a file, and each anchor to a heading."""
    assert list(broken_markdown_links(page)) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    """A link to a missing page, a missing anchor or a site without HTTPS is reported; others are not."""
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text(
        '<a href="a/"></a><a href="a/#here"></a><a href="a/#gone"></a><img src="no.png">'
        '<a href="http://example.org"></a><a href="https://example.org#x"></a><a href="#top" id="top"></a>'
    )
    (tmp_path / "a" / "index.html").write_text('<h2 id="here">Here</h2><a href="../b/"></a>')
    assert list(broken_links(tmp_path)) == [
        "a/index.html: ../b/ leads to no file",
        "index.html: a/#gone leads to no anchor",
        "index.html: no.png leads to no file",
        "index.html: http://example.org is not HTTPS",
    ]


def test_a_broken_link_of_markdown_is_found(tmp_path: Path) -> None:
    """A link to a missing file or heading is reported, but not one in a code block."""
    page = tmp_path / "page.md"
    page.write_text("# A `title` here\n[a](#a-title-here) [b](#b) [c](c.md)\n```\n[d](d.md)\n```\n[e](https://e.org)\n")
    assert list(broken_markdown_links(page)) == ["#b leads to no heading", "c.md leads to no file"]
