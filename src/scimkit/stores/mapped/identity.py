"""`id` and `meta.version` as columns have them. This module never talks to a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scimkit.errors import InvalidFilter
from scimkit.filters.ast import Present
from scimkit.schema.attributes import Attribute, folded
from scimkit.stores.mapped.conditions import Conditions, Folded, Test
from scimkit.stores.mapped.fields import Field, Fields, converted
from scimkit.stores.metadata import version_tag

_ID = Attribute("id", case_exact=True, path="id")


@dataclass(frozen=True, slots=True)
class Identity:
    """The id of a row: what its column has, after a prefix."""

    field: Field
    prefix: str = ""

    def bound(self, fields: Fields) -> Identity:
        return self

    def of(self, value: Any) -> str:
        """The id of the row whose column has a value."""
        return f"{self.prefix}{value}"

    def value(self, id: str) -> Any:
        """What the column of the row of an id has; None when no row can have that id."""
        return converted(_ID, self.field, id[len(self.prefix) :]) if id.startswith(self.prefix) else None

    def read(self, instance: Any, attribute: Attribute) -> str:
        return self.of(getattr(instance, self.field.name))

    def write(self, instance: Any, attribute: Attribute, value: Any) -> bool:
        return False

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        node = test.node
        if isinstance(node, Present) or node.value is None:
            return test.matches("x")
        if node.operator not in ("eq", "ne"):
            raise InvalidFilter(f"The operator {node.operator} does not apply to {test.attribute.path} here.")
        exact = test.attribute.case_exact
        value = self.value(str(node.value) if exact or self.field.type is str else folded(node.value))
        if value is None:
            return node.operator == "ne"
        return on.compare(self.field, node.operator, value, folds=not exact and self.field.type is str)


@dataclass(frozen=True, slots=True)
class Version:
    """The entity tag of a row that counts its states."""

    field: Field

    def bound(self, fields: Fields) -> Version:
        return self

    def read(self, instance: Any, attribute: Attribute) -> str:
        return version_tag(getattr(instance, self.field.name))

    def write(self, instance: Any, attribute: Attribute, value: Any) -> bool:
        return False

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        node = test.node
        if isinstance(node, Present) or node.value is None:
            return test.matches("x")
        if node.operator not in ("eq", "ne"):
            raise InvalidFilter(f"The operator {node.operator} does not apply to meta.version.")
        digits = str(node.value)[3:-1]
        known = digits.isascii() and digits.isdigit() and len(digits) < 19 and version_tag(int(digits)) == node.value
        return on.compare(self.field, node.operator, int(digits), folds=False) if known else node.operator == "ne"
