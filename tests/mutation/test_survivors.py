"""The list of explained mutants is about the code that is there."""

from __future__ import annotations

import inspect
import pkgutil
from typing import Any

import pytest

from tests.mutation.survivors import Mutant, explained, from_diff


def _source(function: str) -> str:
    """The source of a function by its dotted name."""
    found: Any = pkgutil.resolve_name(function)
    return inspect.getsource(found)


@pytest.mark.parametrize("mutant", explained(), ids=lambda mutant: mutant.function)
def test_explained_mutants_are_of_this_code(mutant: Mutant) -> None:
    """Each explained mutant changes lines that stand in its function, into others, and says why no test can tell."""
    lines = [line.strip() for line in _source(mutant.function).splitlines()]
    assert set(mutant.was.splitlines()) <= set(lines)
    assert mutant.was != mutant.becomes
    assert explained()[mutant].endswith(".")


def test_a_mutant_is_read_from_a_diff() -> None:
    """A mutant is the lines that differ, wherever they stand in the function."""
    diff = "--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n def f():\n-    return 1\n+    return 2\n "
    assert from_diff("a.f", diff) == Mutant("a.f", "return 1", "return 2")
