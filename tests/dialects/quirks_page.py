"""The tables of quirks in Markdown, for `docs/reference/quirks.md`. This module prints them."""

from __future__ import annotations

from collections.abc import Sequence

from scimkit.dialects.quirks import OPTIONS, QUIRKS, Quirk
from tests.dialects.idp_behaviors import BEHAVIORS


def markdown() -> str:
    """Return the tables as Markdown: one row for each quirk, in the order in which they are asked."""
    lines = [
        *_rows(QUIRKS, "accepted request", "why the meaning is clear"), "", "## Optional quirks", "",
        *_rows(OPTIONS, "behavior with the quirk", "behavior without the quirk"), "", *_behaviors(),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _rows(quirks: Sequence[Quirk], does: str, why: str) -> list[str]:
    """Return the table of some quirks."""
    head = [f"| quirk | {does} | {why} | sent by | source |", "| --- | --- | --- | --- | --- |"]
    return head + [
        f"| `{each.name}` | {_escape(each.summary)} | {_escape(each.safe)} | {', '.join(each.seen)} | {each.source} |"
        for each in quirks
    ]


def _behaviors() -> list[str]:
    """Return the table of behaviors: for each behavior, the quirks or the rule of the engine that handle it."""
    rows = []
    for behavior in BEHAVIORS:
        served = [*(f"`{name}`" for name in behavior.quirks), *([_escape(behavior.engine)] if behavior.engine else [])]
        rows.append(f"| {behavior.number} | {_escape(behavior.summary)} | {'; '.join(served)} |")
    head = ["## Quirks by behavior", "", "| number | request | handled by |", "| --- | --- | --- |"]
    return [*head, *rows]


def _escape(text: str) -> str:
    """Escape the column separator of Markdown tables."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201
