"""Pages of an ordered sequence, by index and by position.

A position identifies a document in an order. The position consists of the sort key, if there is a sort order, and the
sequence number of the document. A position stays valid when other documents are created or deleted (RFC 9865).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any, TypeAlias

from scimkit.stores.sorting import Sort

Position: TypeAlias = tuple[Any, ...]
"""The key of a document in an order: a tuple of JSON values and nested tuples."""


def by_index(start_index: int, count: int) -> slice:
    """Return the slice of an ordered sequence for a page that starts at a one-based index."""
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
    """Return the slice of an ordered sequence for the page after one position, or directly before another position.

    Args:
        length: Number of documents in the sequence.
        position_at: Returns the position of the document at an index of the sequence.
        sort: The sort order of the sequence; None means the order of creation.
        after: The position directly before the page, or None.
        before: The position directly after the page, or None.
        count: The largest number of documents on the page.
    """
    descending = sort is not None and sort.descending
    if after is not None:
        start = bisect_left(range(length), True, key=lambda place: _follows(position_at(place), after, descending))
        return slice(start, start + count)
    end = length
    if before is not None:
        end = bisect_left(range(length), True, key=lambda place: not _follows(before, position_at(place), descending))
    return slice(max(end - count, 0), end)


def _follows(one: Position, other: Position, descending: bool) -> bool:
    """Report whether one position comes after another.

    With equal keys, the document that was created later comes later.
    """
    *one_key, one_number = one
    *other_key, other_number = other
    if one_key == other_key:
        return bool(one_number > other_number)
    return bool(one_key < other_key if descending else one_key > other_key)
