"""Counts the steps of a piece of work: lines of Python and calls of C functions. It never measures time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

FACTOR = 3
"""Twice the input may take this many times the steps; n log n takes a little over 2, a square takes 4."""


def steps(work: Callable[[], Any]) -> int:
    """Return the number of lines run and functions called by a piece of work in this thread."""
    count = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += 1

    before = sys.gettrace()
    sys.settrace(trace)
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
        sys.settrace(before)
    return count


def growth(make: Callable[[int], Callable[[], Any]], size: int) -> float:
    """Return how many times the steps work takes on an input of twice the size.

    `make` returns work on an input of some size. The first run, on an input of another size, fills the caches that
    every request finds filled, and is not counted.
    """
    make(size + 1)()
    return steps(make(2 * size)) / steps(make(size))
