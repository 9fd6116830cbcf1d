"""A measurement of the CPU time of a function in this process, after garbage collection and a warm-up."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any


def measured(call: Callable[[], Any], calls: int) -> float:
    """Return the CPU time of a call in microseconds."""
    gc.collect()
    _warm_up(call)
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1e6


def _warm_up(call: Callable[[], Any]) -> None:
    """Run some calls that are not measured, because the first calls after garbage collection are slow.

    Without the warm-up, a function that is called less often would have a larger share of slow calls.
    """
    end = time.process_time() + 0.2
    for _ in range(5):
        call()
        call()
        if time.process_time() > end:
            break
