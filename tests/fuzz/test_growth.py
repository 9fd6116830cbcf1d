"""A bounded search for requests whose work grows faster than their size. Each run tries the same requests."""

from __future__ import annotations

from tests.fuzz.growth import found


def test_work_grows_with_the_size_of_a_request() -> None:
    """A request of twice the size takes at most three times the steps (`python -m tests.fuzz.growth`)."""
    assert found(60, seed=1) == []
