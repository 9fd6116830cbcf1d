"""Pages by cursor over one or several resource types (RFC 9865).

Several resource types follow each other. If they are sorted, they are merged by sort key, then type, then creation.
This module does not call the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from scimkit.service.cursors import Cursor
from scimkit.service.unparsed_rendering import Rendered
from scimkit.stores.paging import Position
from scimkit.stores.protocol import Page

_BEFORE_ALL: Final = -1
"""A number before the number of every document in the order of creation."""
_AFTER_ALL: Final = 2**62
"""A number after the number of every document in the order of creation."""
_NO_VALUE: Final = (True, "")
"""The sort key of a document without a value to sort by, the same in every store."""


class _Entry(NamedTuple):
    """A resource of the page, with its position and the number of its resource type."""

    part: int
    position: Position
    resource: Rendered


class CursorPage:
    """A page by cursor while its resources are collected from the store.

    A part is one resource type of the search; its number is the position of the type in the search.
    """

    def __init__(self, cursor: Cursor | None, count: int, *, merged: bool, descending: bool) -> None:
        self.backward: bool = cursor is not None and cursor.backward
        self._cursor = cursor
        self._count = count
        self._merged = merged
        self._descending = descending
        self._gathered: list[_Entry] = []

    def asked_of(self, part: int, *, is_sorted: bool) -> dict[str, Any]:
        """Return the page arguments of the store query for one resource type.

        The query asks for one resource more than the page has room for. It asks for the total only if the page needs no
        resource of the type. Call this in the order of the types, or in reverse order for an unmerged backward page.
        """
        room = self._count + 1 - (0 if self._merged else len(self._gathered))
        if self._cursor is None:
            return {"count": room}
        edge = self._edge(self._cursor, part, is_sorted)
        return {"count": 0} if edge is None else {"count": room, "before" if self.backward else "after": edge}

    def _edge(self, cursor: Cursor, part: int, is_sorted: bool) -> Position | None:
        """Return the position at which to continue in a resource type, or None if no resource of the type is needed."""
        *key, number = cursor.position
        if part != cursor.part:
            number = _AFTER_ALL if part < cursor.part else _BEFORE_ALL
        if not self._merged:
            if part == cursor.part:
                return cursor.position
            return (number,) if (part < cursor.part) is self.backward else None
        if is_sorted:
            return (*key, number)
        if key[0] is True:
            return (number,)
        come_first = self._descending
        if come_first is not self.backward:
            return None
        return (_AFTER_ALL,) if self.backward else (_BEFORE_ALL,)

    def take(self, part: int, page: Page, resources: Sequence[Rendered], *, is_sorted: bool) -> None:
        """Add the result of the store query for one resource type."""
        before = () if is_sorted or not self._merged else _NO_VALUE
        found = [
            _Entry(part, (*before, *position), resource)
            for position, resource in zip(page.positions, resources, strict=True)
        ]
        against = self.backward and not self._merged
        self._gathered = [*found, *self._gathered] if against else [*self._gathered, *found]
        if self._merged:
            self._gathered.sort(key=lambda each: each.position[:-1], reverse=self._descending)

    @property
    def _more(self) -> bool:
        """Report whether more resources were found than the page can hold."""
        return len(self._gathered) > self._count

    @property
    def _kept(self) -> list[_Entry]:
        """Return the entries that belong to the page."""
        return self._gathered[-self._count :] if self.backward and self._count else self._gathered[: self._count]

    @property
    def resources(self) -> list[Rendered]:
        """Return the resources of the page."""
        return [each.resource for each in self._kept]

    @property
    def next(self) -> Cursor | None:
        """Return the cursor of the next page, or None on the last page."""
        if not self._kept or not (self.backward or self._more):
            return None
        last = self._kept[-1]
        return Cursor(last.part, last.position, self._count)

    @property
    def previous(self) -> Cursor | None:
        """Return the cursor of the previous page, or None on the first page."""
        is_first = self._cursor is None or (self.backward and not self._more)
        if is_first or not self._kept:
            return None
        first = self._kept[0]
        return Cursor(first.part, first.position, self._count, backward=True)
