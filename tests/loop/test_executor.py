"""Threads for a blocking store: separate queues for reads and writes, queue limits, and deadlines."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from scimkit.errors import Unavailable
from scimkit.loop.executor import Executor


def soon() -> float:
    """Return a deadline that passes during the test."""
    return monotonic() + 0.2


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, such as that threads have started."""
    end = monotonic() + 5
    while not condition():
        assert monotonic() < end
        await asyncio.sleep(0.005)


def test_result_and_error() -> None:
    """`run` returns the result of the work, or raises its error. The number of threads never exceeds the size."""

    def wrong() -> None:
        raise KeyError("x")

    async def play() -> None:
        executor = Executor(2)
        names = {await executor.run(lambda: threading.current_thread().ident, monotonic() + 5) for _ in range(9)}
        assert len(names) <= 2
        with pytest.raises(KeyError):
            await executor.run(wrong, monotonic() + 5)

    asyncio.run(play())


def test_the_deadline() -> None:
    """Work that hangs is abandoned at the deadline. Work that still waits for a thread then never starts."""
    hang, begun = threading.Event(), []

    async def play() -> None:
        executor = Executor(2)
        jobs = [executor.run(lambda: (begun.append(1), hang.wait(10)), soon()) for _ in range(4)]
        answers = await asyncio.gather(*jobs, return_exceptions=True)
        assert [type(each) for each in answers] == [Unavailable] * 4
        hang.set()
        assert await executor.run(lambda: 1, monotonic() + 5) == 1
        assert len(begun) == 2

    asyncio.run(play())


def test_writes_leave_threads_for_reads() -> None:
    """Hanging writes take at most three quarters of the threads, and of one resource a quarter. Reads continue."""
    hang = threading.Event()

    async def play() -> None:
        executor = Executor(8)
        begun: list[str] = []

        def write(key: str) -> Any:
            return asyncio.ensure_future(
                executor.run(lambda: (begun.append(key), hang.wait(10)), monotonic() + 10, key)
            )

        jobs = [write("/users/1") for _ in range(5)]
        assert await executor.run(lambda: "read", monotonic() + 5) == "read"
        await until(lambda: len(begun) == 2)
        jobs += [write(f"/users/{number}") for number in range(2, 20)]
        assert await executor.run(lambda: "read", monotonic() + 5) == "read"
        await until(lambda: len(begun) == 6)
        assert begun.count("/users/1") == 2
        hang.set()
        await asyncio.gather(*jobs)
        assert sorted(begun) == sorted(["/users/1"] * 5 + [f"/users/{number}" for number in range(2, 20)])

    asyncio.run(play())


def test_a_full_queue() -> None:
    """Work beyond the limit of the queue is refused at once. Reads have a separate queue."""
    hang = threading.Event()

    async def play() -> None:
        executor = Executor(2)
        jobs = [
            asyncio.ensure_future(executor.run(lambda: hang.wait(10), monotonic() + 10, f"/users/{n}"))
            for n in range(1 + 2 * 16)
        ]
        await asyncio.sleep(0)
        assert executor.full
        with pytest.raises(Unavailable) as refused:
            await executor.run(lambda: 1, monotonic() + 60, "/users/x")
        assert dict(refused.value.headers)["Retry-After"].isdecimal()
        assert await executor.run(lambda: 1, monotonic() + 5) == 1
        hang.set()
        await asyncio.gather(*jobs)
        assert not executor.full

    asyncio.run(play())
