"""A runner for coroutines that never suspend, so that synchronous code can call the asynchronous core.

This module uses no event loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from inspect import isawaitable
from typing import Any, TypeVar

Result = TypeVar("Result")


async def result_of(answer: Result | Awaitable[Result]) -> Result:
    """Return the answer of a sync or an async port."""
    if isawaitable(answer):
        awaited: Result = await answer
        return awaited
    return answer


def run_sync(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine that never suspends, and return its result.

    Raises:
        RuntimeError: The coroutine suspends. The cause is an async store, token verifier or hook.
    """
    try:
        coroutine.send(None)
    except StopIteration as finished:
        result: Result = finished.value
        return result
    coroutine.close()
    raise RuntimeError("an async store, token verifier or hook needs an event loop; serve it with scimkit.asgi")
