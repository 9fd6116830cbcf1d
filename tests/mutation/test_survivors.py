"""The list of explained mutants, and the identification of a mutant by a diff."""

from __future__ import annotations

import pkgutil
from typing import Any

from tests.mutation.survivors import Mutant, explained, from_diff


def test_every_explained_mutant_has_a_function_and_a_reason() -> None:
    """Every entry names an existing function, two different texts and a reason."""
    for mutant, why in explained().items():
        found: Any = pkgutil.resolve_name(mutant.function)
        assert callable(found)
        assert mutant.was != mutant.becomes
        assert why.endswith(".")


def test_a_mutant_is_read_from_a_diff() -> None:
    """A mutant consists of the lines that differ, independent of their position in the function."""
    diff = "--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n def f():\n-    return 1\n+    return 2\n "
    assert from_diff("a.f", diff) == Mutant("a.f", "return 1", "return 2")
