"""Entries of `id` and `meta.version`. This module never talks to a database."""

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
    """The entry of the id: a prefix and the value of a column."""

    field: Field
    prefix: str = ""

    def bound(self, fields: Fields) -> Identity:
        """Return the entry itself."""
        return self

    def of(self, value: Any) -> str:
        """Return the id for a value of the column."""
        return f"{self.prefix}{value}"

    def value(self, id: str) -> Any:
        """Return the value of the column for an id, or None if no row can have the id."""
        return converted(_ID, self.field, id[len(self.prefix) :]) if id.startswith(self.prefix) else None

    def read(self, instance: Any, attribute: Attribute) -> str:
        """Return the id of an instance."""
        return self.of(getattr(instance, self.field.name))

    def write(self, instance: Any, attribute: Attribute, value: Any) -> bool:
        """Ignore the value and return False, because the store sets the id."""
        return False

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition on the id."""
        node = test.node
        if isinstance(node, Present) or node.value is None:
            return test.matches("x")
        if node.operator not in ("eq", "ne"):
            raise InvalidFilter(
                f"This service does not support the operator {node.operator} for {test.attribute.path}."
            )
        exact = test.attribute.case_exact
        value = self.value(str(node.value) if exact or self.field.type is str else folded(node.value))
        if value is None:
            return node.operator == "ne"
        return on.compare(self.field, node.operator, value, folds=not exact and self.field.type is str)


@dataclass(frozen=True, slots=True)
class Version:
    """The entry of the entity tag, for rows with a version column."""

    field: Field

    def bound(self, fields: Fields) -> Version:
        """Return the entry itself."""
        return self

    def read(self, instance: Any, attribute: Attribute) -> str:
        """Return the entity tag of an instance."""
        return version_tag(getattr(instance, self.field.name))

    def write(self, instance: Any, attribute: Attribute, value: Any) -> bool:
        """Ignore the value and return False, because the store sets the version."""
        return False

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition on the version."""
        node = test.node
        if isinstance(node, Present) or node.value is None:
            return test.matches("x")
        if node.operator not in ("eq", "ne"):
            raise InvalidFilter(f"This service does not support the operator {node.operator} for meta.version.")
        digits = str(node.value)[3:-1]
        known = digits.isascii() and digits.isdigit() and len(digits) < 19 and version_tag(int(digits)) == node.value
        return on.compare(self.field, node.operator, int(digits), folds=False) if known else node.operator == "ne"
