"""`Reference`: an attribute whose value is the id of another resource, as a relationship of the model has it.

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
    """A relationship to one row of a model: the attribute of an instance that has it."""

    name: str
    model: Any
    find: Callable[[Any, Layout, Any, Any], Any]
    """Of an instance, a layout, a tenant and an id as its column has it: the other instance, or None."""
    source: Any = None
    """The back end's own."""


@dataclass(slots=True)
class Reference:
    """The id of the resource that a relationship leads to: `"...:User:manager.value": Reference(Agent.manager)`.

    The model of the other row must have a `ResourceMapping` too. An id that no such row has is refused (400
    invalidValue).
    """

    relation: Any
    owner: Layout | None = None
    target: Layout | None = None

    def bound(self, fields: Fields) -> Reference:
        return Reference(fields.relation(self.relation))

    def read(self, instance: Any, attribute: Attribute) -> str | None:
        other = getattr(instance, self.relation.name)
        return None if other is None else self._target.id.read(other, attribute)

    def write(self, instance: Any, attribute: Attribute, value: Any) -> bool:
        if self.read(instance, attribute) == value:
            return False
        other = None if value is None else self._find(instance, value)
        if value is not None and other is None:
            raise InvalidValue(f"{attribute.path} names no {self._target.resource_type.name} of this service.")
        setattr(instance, self.relation.name, other)
        return True

    def _find(self, instance: Any, id: str) -> Any:
        assert self.owner is not None
        tenant = None if self.owner.tenant is None else getattr(instance, self.owner.tenant.name)
        key = self._target.id.value(id)
        return None if key is None else self.relation.find(instance, self._target, tenant, key)

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        there = some(self, on, lambda inner: True)
        if isinstance(test.node, Present) or test.node.value is None:
            return there if test.matches("x") else neither(there, on)
        met = some(self, on, lambda inner: self._target.id.condition(test, inner))
        return either([met, neither(there, on)], on) if test.matches(None) else met

    @property
    def _target(self) -> Layout:
        assert self.target is not None
        return self.target


def references_of(layout: Layout) -> Iterator[Reference]:
    """The references among the entries of a layout."""
    for leaf in layout.every_leaf():
        entry = leaf.entry.entry if isinstance(leaf.entry, ReadOnly) else leaf.entry
        if isinstance(entry, Reference):
            yield entry
