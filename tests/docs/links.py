"""Links and anchors: those of the built site, and those of the Markdown files in the top folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_LINK: Final = re.compile(r"\]\(([^()\s]+)\)")
_FENCE: Final = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


class _Anchors(HTMLParser):
    """Collects the ids and the links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name == "id" or (tag == "a" and name == "name")):
                self.ids.add(value)
            elif value and name in ("href", "src"):
                self.links.append(value)


def broken_links(site: Path) -> Iterator[str]:
    """Yield each link of a built site that leads to no file or to no anchor. Links to another machine need HTTPS."""
    pages = {path.resolve(): _read(path) for path in sorted(site.rglob("*.html")) if path.name != "404.html"}
    for page, found in pages.items():
        name = page.relative_to(site.resolve())
        for link in dict.fromkeys(found.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if parts.scheme not in ("https", "data", "mailto") and parts.hostname != "127.0.0.1":
                    yield f"{name}: {link} is not HTTPS"
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                yield f"{name}: {link} leads to no file"
            elif parts.fragment and target in pages and not _has_anchor(pages[target], parts.fragment):
                yield f"{name}: {link} leads to no anchor"


def _has_anchor(page: _Anchors, fragment: str) -> bool:
    """Report whether a page has an anchor. `__` begins an anchor of the theme, which a script may make."""
    return unquote(fragment) in page.ids or fragment.startswith("__")


def _read(path: Path) -> _Anchors:
    parser = _Anchors()
    parser.feed(path.read_text("utf-8"))
    return parser


def broken_markdown_links(page: Path) -> Iterator[str]:
    """Yield each relative link of a Markdown file that leads to no file or to no heading."""
    for link in dict.fromkeys(_LINK.findall(_FENCE.sub("", page.read_text("utf-8")))):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = page.parent / parts.path if parts.path else page
        if not target.exists():
            yield f"{link} leads to no file"
        elif parts.fragment and parts.fragment not in headings(target):
            yield f"{link} leads to no heading"


def headings(page: Path) -> set[str]:
    """Return the anchors of the headings of a Markdown file."""
    titles = _HEADING.findall(_FENCE.sub("", page.read_text("utf-8")))
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles}
