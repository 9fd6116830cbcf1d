"""The page of faults names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs/explanation/reliability.md"
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE.read_text("utf-8"))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_promise_has_a_test(path: str, name: str) -> None:
    """Each test that the page names is a function of that file."""
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_page_names_many_tests() -> None:
    """The page names a test for each of its faults."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ") and "| promise" not in line]
    faults = [line for line in rows if not line.startswith("| ---")]
    assert len(faults) >= 20
    assert all("::test_" in line for line in faults)
