"""`Reference`, an entry for an attribute whose value is the id of another resource.

This module never talks to a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from scimkit.errors import InvalidValue
from scimkit.filters.ast import Present
from scimkit.schema.attributes import Attribute
from scimkit.stores.mapped.attribute_mappings import ReadOnly
from scimkit.stores.mapped.conditions import Conditions, Folded, Test, either, neither, some
from scimkit.stores.mapped.fields import Fields
from scimkit.stores.mapped.layout import Layout


@dataclass(frozen=True, slots=True)
class Relation:
    """A relationship of a model to one row of another model."""

    name: str
    """The name of the attribute of an instance."""
    model: Any
    """The other model."""
    find: Callable[[Any, Layout, Any, Any], Any]
    """Returns the other instance, or None.

    The arguments are an instance, the layout of the other model, the tenant, and the value of the id column.
    """
    source: Any = None
    """The object of the backend that represents the relationship."""


@dataclass(slots=True)
class Reference:
    """An entry for the id of a related resource: `"...:User:manager.value": Reference(Agent.manager)`.

    The related model needs a `ResourceMapping`, too. An id without a row is refused with 400 invalidValue.
    """

    relation: Any
    owner: Layout | None = None
    target: Layout | None = None

    def bound(self, fields: Fields) -> Reference:
        """Return a copy of the entry with its relation, as `AttributeMapping.bound` does."""
        return Reference(fields.relation(self.relation))

    def read(self, instance: Any, attribute: Attribute) -> str | None:
        """Return the id of the related resource, or None."""
        other = getattr(instance, self.relation.name)
        return None if other is None else self._target.id.read(other, attribute)

    def write(self, instance: Any, attribute: Attribute, value: Any) -> bool:
        """Set the relationship to the row with an id, or to None.

        Raises:
            InvalidValue: No row has the id.
        """
        if self.read(instance, attribute) == value:
            return False
        other = None if value is None else self._find(instance, value)
        if value is not None and other is None:
            raise InvalidValue(f"{attribute.path} must be the id of an existing {self._target.resource_type.name}.")
        setattr(instance, self.relation.name, other)
        return True

    def _find(self, instance: Any, id: str) -> Any:
        """Return the related instance with an id, or None."""
        assert self.owner is not None
        tenant = None if self.owner.tenant is None else getattr(instance, self.owner.tenant.name)
        key = self._target.id.value(id)
        return None if key is None else self.relation.find(instance, self._target, tenant, key)

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition on the id of the related row."""
        there = some(self, on, lambda inner: True)
        if isinstance(test.node, Present) or test.node.value is None:
            return there if test.matches("x") else neither(there, on)
        met = some(self, on, lambda inner: self._target.id.condition(test, inner))
        return either([met, neither(there, on)], on) if test.matches(None) else met

    @property
    def _target(self) -> Layout:
        """The layout of the related model."""
        assert self.target is not None
        return self.target


def references_of(layout: Layout) -> Iterator[Reference]:
    """Yield the references among the entries of a layout."""
    for leaf in layout.every_leaf():
        entry = leaf.entry.entry if isinstance(leaf.entry, ReadOnly) else leaf.entry
        if isinstance(entry, Reference):
            yield entry
