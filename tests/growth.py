"""A counter of the steps of a function: lines of Python and calls of C functions. It does not measure time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

FACTOR = 3
"""The allowed growth of the steps for twice the input. n log n grows a little over 2 times, a square 4 times."""


def steps(work: Callable[[], Any]) -> int:
    """Return the number of lines that a function runs and of functions that it calls, in this thread."""
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
    """Return the ratio of the steps for twice the input to the steps for the input.

    The first run, on an input of another size, fills the caches and is not counted.

    Args:
        make: Returns the function to measure for an input of a given size.
        size: The size of the input.
    """
    make(size + 1)()
    return steps(make(2 * size)) / steps(make(size))
