"""Hook of MkDocs: write `llms.txt`, and each page as Markdown, for readers that are programs.

`llms.txt` lists all pages with their first sentence (https://llmstxt.org). The Markdown of `how-to/flask/` is
`how-to/flask.md`, with the included files. The API documentation is in the HTML pages only, so the Markdown lists the
names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_INCLUDE = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)
_API = re.compile(r"^::: (\S+)\n(?:    options:\n      members: \[([^]]+)\]\n)?", re.MULTILINE)
_NOT_PROSE = re.compile(r"\A---\n.*?\n---\n|^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_SENTENCE = re.compile(r"[A-Za-z*`\[].*?\.(?=\s|$)", re.DOTALL)
_MARKS = re.compile(r"\[([^]]+)\]\([^)]+\)|[*`]")
_sources: dict[str, str] = {}


def expanded(markdown: str, folder: Path) -> str:
    """Return Markdown with the contents of the files that it includes, and with sentences for the API documentation."""
    included = _INCLUDE.sub(lambda match: (folder / match[1]).read_text("utf-8").rstrip("\n"), markdown)
    return _API.sub(_api_sentence, included)


def _api_sentence(directive: re.Match[str]) -> str:
    """Return a sentence with the names that a directive of mkdocstrings documents."""
    module, members = directive.groups()
    names = "its public names" if members is None else ", ".join(f"`{each.strip()}`" for each in members.split(","))
    return f"The HTML page documents the module `{module}`: {names}.\n"


def summary(markdown: str) -> str:
    """Return the first sentence of a page as one line of plain text, or an empty text if there is none."""
    for paragraph in re.split(r"\n\s*\n", _NOT_PROSE.sub("", markdown)):
        found = _SENTENCE.match(paragraph.strip("\n"))
        if found:
            return _MARKS.sub(r"\1", " ".join(found[0].split()))
    return ""


def listing(items: Any, base: str, level: int = 2) -> list[str]:
    """Return the lines of `llms.txt` for a part of the navigation."""
    lines: list[str] = []
    for item in items:
        if item.is_section:
            lines += ["", f"{'#' * level} {item.title}", "", *listing(item.children, base, level + 1)]
        elif item.is_page:
            name = item.file.src_uri
            note = summary(_sources.get(name, ""))
            lines.append(f"- [{item.title}]({base}{name})" + (f": {note}" if note else ""))
    return lines


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> None:
    """Keep the Markdown of a page."""
    _sources[page.file.src_uri] = expanded(markdown, Path(config.docs_dir) / "examples")


def on_nav(nav: Any, *, config: Any, **_: Any) -> Any:
    """Keep the navigation until the end of the build."""
    config.extra["llms_nav"] = nav
    return nav


def on_post_build(*, config: Any, **_: Any) -> None:
    """Write `llms.txt` and the Markdown of each page into the site."""
    site = Path(config.site_dir)
    for name, markdown in _sources.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(markdown, "utf-8")
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", ""]
    lines += listing(config.extra.pop("llms_nav").items, config.site_url or "")
    (site / "llms.txt").write_text("\n".join(lines) + "\n", "utf-8")
