"""The types of the public surface: complete, usable, and strict enough to find mistakes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
EXAMPLES = TOP / "tests/typing"
BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "VIRTUAL_ENV": str(BIN.parent)}


def run(*command: str) -> str:
    """Return what a type checker prints."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOP, env=ENVIRONMENT, timeout=240, check=False)
    return done.stdout + done.stderr


def test_every_public_symbol_has_a_known_type() -> None:
    """`pyright --verifytypes` finds no symbol whose type is unknown or ambiguous."""
    said = run("pyright", "--pythonpath", sys.executable, "--verifytypes", "scimkit", "--ignoreexternal")
    assert "Type completeness score: 100%" in said, said[-4000:]


@pytest.mark.parametrize(
    "checker", [("mypy", "--strict", "--cache-dir", os.devnull), ("pyright", "--pythonpath", sys.executable)]
)
def test_applications_type_check(checker: tuple[str, ...]) -> None:
    """Programs that use the public surface rightly have no finding; each marked mistake has one, and no other line."""
    said = run(*checker, *(str(path) for path in sorted(EXAMPLES.glob("*.py"))))
    found = {
        (Path(match[1]).name, int(match[2]))
        for match in re.finditer(r"^\s*(\S+\.py):(\d+):(?:\d+)?.*error", said, re.MULTILINE)
    }
    wrong = {
        ("mistakes.py", number)
        for number, line in enumerate((EXAMPLES / "mistakes.py").read_text("utf-8").splitlines(), 1)
        if line.endswith("# error")
    }
    assert found == wrong, said
