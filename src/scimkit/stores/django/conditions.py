"""Filters as conditions on Django models, in the form of `Q` objects.

Values are always passed as parameters. Texts are compared by their bytes, so that the result does not depend on
collations. An equality also compares the column itself, so that the database can use an index. This module never runs a
query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from django.db.models import (
    Case,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Lower
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, In, IsNull, LessThan, LessThanOrEqual

from scimkit.errors import InvalidFilter
from scimkit.stores.database_errors import MOST_JOINS
from scimkit.stores.django.fields import Pairs, plain
from scimkit.stores.django.functions import JsonText, Length, Part, Place, SameForUnique, Utf8
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.memberships import End
from scimkit.stores.mapped.references import Reference

Own: TypeAlias = Callable[[Layout, "ModelConditions"], Q]
"""Returns the condition that every served row of a layout meets."""

_LOOKUPS: Final = {"eq": "exact", "ne": "exact", "gt": "gt", "ge": "gte", "lt": "lt", "le": "lte"}


class ModelConditions:
    """Conditions on the rows of a model.

    Args:
        own: Returns the condition that linked rows must meet, such as the tenant.
        by_bytes: Compare texts by their bytes only. This comparison uses no index, but accepts characters that the
            charset of a column lacks.
    """

    prefix = ""
    """Text before the names of fields in lookups."""

    def __init__(self, own: Own, *, by_bytes: bool = False) -> None:
        self._own = own
        self._by_bytes = by_bytes

    def all(self, conditions: Sequence[Q]) -> Q:
        """Join conditions by `and`. See `scimkit.stores.database_errors.MOST_JOINS`."""
        met = [*conditions[:MOST_JOINS], *map(_unjoined, conditions[MOST_JOINS:])]
        return met[0] if len(met) == 1 else Q(*met)

    def any(self, conditions: Sequence[Q]) -> Q:
        """Join conditions by `or`."""
        return conditions[0] if len(conditions) == 1 else Q(*conditions, _connector=Q.OR)

    def no(self, condition: Q) -> Q:
        """Negate a condition."""
        return ~condition

    def absent(self, field: Field) -> Q:
        """Build the condition that a field has no value."""
        place = self.place(field)
        return Q(Exact(Utf8(place), Value(b""))) if field.blank else Q(IsNull(place, True))

    def one_of(self, field: Field, values: Sequence[Any]) -> Q:
        """Build the condition that a field has one of some values."""
        return self.any([self.compare(field, "eq", each, folds=False) for each in values])

    def compare(self, field: Field, operator: str, value: Any, *, folds: bool) -> Q:
        """Build the condition for a comparison."""
        there, place = ~self.absent(field), self.place(field)
        if field.keys and type(value) is bool:
            value = "true" if value else "false"
        if type(value) is not str:
            kind = plain(field.source)
            column = ExpressionWrapper(place, output_field=kind) if field.name else place
            met = Q((kind.get_lookup(_LOOKUPS[operator]))(column, value))
            return there & (~met if operator == "ne" else met)
        constant: Any = Value(value, output_field=TextField())
        column, given = (Lower(place), Lower(constant)) if folds else (place, constant)
        key: Any = Utf8(column)
        wanted: Any = Utf8(given)
        if "\0" in value:  # some databases allow no NUL character in a text
            wanted = Value((value.lower() if folds else value).encode())
        if operator in _TEXT:
            return there & _TEXT[operator](key, wanted) if value else there
        if operator not in ("eq", "ne") or self._by_bytes or "\0" in value:
            return there & _BYTES[operator](key, wanted)
        if field.collated:
            same = Q(Exact(place, constant))
        else:
            same = Q(SameForUnique(key, wanted) if field.unique else Exact(key, wanted))
        if operator == "ne":
            return there & ~same
        if field.collated:
            return there & same
        is_found = Exact(place, constant) if field.unique and field.collation.ignores_case else Exact(column, given)
        return there & Q(is_found) & same

    def named(self, field: Field, values: Sequence[Any]) -> Q:
        """Build the condition that a column has one of some values, none of which is NULL."""
        if self._by_bytes and field.type is str:
            key: Any = Utf8(self.place(field))
            return Q(In(key, [str(each).encode() for each in values]))
        return Q(**{f"{self.prefix}{field.name}__in": values})

    def within(self, link: Any) -> LinkedConditions:
        """Return conditions on the rows that a link leads to."""
        return LinkedConditions(link, self._own, by_bytes=self._by_bytes)

    def place(self, field: Field) -> Any:
        """Return the column or the expression of a field. A value inside JSON is returned as a text."""
        if not field.name:
            return field.source
        column = F(f"{self.prefix}{field.name}")
        return JsonText(column, field.keys) if field.keys else column


class LinkedConditions(ModelConditions):
    """Conditions on the linked rows of a membership, or on the row that a reference names."""

    def __init__(self, link: End | Reference, own: Own, *, by_bytes: bool = False) -> None:
        super().__init__(own, by_bytes=by_bytes)
        if isinstance(link, End):
            near, far = sides(link)
            self.prefix: str = f"{far.name}__"
            self._layout, self._rows = link.other, between(link).filter(**{near.attname: OuterRef("pk")})
        else:
            assert link.target is not None
            key = link.relation.source
            self._layout, rows = link.target, link.target.mapped.model._default_manager
            self._rows = rows.filter(**{key.target_field.attname: OuterRef(key.attname)})

    def exists(self, condition: Q | None) -> Q:
        """Build the condition that a linked row exists that meets a condition."""
        rows = self._rows.filter(self._own(self._layout, self))
        return Q(Exists(rows if condition is None else rows.filter(condition)))

    def place(self, field: Field) -> Any:
        """Return the column of a field of the linked row.

        Raises:
            InvalidFilter: The field is an expression.
        """
        if not field.name:
            raise InvalidFilter(
                "The filter uses a computed attribute of another resource. Filter by another attribute."
            )
        return super().place(field)


def between(end: End) -> Any:
    """Return the rows of a link."""
    return end.link.source.model._base_manager.all()


def sides(end: End) -> tuple[Any, Any]:
    """Return the foreign keys of a link's rows to the near row and to the far row."""
    pairs: Pairs = end.link.source
    return (pairs.group, pairs.member) if end.from_group else (pairs.member, pairs.group)


_BYTES: Final[dict[str, Callable[[Any, Any], Q]]] = {
    "eq": lambda key, wanted: Q(Exact(key, wanted)),
    "ne": lambda key, wanted: ~Q(Exact(key, wanted)),
    "gt": lambda key, wanted: Q(GreaterThan(key, wanted)),
    "ge": lambda key, wanted: Q(GreaterThanOrEqual(key, wanted)),
    "lt": lambda key, wanted: Q(LessThan(key, wanted)),
    "le": lambda key, wanted: Q(LessThanOrEqual(key, wanted)),
}


def _starts(key: Any, wanted: Any) -> Q:
    """Build the condition of the operator `sw` on bytes."""
    return Q(Exact(Part(key, Value(1), Length(wanted)), wanted))


def _ends(key: Any, wanted: Any) -> Q:
    """Build the condition of the operator `ew` on bytes."""
    more = Length(key) - Length(wanted)
    return Q(GreaterThanOrEqual(more, 0)) & Q(Exact(Part(key, more + 1), wanted))


_TEXT: Final[dict[str, Callable[[Any, Any], Q]]] = {
    "co": lambda key, wanted: Q(GreaterThan(Place(key, wanted), 0)), "sw": _starts, "ew": _ends,
}  # fmt: skip


def _unjoined(condition: Q) -> Q:
    """Return a condition in a form that no database turns into a join."""
    truth = Case(When(condition, then=Value(1)), default=Value(0), output_field=IntegerField())
    return Q(Exact(truth, Value(1)))
