"""Read the tables of the documentation, so that tests can try what the tables say."""

from __future__ import annotations

import re
from typing import Final

from tests.docs.pictures import TOP

DOCS: Final = TOP / "docs"
_CELL: Final = re.compile(r"(?<!\\)\|")


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the rows of the first table below a heading, without the row of titles."""
    text = (DOCS / page).read_text("utf-8")
    lines = text[text.index(f"## {heading}\n") :].splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("| --- "))
    found = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip().strip("`") for cell in _CELL.split(line.strip().strip("|"))])
    return found
