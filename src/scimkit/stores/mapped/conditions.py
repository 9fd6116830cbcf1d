"""Filters as conditions on rows, with the same meaning as `filters.predicate`.

The backend defines the type of a condition. A condition is true or false, and never NULL. A result that needs no row is
a `bool`, so that filters on constants are answered without the database. A filter by an attribute without an entry
raises `InvalidFilter`. This module never talks to a database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar

from scimkit.errors import InvalidFilter
from scimkit.filters.ast import Comparison, Present
from scimkit.filters.comparisons import comparison_value, is_present, value_test
from scimkit.schema.attributes import Attribute, folded
from scimkit.stores.mapped.fields import Field, converted, finer

C = TypeVar("C")

Folded: TypeAlias = Any
"""A condition of the backend, or a bool if the result is the same for all rows."""


class Conditions(Protocol[C]):
    """Builds conditions on the rows of one model."""

    def all(self, conditions: Sequence[C]) -> C:
        """Join conditions by `and`."""
        ...

    def any(self, conditions: Sequence[C]) -> C:
        """Join conditions by `or`."""
        ...

    def no(self, condition: C) -> C:
        """Negate a condition."""
        ...

    def absent(self, field: Field) -> C:
        """Build the condition that a field has no value.

        Without a value, the column is NULL. A blank field contains the empty text, and JSON has nothing at the keys.
        """
        ...

    def one_of(self, field: Field, values: Sequence[Any]) -> C:
        """Build the condition that a field has one of some values."""
        ...

    def compare(self, field: Field, operator: str, value: Any, *, folds: bool) -> C:
        """Build the condition for a comparison (every operator except `pr`).

        Args:
            field: The field to compare.
            operator: The operator of the filter, such as `eq`.
            value: The value to compare with.
            folds: True to ignore case. Otherwise texts are compared character by character.
        """
        ...

    def within(self, link: Any) -> Inner[C]:
        """Return the conditions on the rows at the other end of a link."""
        ...


class Inner(Conditions[C], Protocol[C]):
    """Builds conditions on the rows at the other end of a link."""

    def exists(self, condition: C | None) -> C:
        """Build the condition that a linked row exists that meets a condition. None accepts every linked row."""
        ...


@dataclass(frozen=True, slots=True)
class Test:
    """A test of one attribute: a comparison or the operator `pr`."""

    attribute: Attribute
    node: Comparison | Present
    matches: Callable[[Any], bool]
    """Reports whether a value meets the test. The value has the form of a document; None means unassigned."""

    @classmethod
    def of(cls, attribute: Attribute, node: Comparison | Present) -> Test:
        """Return the test that a filter makes.

        Raises:
            InvalidFilter: The filter does not fit the attribute.
        """
        if isinstance(node, Present):
            return cls(attribute, node, is_present)
        return cls(attribute, node, value_test(attribute, node))

    def on_field(self, field: Field, key: Field | None, on: Conditions[Any]) -> Folded:
        """Build the condition that the value of a field meets the test. NULL counts as unassigned."""
        if isinstance(self.node, Present):
            by_value = field.type is str and not field.blank
            return on.compare(field, "ne", "", folds=False) if by_value else on.no(on.absent(field))
        if self.node.value is None:
            absent = on.absent(field)
            return absent if self.matches(None) else on.no(absent)
        met = _compared(self.attribute, self.node, field, key, on)
        if not self.matches(None):
            return met
        absent = on.absent(field)
        return on.any([absent, met]) if not isinstance(met, bool) else met or absent


def both(conditions: Sequence[Folded], on: Conditions[Any]) -> Folded:
    """Join conditions by `and`, and simplify the result if some are bools."""
    if any(each is False for each in conditions):
        return False
    kept = [each for each in conditions if each is not True]
    return (kept[0] if len(kept) == 1 else on.all(kept)) if kept else True


def either(conditions: Sequence[Folded], on: Conditions[Any]) -> Folded:
    """Join conditions by `or`, and simplify the result if some are bools."""
    if any(each is True for each in conditions):
        return True
    kept = [each for each in conditions if each is not False]
    return (kept[0] if len(kept) == 1 else on.any(kept)) if kept else False


def neither(condition: Folded, on: Conditions[Any]) -> Folded:
    """Negate a condition or a bool."""
    return not condition if isinstance(condition, bool) else on.no(condition)


def some(link: Any, on: Conditions[Any], condition: Callable[[Conditions[Any]], Folded]) -> Folded:
    """Build the condition that a linked row exists that meets a condition."""
    inner = on.within(link)
    met = condition(inner)
    return False if met is False else inner.exists(None if met is True else met)


def _compared(attribute: Attribute, node: Comparison, field: Field, key: Field | None, on: Conditions[Any]) -> Folded:
    """Build the condition that a field has a value that meets a comparison.

    Raises:
        InvalidFilter: The operator does not apply to the type of the field.
    """
    value, operator = node.value, node.operator
    folds = attribute.type == "string" and not attribute.case_exact
    if field.type is datetime:
        return _compared_moment(attribute, node, field, on)
    if field.type is not str and not field.keys:
        comparison_value(attribute, node)
        found = converted(attribute, field, value)
        ordered = attribute.type in ("integer", "decimal") and found is not None
        if operator not in ("eq", "ne") and not ordered:
            raise InvalidFilter(f"This service does not support the operator {operator} for {attribute.path}.")
        if found is None:
            return operator == "ne" and on.no(on.absent(field))
        return on.compare(field, operator, found, folds=False)
    if attribute.type == "dateTime":
        raise InvalidFilter(f"This service cannot filter by {attribute.path}. Use another attribute.")
    if folds and key is not None:
        return on.compare(key, operator, folded(value), folds=False)
    return on.compare(field, operator, value, folds=folds)


def _compared_moment(attribute: Attribute, node: Comparison, field: Field, on: Conditions[Any]) -> Folded:
    """Build the condition for a comparison of a datetime column.

    Columns have microseconds. A value with more digits equals no column value.
    """
    if attribute.type != "dateTime" or node.operator in ("co", "sw", "ew"):
        raise InvalidFilter(f"This service does not support the operator {node.operator} for {attribute.path}.")
    text, operator = str(node.value), str(node.operator)
    moment = converted(attribute, field, text)
    if moment is None:
        raise InvalidFilter(f"The filter value for {attribute.path} must be a dateTime between the years 1 and 9999.")
    if finer(text):
        if operator in ("eq", "ne"):
            return operator == "ne" and on.no(on.absent(field))
        operator = {"ge": "gt", "gt": "gt", "lt": "le", "le": "le"}[operator]
    return on.compare(field, operator, moment, folds=False)
