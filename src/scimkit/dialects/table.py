"""The table of quirks as Markdown, for the documentation. It only prints."""

from __future__ import annotations

from scimkit.dialects.quirks import QUIRKS


def markdown() -> str:
    """One row a quirk, in the order they are asked."""
    rows = [
        f"| `{quirk.name}` | {_cell(quirk.summary)} | {_cell(quirk.safe)} | {', '.join(quirk.seen)} | {quirk.source} |"
        for quirk in QUIRKS
    ]
    head = [
        "| quirk | what it serves | why it cannot be misread | seen at | source |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201
