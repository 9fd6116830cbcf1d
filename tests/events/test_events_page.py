"""The page `docs/reference/events.md` lists every class of events, and every field."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from scimkit.events import EVENT_TYPES, ResourceEvent

PAGE = Path(__file__).parents[2] / "docs/reference/events.md"


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the table below a heading, as cells."""
    section = PAGE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    found = [[each.strip() for each in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return found[2:]


def test_every_class_has_a_row() -> None:
    """Each class has a row with the fields that it has besides those of every event."""
    common = {each.name for each in fields(ResourceEvent)}
    listed = {name.strip("`"): re.findall(r"`(\w+)`", own) for name, _, own in rows("Classes of resource events")}
    assert listed == {
        name: [each.name for each in fields(kind) if each.name not in common] for name, kind in EVENT_TYPES.items()
    }


def test_every_field_has_a_row() -> None:
    """Each field that every event has is in the table, in the same order."""
    listed = [name.strip("`") for name, _ in rows("Fields of every resource event")]
    assert listed == [each.name for each in fields(ResourceEvent)]
