"""A page by cursor, gathered from one resource type or several (RFC 9865).

Several types come one after the other or, when they are sorted, merged: by the key, the type, the creation.
This module never asks a store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from scimkit.service.cursors import Cursor
from scimkit.stores.paging import Position
from scimkit.stores.protocol import Page

_BEFORE_ALL: Final = -1
_AFTER_ALL: Final = 2**62
"""Numbers in the order of creation that no document has."""
_NO_VALUE: Final = (True, "")
"""The key of a document without a value to sort by, in every store."""


class _Entry(NamedTuple):
    part: int
    position: Position
    resource: Mapping[str, Any]


class CursorPage:
    """A page while it is gathered. A part is a resource type of the search, by its number there."""

    def __init__(self, cursor: Cursor | None, count: int, *, merged: bool, descending: bool) -> None:
        self.backward: bool = cursor is not None and cursor.backward
        self._cursor = cursor
        self._count = count
        self._merged = merged
        self._descending = descending
        self._gathered: list[_Entry] = []

    def asked_of(self, part: int, *, is_sorted: bool) -> dict[str, Any]:
        """What to ask of a type: one resource more than the page still has room for, or only the total.

        The types must be asked in their order; against it when a page that is not merged goes backward.
        """
        room = self._count + 1 - (0 if self._merged else len(self._gathered))
        if self._cursor is None:
            return {"count": room}
        edge = self._edge(self._cursor, part, is_sorted)
        return {"count": 0} if edge is None else {"count": room, "before" if self.backward else "after": edge}

    def _edge(self, cursor: Cursor, part: int, is_sorted: bool) -> Position | None:
        """The position from which a type goes on; None when nothing of it lies that way."""
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

    def take(self, part: int, page: Page, resources: Sequence[Mapping[str, Any]], *, is_sorted: bool) -> None:
        """Take what a type gave."""
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
        return len(self._gathered) > self._count

    @property
    def _kept(self) -> list[_Entry]:
        return self._gathered[-self._count :] if self.backward and self._count else self._gathered[: self._count]

    @property
    def resources(self) -> list[Mapping[str, Any]]:
        return [each.resource for each in self._kept]

    @property
    def next(self) -> Cursor | None:
        """Where the next page starts; None on the last."""
        if not self._kept or not (self.backward or self._more):
            return None
        last = self._kept[-1]
        return Cursor(last.part, last.position, self._count)

    @property
    def previous(self) -> Cursor | None:
        """Where the page before ends; None on the first."""
        is_first = self._cursor is None or (self.backward and not self._more)
        if is_first or not self._kept:
            return None
        first = self._kept[0]
        return Cursor(first.part, first.position, self._count, backward=True)
