"""Running coroutines that never suspend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from scimkit import run_sync


class Suspending:
    """What suspends whoever awaits it."""

    def __await__(self) -> Iterator[None]:
        yield


async def answer(value: int) -> int:
    return value


async def total() -> int:
    return await answer(1) + await answer(2)


def test_result() -> None:
    """The result of a coroutine that awaits only its like."""
    assert run_sync(total()) == 3


def test_inside_a_running_loop() -> None:
    """No event loop is needed, and one that runs does not matter."""

    async def outer() -> int:
        return run_sync(total())

    assert asyncio.run(outer()) == 3


def test_exception() -> None:
    """What the coroutine raises comes out as it is."""

    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        run_sync(fail())


def test_suspension() -> None:
    """A coroutine that suspends is closed, and the error says what can run it."""
    closed = []

    async def wait() -> None:
        try:
            await Suspending()
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match=r"scimkit\.asgi"):
        run_sync(wait())
    assert closed == [True]
