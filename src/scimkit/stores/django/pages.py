"""The sort order and the limits of a page, as parts of a Django query. This module never runs a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import BinaryField, Case, F, OrderBy, Q, Value, When
from django.db.models.functions import Lower
from django.db.models.lookups import Exact, GreaterThan, IsNull, LessThan

from scimkit.stores.django.conditions import ModelConditions
from scimkit.stores.django.fields import plain, type_of
from scimkit.stores.django.functions import Utf8
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.positions import read_back, shown
from scimkit.stores.mapped.rows import Window
from scimkit.stores.paging import Position

_KEY = "scim_key_{}"


class Pages:
    """Adds the sort order and the limits of one page to a query.

    Rows are sorted by the field of the window, and then in the order of creation.
    """

    def __init__(self, on: ModelConditions, layout: Layout, window: Window) -> None:
        self._window = window
        self._backward = window.before is not None
        key = plain(layout.mapped.model._meta.pk)
        self._keys: list[tuple[Any, Any, bool]] = [(F("pk"), key, False)]
        if layout.order is not None:
            self._keys.insert(0, (on.place(layout.order), plain(layout.order.source), False))
        if window.order is not None:
            field, descending = window.order.field, window.order.descending
            sorted_by: Any = on.place(field)
            kind = plain(field.source) if field.name else field.source.output_field
            if field.type is str:
                sorted_by, kind = Utf8(Lower(sorted_by) if window.order.folds else sorted_by), BinaryField()
            missing = Case(When(on.absent(field), then=Value(1)), default=Value(0))
            self._keys = [(missing, missing.output_field, descending), (sorted_by, kind, descending), *self._keys]

    def of(self, query: Any) -> Sequence[Any]:
        """Return the rows of the page, with the values that their positions consist of."""
        query = query.annotate(**{_KEY.format(number): key for number, (key, *_) in enumerate(self._keys)})
        query = query.order_by(*(
            OrderBy(F(_KEY.format(number)), descending=descending is not self._backward)
            for number, (*_, descending) in enumerate(self._keys)
        ))  # fmt: skip
        edge = self._window.before if self._backward else self._window.after
        if edge is None:
            first = max(self._window.start_index, 1) - 1
            return list(query[first : first + self._window.count])
        rows = list(query.filter(self._beyond(edge))[: self._window.count])
        return rows[::-1] if self._backward else rows

    def position(self, row: Any) -> Position:
        """Return the position of a row."""
        return tuple(shown(getattr(row, _KEY.format(number))) for number in range(len(self._keys)))

    def _beyond(self, edge: Position) -> Q:
        """Build the condition for rows after a position, or before the position if the page is read backward."""
        beyond, same = Q(pk__in=[]), Q()
        for number, ((_, kind, descending), value) in enumerate(zip(self._keys, edge, strict=True)):
            column = F(_KEY.format(number))
            if value is None:
                same &= Q(IsNull(column, True))
                continue
            constant = Value(read_back(type_of(kind), value), output_field=kind)
            later = LessThan if descending is not self._backward else GreaterThan
            beyond |= same & Q(later(column, constant))
            same &= Q(Exact(column, constant))
        return beyond
