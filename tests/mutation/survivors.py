"""The mutants that behave like the original code, each with the reason (`survivors.toml`).

A mutant is identified by its function, the removed lines and the added lines. Line numbers are not used, so that the
list stays valid when other code moves.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SURVIVORS: Final = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """A mutation: `was` and `becomes` are the lines that differ, without indentation."""

    function: str
    """The dotted name with module and class, such as `scimkit.filters.parser._Parser.term`."""
    was: str
    becomes: str


def explained() -> dict[Mutant, str]:
    """Return the listed mutants, each with the reason why it is equivalent."""
    groups = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["equivalent"]
    return {
        Mutant(group["function"], was, becomes): group["why"] for group in groups for was, becomes in group["mutants"]
    }


def from_diff(function: str, diff: str) -> Mutant:
    """Return the mutant that a unified diff of a function describes."""
    lines = diff.splitlines()[2:]  # skip the two file names
    was, becomes = (
        "\n".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in ("-", "+")
    )  # fmt: skip
    return Mutant(function, was, becomes)
