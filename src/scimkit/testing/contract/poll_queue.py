"""A test suite for poll queues. Subclass `PollQueueContract` for your queue, and pytest runs the tests.

class TestMyQueue(PollQueueContract):
def make_queue(self):
return MyQueue()
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scimkit.events.poll_queue import PollQueue

_LARGE = 10**9
_STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "first", "remove"]), st.integers(0, 5), st.integers(1, 6)), max_size=20
)


class PollQueueContract:
    """Tests that every `PollQueue` must pass. A subclass implements `make_queue`. A test uses streams of its own."""

    examples = 25
    """The number of random histories."""

    def make_queue(self) -> PollQueue:
        """Return a queue. The queue may have tokens of other streams."""
        raise NotImplementedError

    def close(self, queue: PollQueue) -> None:
        """Close the queue after a test."""

    @pytest.fixture
    def queue(self) -> Iterator[PollQueue]:
        """Return the queue of a test."""
        made = self.make_queue()
        yield made
        self.close(made)

    @pytest.fixture
    def stream(self) -> str:
        """Return the id of a new stream."""
        return _new_stream()

    def test_an_empty_stream(self, queue: PollQueue, stream: str) -> None:
        """A stream without tokens has none, and nothing to remove."""
        found = queue.first(stream, 10, _LARGE)
        assert (found.tokens, found.has_more) == ({}, False)
        assert queue.remove(stream, ["a"]) == 0

    def test_tokens_are_kept_until_they_are_removed(self, queue: PollQueue, stream: str) -> None:
        """Tokens come in their order, again and again, until they are removed. Streams do not see each other."""
        other = _new_stream()
        for name in ("b", "a", "c"):
            queue.add(stream, name, f"token-{name}")
        queue.add(other, "a", "other")
        for _ in range(2):
            found = queue.first(stream, 2, _LARGE)
            assert (list(found.tokens.items()), found.has_more) == ([("b", "token-b"), ("a", "token-a")], True)
        assert queue.remove(stream, ["a", "x", "\u00e4", "a", "\0", "a\0", "x" * 1000]) == 1
        found = queue.first(stream, 2, _LARGE)
        assert (list(found.tokens), found.has_more) == (["b", "c"], False)
        assert queue.first(other, 2, _LARGE).tokens == {"a": "other"}

    def test_a_token_is_added_once(self, queue: PollQueue, stream: str) -> None:
        """A token with the same id is not added again, and keeps its place. After its removal, it is."""
        for name in ("a", "b", "a"):
            queue.add(stream, name, name)
        assert list(queue.first(stream, 9, _LARGE).tokens) == ["a", "b"]
        queue.remove(stream, ["a"])
        queue.add(stream, "a", "a")
        assert list(queue.first(stream, 9, _LARGE).tokens) == ["b", "a"]

    def test_the_size_of_an_answer_is_limited(self, queue: PollQueue, stream: str) -> None:
        """Tokens are returned up to a size, but at least one."""
        for name in ("a", "b", "c"):
            queue.add(stream, name, name * 100)
        for size, expected in ((1, ["a"]), (200, ["a", "b"]), (299, ["a", "b"]), (300, ["a", "b", "c"])):
            found = queue.first(stream, 9, size)
            assert (list(found.tokens), found.has_more) == (expected, len(expected) < 3)

    def test_old_tokens_are_purged(self, queue: PollQueue, stream: str) -> None:
        """A purge removes the tokens that were added before a time."""
        queue.add(stream, "a", "a")
        assert queue.purge(stream, datetime.now(UTC) - timedelta(hours=1)) == 0
        assert list(queue.first(stream, 9, _LARGE).tokens) == ["a"]
        assert queue.purge(_new_stream(), datetime.now(UTC) + timedelta(hours=1)) == 0
        assert queue.purge(stream, datetime.now(UTC) + timedelta(hours=1)) == 1
        assert queue.first(stream, 9, _LARGE).tokens == {}

    def test_many_add_and_remove_at_once(self, queue: PollQueue, stream: str) -> None:
        """Concurrent workers and receivers lose no token and add none twice."""
        names = [f"t{number}" for number in range(24)]

        def work(number: int) -> int:
            for name in names:
                queue.add(stream, name, name)
            return queue.remove(stream, names[number::2]) if number < 2 else 0

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        left = list(queue.first(stream, 99, _LARGE).tokens)
        assert sorted(set(left)) == sorted(left)
        queue.remove(stream, names)
        assert queue.first(stream, 99, _LARGE).tokens == {}

    def test_random_histories(self, queue: PollQueue) -> None:
        """A queue behaves as a list of tokens."""

        @settings(max_examples=self.examples, deadline=None)
        @given(_STEPS)
        def run(steps: list[tuple[str, int, int]]) -> None:
            stream, model = _new_stream(), dict[str, str]()
            for step, number, count in steps:
                name = f"t{number}"
                if step == "add":
                    queue.add(stream, name, name)
                    model.setdefault(name, name)
                elif step == "remove":
                    assert queue.remove(stream, [name]) == (model.pop(name, None) is not None)
                else:
                    found = queue.first(stream, count, _LARGE)
                    assert list(found.tokens.items()) == list(model.items())[:count]
                    assert found.has_more == (len(model) > count)

        run()


def _new_stream() -> str:
    """Return an id that no other test uses."""
    return f"s-{os.getpid()}-{os.urandom(6).hex()}"
