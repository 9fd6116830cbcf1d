"""The mutants that no test can tell from the code, each with the reason (`survivors.toml`).

A mutant is known by its function, the lines it takes away and those it puts there, so that it stays
known while code around it moves.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SURVIVORS: Final = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One mutation: `was` and `becomes` are the lines of code that differ, without their indentation."""

    function: str
    """Dotted, with module and class, such as `scimkit.filters.parser._Parser.term`."""
    was: str
    becomes: str


def explained() -> dict[Mutant, str]:
    """Every mutant of the list with why it is equivalent."""
    groups = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["equivalent"]
    return {
        Mutant(group["function"], was, becomes): group["why"] for group in groups for was, becomes in group["mutants"]
    }


def from_diff(function: str, diff: str) -> Mutant:
    """The mutant of a unified diff of its function."""
    lines = diff.splitlines()[2:]  # after the names of the two files
    was, becomes = (
        "\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in ("-", "+")
    )  # fmt: skip
    return Mutant(function, was, becomes)
