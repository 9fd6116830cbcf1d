"""Pages by index and by position, on any ordered sequence. This module never keeps anything.

A position names the place of a document in an order: the sort key, if there is a sort, and the number
of its creation. It stays valid while other documents come and go (RFC 9865).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any, TypeAlias

from scimkit.stores.sorting import Sort

Position: TypeAlias = tuple[Any, ...]
"""The key of a document in an order, made of JSON values and tuples of them."""


def by_index(start_index: int, count: int) -> slice:
    """Which part of an ordered sequence is the page that starts at an index from 1."""
    first = max(start_index, 1) - 1
    return slice(first, first + count)


def by_position(
    length: int,
    position_at: Callable[[int], Position],
    sort: Sort | None,
    after: Position | None,
    before: Position | None,
    count: int,
) -> slice:
    """Which part of an ordered sequence of `length` documents comes after a position, or right before another."""
    descending = sort is not None and sort.descending
    if after is not None:
        start = bisect_left(range(length), True, key=lambda place: _follows(position_at(place), after, descending))
        return slice(start, start + count)
    end = length
    if before is not None:
        end = bisect_left(range(length), True, key=lambda place: not _follows(before, position_at(place), descending))
    return slice(max(end - count, 0), end)


def _follows(one: Position, other: Position, descending: bool) -> bool:
    """Whether one position comes after another: among equal keys, the later creation does."""
    *one_key, one_number = one
    *other_key, other_number = other
    if one_key == other_key:
        return bool(one_number > other_number)
    return bool(one_key < other_key if descending else one_key > other_key)
