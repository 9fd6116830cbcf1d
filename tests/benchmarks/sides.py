"""A side of the requests in a process of its own, so that nobody else's memory or caches are in its way.

Beside scim2-server, whose objects and code fill a processor's caches, the same request takes up to a third longer.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from tests.benchmarks.clock import measured


class ComparedStore:
    """Ours, the peer or the floor over so many people, waiting to be measured."""

    def __init__(self, who: str, people: int, groups: Sequence[int]) -> None:
        context = get_context("spawn")
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=_wait, args=(end, who, people, groups), daemon=True)
        self._process.start()
        end.close()

    def call(self, title: str) -> RemoteCall:
        """One of its calls."""
        return RemoteCall(self, title)

    def measure(self, title: str, calls: int) -> float:
        """Microseconds of CPU time a call."""
        self._pipe.send((title, calls))
        microseconds: float = self._pipe.recv()
        return microseconds

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()


@dataclass(frozen=True)
class RemoteCall:
    """What a side does for a step."""

    side: ComparedStore
    title: str

    def measure(self, calls: int) -> float:
        """Microseconds of CPU time a call."""
        return self.side.measure(self.title, calls)


@contextmanager
def sides(whose: Sequence[str], people: int, groups: Sequence[int]) -> Iterator[dict[str, ComparedStore]]:
    """The sides of a step, each in its process; they get ready at once."""
    ready = {who: ComparedStore(who, people, groups) for who in whose}
    try:
        yield ready
    finally:
        for each in ready.values():
            each.close()


def _wait(pipe: Connection, who: str, people: int, groups: Sequence[int]) -> None:
    """Make the calls of a side ready, and measure what is asked for until nobody asks any more."""
    from tests.benchmarks import requests

    makers: dict[str, Callable[[], dict[str, Callable[[], Any]]]] = {
        "ours": lambda: requests.our_calls(requests.Ours(people), people, groups),
        "theirs": lambda: requests.their_calls(requests.Theirs(people), people, groups),
        "floor": lambda: requests.bare_calls(requests.Floor(people), people, groups),
    }
    calls = makers[who]()
    gc.collect()
    gc.freeze()  # whoever happens to be measured while what stands is looked through, would pay for it
    while True:
        try:
            title, count = pipe.recv()
        except EOFError:
            return
        pipe.send(measured(calls[title], count))
