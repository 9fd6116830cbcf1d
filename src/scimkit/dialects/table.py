"""The table of quirks as Markdown, for the documentation. It only prints."""

from __future__ import annotations

from collections.abc import Sequence

from scimkit.dialects.habits import HABITS
from scimkit.dialects.quirks import OPTIONS, QUIRKS, Quirk


def markdown() -> str:
    """One row a quirk, in the order they are asked."""
    lines = [
        *_rows(QUIRKS, "what it serves", "why it cannot be misread"), "", "## On request", "",
        *_rows(OPTIONS, "what it does", "instead of"), "", *_habits(),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _rows(quirks: Sequence[Quirk], does: str, why: str) -> list[str]:
    head = [f"| quirk | {does} | {why} | seen at | source |", "| --- | --- | --- | --- | --- |"]
    return head + [
        f"| `{quirk.name}` | {_cell(quirk.summary)} | {_cell(quirk.safe)} | {', '.join(quirk.seen)} | {quirk.source} |"
        for quirk in quirks
    ]


def _habits() -> list[str]:
    """One row a habit: the quirks that serve it, or the rule of the engine."""
    rows = []
    for habit in HABITS:
        served = [*(f"`{name}`" for name in habit.quirks), *([_cell(habit.engine)] if habit.engine else [])]
        rows.append(f"| {habit.number} | {_cell(habit.summary)} | {', '.join(served)} |")
    head = ["## By habit", "", "| | what is sent | served by |", "| --- | --- | --- |"]
    return [*head, *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201
