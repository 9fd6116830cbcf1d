"""Measures a call: CPU time of this process, after a collection and some calls that do not count."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any


def measured(call: Callable[[], Any], calls: int) -> float:
    """Microseconds of CPU time a call."""
    gc.collect()
    _warm_up(call)
    start = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - start) / calls * 1e6


def _warm_up(call: Callable[[], Any]) -> None:
    """Calls that are not counted, an even number: after a collection the first ones are slow.

    Whoever is called less often would otherwise pay more of that with each call.
    """
    end = time.process_time() + 0.2
    for _ in range(5):
        call()
        call()
        if time.process_time() > end:
            break
