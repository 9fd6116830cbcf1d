"""The pages that prove a promise with tests name tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
EXPLANATION = TESTS.parent / "docs/explanation"
RELIABILITY = (EXPLANATION / "reliability.md").read_text("utf-8")
IPSIE = (EXPLANATION / "ipsie.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", RELIABILITY + IPSIE)))


def proofs(page: str, heading: str) -> list[str]:
    """Return the last cell of each row of the tables whose last column has the heading."""
    found: list[str] = []
    reading = False
    for line in page.splitlines():
        if not line.startswith("| "):
            reading = False
        elif line.endswith(f"| {heading} |"):
            reading = True
        elif reading and not line.startswith("| ---"):
            found.append(line.split(" | ")[-1])
    return found


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_promise_has_a_test(path: str, name: str) -> None:
    """Each test that a page names is a function of that file."""
    tree = ast.parse((TESTS / path).read_text("utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_fault_names_a_test() -> None:
    """The page of faults names a test for each of its faults."""
    faults = proofs(RELIABILITY, "test")
    assert len(faults) >= 20
    assert all("::test_" in cell for cell in faults)


def test_every_row_of_ipsie_has_a_test_or_a_recipe() -> None:
    """Each row of the IPSIE page names a test or links a recipe."""
    rows = proofs(IPSIE, "test or recipe")
    assert len(rows) >= 20
    assert all("::test_" in cell or "](" in cell for cell in rows)
