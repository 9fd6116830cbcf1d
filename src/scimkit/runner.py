"""Runs a coroutine that never suspends: the core over a lifted sync store.

This module knows no event loop.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_sync(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """The result of a coroutine that awaits nothing but coroutines like itself.

    Raises: RuntimeError when it suspends, which only an async store or hook can make it do.
    """
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: Result = finished.value
        return result
    coroutine.close()
    raise RuntimeError("an async store, token verifier or hook needs an event loop; serve it with scimkit.asgi")
