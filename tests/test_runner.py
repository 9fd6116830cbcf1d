"""Tests of running coroutines that never suspend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from scimkit import run_sync


class Suspending:
    """An awaitable that suspends."""

    def __await__(self) -> Iterator[None]:
        yield


async def answer(value: int) -> int:
    return value


async def total() -> int:
    return await answer(1) + await answer(2)


def test_result() -> None:
    """`run_sync` returns the result of a coroutine that awaits another coroutine."""
    assert run_sync(total()) == 3


def test_inside_a_running_loop() -> None:
    """`run_sync` needs no event loop, and works inside a running one."""

    async def outer() -> int:
        return run_sync(total())

    assert asyncio.run(outer()) == 3


def test_exception() -> None:
    """`run_sync` raises the exception of the coroutine."""

    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        run_sync(fail())


def test_suspension() -> None:
    """A coroutine that suspends is closed, and the error names the ASGI adapter."""
    closed = []

    async def wait() -> None:
        try:
            await Suspending()
        finally:
            closed.append(True)

    with pytest.raises(RuntimeError, match=r"scimkit\.asgi"):
        run_sync(wait())
    assert closed == [True]
