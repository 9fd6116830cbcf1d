"""Filters as conditions on rows, with the meaning that `filters.predicate` has.

A condition is a back end's own, and holds or does not: none of them is NULL. What is known without a row is a
`bool`, so that a filter on what is constant is answered here. An attribute that no entry maps is `InvalidFilter`.
This module never talks to a database.
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
"""A condition, or a bool where no row need be asked."""


class Conditions(Protocol[C]):
    """Makes conditions on the rows of one model."""

    def all(self, conditions: Sequence[C]) -> C:
        """Where each of some holds."""
        ...

    def any(self, conditions: Sequence[C]) -> C:
        """Where one of some holds."""
        ...

    def no(self, condition: C) -> C:
        """Where one does not hold."""
        ...

    def absent(self, field: Field) -> C:
        """Where a column has no value: NULL, the empty text when the field is blank, nothing at its keys."""
        ...

    def one_of(self, field: Field, values: Sequence[Any]) -> C:
        """Where a column has one of some values."""
        ...

    def compare(self, field: Field, operator: str, value: Any, *, folds: bool) -> C:
        """Where a column has a value that an operator of `filters.ast` holds of, but `pr`.

        Texts compare by their characters; with `folds`, without case.
        """
        ...

    def within(self, link: Any) -> Inner[C]:
        """Conditions on the rows at the other end of a link between two models."""
        ...


class Inner(Conditions[C], Protocol[C]):
    """Makes conditions on the rows at the other end of a link."""

    def exists(self, condition: C | None) -> C:
        """Where a row is linked to one that meets the condition, or to any."""
        ...


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison or `pr` as it applies to one attribute."""

    attribute: Attribute
    node: Comparison | Present
    matches: Callable[[Any], bool]
    """Whether a value of a document, or None for no value, meets it."""

    @classmethod
    def of(cls, attribute: Attribute, node: Comparison | Present) -> Test:
        """The test of a filter. Raises: InvalidFilter when it does not fit the attribute."""
        if isinstance(node, Present):
            return cls(attribute, node, is_present)
        return cls(attribute, node, value_test(attribute, node))

    def on_field(self, field: Field, key: Field | None, on: Conditions[Any]) -> Folded:
        """Where a column has a value that meets the test, or has none and that meets it."""
        absent = on.absent(field)
        if isinstance(self.node, Present):
            return on.no(absent) if field.type is not str or field.blank else on.compare(field, "ne", "", folds=False)
        if self.node.value is None:
            return absent if self.matches(None) else on.no(absent)
        met = _compared(self.attribute, self.node, field, key, on)
        if not self.matches(None):
            return met
        return on.any([absent, met]) if not isinstance(met, bool) else met or absent


def both(conditions: Sequence[Folded], on: Conditions[Any]) -> Folded:
    """Where each holds."""
    if any(each is False for each in conditions):
        return False
    kept = [each for each in conditions if each is not True]
    return (kept[0] if len(kept) == 1 else on.all(kept)) if kept else True


def either(conditions: Sequence[Folded], on: Conditions[Any]) -> Folded:
    """Where one holds."""
    if any(each is True for each in conditions):
        return True
    kept = [each for each in conditions if each is not False]
    return (kept[0] if len(kept) == 1 else on.any(kept)) if kept else False


def neither(condition: Folded, on: Conditions[Any]) -> Folded:
    """Where one does not hold."""
    return not condition if isinstance(condition, bool) else on.no(condition)


def some(link: Any, on: Conditions[Any], condition: Callable[[Conditions[Any]], Folded]) -> Folded:
    """Where a row is linked to one that meets a condition."""
    inner = on.within(link)
    met = condition(inner)
    return False if met is False else inner.exists(None if met is True else met)


def _compared(attribute: Attribute, node: Comparison, field: Field, key: Field | None, on: Conditions[Any]) -> Folded:
    """Where a column has a value that compares as a filter says. Raises: InvalidFilter."""
    value, operator = node.value, node.operator
    folds = attribute.type == "string" and not attribute.case_exact
    if field.type is datetime:
        return _compared_moment(attribute, node, field, on)
    if field.type is not str and not field.keys:
        comparison_value(attribute, node)
        found = converted(attribute, field, value)
        ordered = attribute.type in ("integer", "decimal") and found is not None
        if operator not in ("eq", "ne") and not ordered:
            raise InvalidFilter(f"The operator {operator} does not apply to {attribute.path} here.")
        if found is None:
            return operator == "ne" and on.no(on.absent(field))
        return on.compare(field, operator, found, folds=False)
    if attribute.type == "dateTime":
        raise InvalidFilter(f"{attribute.path} cannot be filtered.")
    if folds and key is not None:
        return on.compare(key, operator, folded(value), folds=False)
    return on.compare(field, operator, value, folds=folds)


def _compared_moment(attribute: Attribute, node: Comparison, field: Field, on: Conditions[Any]) -> Folded:
    """A datetime column compares by the microsecond; a constant between two of them is equal to none."""
    if attribute.type != "dateTime" or node.operator in ("co", "sw", "ew"):
        raise InvalidFilter(f"The operator {node.operator} does not apply to {attribute.path} here.")
    text, operator = str(node.value), str(node.operator)
    moment = converted(attribute, field, text)
    if moment is None:
        raise InvalidFilter(f"The value compared with {attribute.path} is no date that this service has.")
    if finer(text):
        if operator in ("eq", "ne"):
            return operator == "ne" and on.no(on.absent(field))
        operator = {"ge": "gt", "gt": "gt", "lt": "le", "le": "le"}[operator]
    return on.compare(field, operator, moment, folds=False)
