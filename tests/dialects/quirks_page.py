"""The table of quirks as Markdown, for the documentation. It only prints."""

from __future__ import annotations

from collections.abc import Sequence

from scimkit.dialects.quirks import OPTIONS, QUIRKS, Quirk
from tests.dialects.idp_behaviors import BEHAVIORS


def markdown() -> str:
    """One row a quirk, in the order they are asked."""
    lines = [
        *_rows(QUIRKS, "what it serves", "why it cannot be misread"), "", "## On request", "",
        *_rows(OPTIONS, "what it does", "instead of"), "", *_behaviors(),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _rows(quirks: Sequence[Quirk], does: str, why: str) -> list[str]:
    head = [f"| quirk | {does} | {why} | seen at | source |", "| --- | --- | --- | --- | --- |"]
    return head + [
        f"| `{quirk.name}` | {_cell(quirk.summary)} | {_cell(quirk.safe)} | {', '.join(quirk.seen)} | {quirk.source} |"
        for quirk in quirks
    ]


def _behaviors() -> list[str]:
    """One row a behavior: the quirks that serve it, or the rule of the engine."""
    rows = []
    for behavior in BEHAVIORS:
        served = [*(f"`{name}`" for name in behavior.quirks), *([_cell(behavior.engine)] if behavior.engine else [])]
        rows.append(f"| {behavior.number} | {_cell(behavior.summary)} | {', '.join(served)} |")
    head = ["## By behavior", "", "| | what is sent | served by |", "| --- | --- | --- |"]
    return [*head, *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201
