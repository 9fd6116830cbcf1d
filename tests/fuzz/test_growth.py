"""A bounded look for requests whose work grows faster than their size; the same requests each time."""

from __future__ import annotations

from tests.fuzz.growth import found


def test_nothing_grows_faster_than_its_size() -> None:
    """A random request of twice the size takes at most three times the steps (`python -m tests.fuzz.growth`)."""
    assert found(60, seed=1) == []
