"""The clauses of the RFCs that bind a service provider, read from `clauses.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("clauses.json")
LEVELS = ("MUST", "SHOULD", "MAY", "text")
"""`text` is what an RFC says without a key word."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause. `id` is the RFC, the section and a number within it; `untested` says why no test shows it."""

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
    """The clauses by id, in the order of the file. Raises: ValueError when two have the same id."""
    clauses = [Clause(**each) for each in json.loads(FILE.read_text("utf-8"))]
    by_id = {each.id: each for each in clauses}
    if len(by_id) != len(clauses):
        raise ValueError("two clauses have the same id")
    return by_id
