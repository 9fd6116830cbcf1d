"""Separate processes for the measured implementations, so that they do not share memory or processor caches.

In one process with scim2-server, the same request takes up to a third longer.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Protocol

from tests.benchmarks.clock import measured


class MeasuredSide(Protocol):
    """A process that measures its own calls."""

    def call(self, title: str) -> RemoteCall:
        """Return one of the calls of the process."""
        ...

    def measure(self, title: str, calls: int) -> float:
        """Return the CPU time of a call in microseconds."""
        ...


class MeasuredProcess:
    """A process with scimkit, the peer or the floor and a number of users, ready to be measured."""

    def __init__(self, who: str, people: int, groups: Sequence[int]) -> None:
        context = get_context("spawn")
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=_wait, args=(end, who, people, groups), daemon=True)
        self._process.start()
        end.close()

    def call(self, title: str) -> RemoteCall:
        """Return one of the calls of the process."""
        return RemoteCall(self, title)

    def measure(self, title: str, calls: int) -> float:
        """Return the CPU time of a call in microseconds."""
        self._pipe.send((title, calls))
        microseconds: float = self._pipe.recv()
        return microseconds

    def close(self) -> None:
        """Stop the process."""
        self._pipe.close()
        self._process.join()


@dataclass(frozen=True)
class RemoteCall:
    """A call of a step in a measured process."""

    side: MeasuredSide
    title: str

    def measure(self, calls: int) -> float:
        """Return the CPU time of a call in microseconds."""
        return self.side.measure(self.title, calls)


@contextmanager
def sides(whose: Sequence[str], people: int, groups: Sequence[int]) -> Iterator[dict[str, MeasuredProcess]]:
    """Yield a process for each implementation. The processes start at the same time."""
    ready = {who: MeasuredProcess(who, people, groups) for who in whose}
    try:
        yield ready
    finally:
        for each in ready.values():
            each.close()


def _wait(pipe: Connection, who: str, people: int, groups: Sequence[int]) -> None:
    """Prepare the calls of an implementation, then measure calls until the pipe is closed."""
    from tests.benchmarks import requests

    makers: dict[str, Callable[[], dict[str, Callable[[], Any]]]] = {
        "ours": lambda: requests.our_calls(requests.Ours(people), people, groups),
        "theirs": lambda: requests.their_calls(requests.Theirs(people), people, groups),
        "floor": lambda: requests.bare_calls(requests.Floor(people), people, groups),
    }
    calls = makers[who]()
    gc.collect()
    gc.freeze()  # a garbage collection of the prepared objects would slow down the call that is measured
    while True:
        try:
            title, count = pipe.recv()
        except EOFError:
            return
        pipe.send(measured(calls[title], count))
