"""Conditions on records. An equality stays a value until its statement is found. This module never runs a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scimkit.stores.mapped.fields import Field
from scimkit.stores.sqlalchemy.conditions import Condition, ModelConditions


@dataclass(frozen=True, slots=True)
class Equality:
    """The condition that a column has a value. Equalities of the same form share one statement."""

    field: Field
    value: Any
    folds: bool

    @property
    def form(self) -> tuple[Any, ...]:
        """The properties that the statement depends on."""
        return (self.field.name, self.field.collated, self.field.unique, self.folds)


class RecordConditions(ModelConditions):
    """Conditions on the rows of a model, for records."""

    def all(self, conditions: Sequence[Any]) -> Condition:
        """Join conditions by `and`."""
        return super().all([built(each, self) for each in conditions])

    def any(self, conditions: Sequence[Any]) -> Condition:
        """Join conditions by `or`."""
        return super().any([built(each, self) for each in conditions])

    def no(self, condition: Any) -> Condition:
        """Negate a condition."""
        return super().no(built(condition, self))

    def compare(self, field: Field, operator: str, value: Any, *, folds: bool) -> Any:
        """Build the condition for a comparison, or return an `Equality`."""
        is_plain = field.name and not field.keys and (type(value) is not str or (value and "\0" not in value))
        if operator == "eq" and is_plain:
            return Equality(field, value, folds)
        return super().compare(field, operator, value, folds=folds)

    def parameterized(self, equality: Equality, name: str) -> Condition:
        """Return the SQL expression of an equality, with a named parameter in place of the value."""
        kind: Any = sa.String() if type(equality.value) is str else self.place(equality.field).type
        return self.equal(equality.field, sa.bindparam(name, type_=kind), folds=equality.folds)


def built(condition: Any, on: ModelConditions) -> Any:
    """Return the SQL expression of a condition. A condition that is no `Equality` stays as it is."""
    if not isinstance(condition, Equality):
        return condition
    return ModelConditions.compare(on, condition.field, "eq", condition.value, folds=condition.folds)
