"""The sort order and the limits of a page, as parts of a SQLAlchemy query. This module never runs a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.positions import read_back, shown
from scimkit.stores.mapped.rows import Window
from scimkit.stores.paging import Position
from scimkit.stores.sqlalchemy.columns import Columns
from scimkit.stores.sqlalchemy.conditions import ModelConditions, utf8


class Pages:
    """Adds the sort order and the limits of one page to a query.

    Rows are sorted by the column of the window, and then in the order of creation.
    """

    def __init__(self, on: ModelConditions, layout: Layout, window: Window) -> None:
        self._window = window
        self._backward = window.before is not None
        key = Columns(on.entity).key
        created = [key] if layout.order is None else [layout.order, key]
        self._keys: list[tuple[Any, type, bool]] = [(on.place(each), each.type, False) for each in created]
        if window.order is not None:
            sorted_by, kind = _key(on, window.order.field, folds=window.order.folds)
            missing = sa.case((sorted_by.is_(None), 1), else_=0)
            descending = window.order.descending
            self._keys = [(missing, int, descending), (sorted_by, kind, descending), *self._keys]

    def ordered(self, query: Any) -> Any:
        """Return a query in the sort order, with the columns that the positions consist of as its last columns."""
        query = query.add_columns(*(column.label(f"key_{number}") for number, (column, *_) in enumerate(self._keys)))
        return query.order_by(*(
            column.desc() if descending is not self._backward else column.asc()
            for column, _, descending in self._keys
        ))  # fmt: skip

    def of(self, query: Any) -> Any:
        """Return the query for the rows of the page, with the columns that the positions consist of."""
        query = self.ordered(query).limit(self._window.count)
        edge = self._window.before if self._backward else self._window.after
        if edge is None:
            return query.offset(max(self._window.start_index, 1) - 1)
        return query.where(sa.or_(*self._beyond(edge)))

    def in_order(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Return the rows of the page in their order."""
        return rows[::-1] if self._backward else rows

    def position(self, row: Any) -> Position:
        """Return the position of a row."""
        return tuple(shown(value) for value in row[-len(self._keys) :])

    def _beyond(self, edge: Position) -> Iterator[Any]:
        """Yield conditions that together match the rows after a position, or before the position if read backward.

        The first condition compares the first sort key, the second condition compares the second key, and so on.
        """
        same: list[Any] = []
        for (column, kind, descending), given in zip(self._keys, edge, strict=True):
            if given is None:
                same.append(column.is_(None))
                continue
            value = read_back(kind, given)
            later = column < value if descending is not self._backward else column > value
            yield sa.and_(*same, later)
            same.append(column == value)


def _key(on: ModelConditions, field: Field, *, folds: bool) -> tuple[Any, type]:
    """Return the expression that rows are sorted by, and its type. The expression is NULL if there is no value."""
    place = on.place(field)
    if field.type is not str:
        return place, field.type
    if field.blank:
        place = sa.func.nullif(place, "")
    return utf8(sa.func.lower(place) if folds else place), bytes
