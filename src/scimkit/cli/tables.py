"""Tables and consoles that commands print to, for people. Lines for a file or a pipe are wide, for searches."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table

_WIDE: Final = 240
"""Number of characters of a line that is not printed on a terminal."""


def plain_table(*columns: str, show_header: bool = True) -> Table:
    """Return a table without lines around its cells."""
    return Table(*columns, box=None, pad_edge=False, show_header=show_header)


def wide_console() -> Console:
    """Return a console whose lines are wide unless they go to a terminal, so that no value is broken."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    return console
