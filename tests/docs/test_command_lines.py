"""Tests that the `scimkit` commands of the documentation exist, with the options that the pages give them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.docs.command_lines import commands, parameters
from tests.docs.tables import DOCS

PAGES: Final = [page for page in (*sorted(DOCS.rglob("*.md")), DOCS.parent / "README.md") if any(commands(page))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line accepts each command of a page. A file that a command names exists."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCIMKIT_STORE", "sqlite:///helpdesk.db")
    monkeypatch.setenv("SCIM_TOKEN", "scimkit_token")
    for arguments in commands(page):
        for each in arguments:
            if each.endswith((".json", ".jsonl", ".secret")):
                Path(each).touch()
        parameters(arguments)


def test_commands_are_found() -> None:
    """The pages of the command line, the simulators and the databases have commands."""
    assert {"index", "databases", "simulators", "webhooks", "try-entra"} <= {page.stem for page in PAGES}
