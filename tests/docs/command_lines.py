"""Commands of `scimkit` in the documentation, and their options as the command line reads them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from scimkit.cli import app

_FENCE: Final = re.compile(r"^ *``` ?(?:sh|console|\{ \.sh[^}]*\})\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_COMMAND: Final = re.compile(r"^ *(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?scimkit (.+)$", re.MULTILINE)


def parameters(arguments: list[str]) -> dict[str, Any]:
    """Return the options of a `scimkit` command, as the command line reads them, without running the command."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("scimkit", [], resilient_parsing=True)
    while True:
        name, group, arguments = group.resolve_command(context, arguments)
        if not hasattr(group, "resolve_command"):
            return dict(group.make_context(name, list(arguments)).params)
        context = group.make_context(name, [], resilient_parsing=True)


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of each `scimkit` command in the code blocks of a page."""
    for block in _FENCE.findall(page.read_text("utf-8")):
        for command in _COMMAND.findall(block.replace("\\\n", " ")):
            yield shlex.split(command, comments=True)
