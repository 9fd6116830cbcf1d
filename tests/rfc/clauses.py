"""The clauses of the RFCs that apply to a service provider, read from `clauses.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("clauses.json")
LEVELS = ("MUST", "SHOULD", "MAY", "text")
"""The key words of the clauses. `text` marks a clause that the RFC states without a key word."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of an RFC.

    Attributes:
        id: The RFC, the section, and a number within the section.
        level: One of `LEVELS`.
        text: The clause in other words.
        ours: The behavior of scimkit.
        untested: The reason why the clause has no test, if it has none.
    """

    id: str
    level: str
    text: str
    ours: str
    untested: str = ""

    @property
    def rfc(self) -> str:
        return self.id.partition("-")[0]

    @property
    def section(self) -> str:
        return self.id.split("-")[1]


def read_clauses() -> dict[str, Clause]:
    """Return the clauses by id in the order of the file. Raise ValueError if two clauses have the same id."""
    clauses = [Clause(**each) for each in json.loads(FILE.read_text("utf-8"))]
    by_id = {each.id: each for each in clauses}
    if len(by_id) != len(clauses):
        raise ValueError("two clauses have the same id")
    return by_id
