"""`SeparateValue` stores an attribute in a row of another model.

The other model has a OneToOneField to the model of the resource.

The row comes with the first value, and goes with the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import F

from scimkit.schema.attributes import Attribute
from scimkit.stores.mapped.conditions import Conditions, Folded, Test
from scimkit.stores.mapped.fields import Field, Fields, document_value, row_value
from scimkit.stores.mapped.layout import Layout

_PENDING = "_scim_beside"
"""The attribute of an instance that has the rows to save or to delete when the instance is saved."""


@dataclass(frozen=True, slots=True)
class SeparateValue:
    """A column of a row beside: `SeparateValue("scim_external_id", "value")`.

    `relation` is the name by which the model has the other row; `column` is a text column of the other model that
    must not be NULL.
    """

    relation: str
    column: str
    model: Any = None
    field: Field | None = None
    expression: Field | None = None

    def bound(self, fields: Fields) -> SeparateValue:
        """As `AttributeMapping.bound`."""
        model, field = fields.beside(self.relation, self.column)  # type: ignore[attr-defined]
        return SeparateValue(
            self.relation, self.column, model, field, fields.field(F(f"{self.relation}__{self.column}"))
        )

    def read(self, instance: Any, attribute: Attribute) -> Any:
        """As `AttributeMapping.read`."""
        row = self._row(instance)
        return None if row is None else document_value(attribute, getattr(row, self.column))

    def write(self, instance: Any, attribute: Attribute, value: Any) -> bool:
        """As `AttributeMapping.write`. The row is written by `save_beside`, since a new instance has no key yet."""
        if self.read(instance, attribute) == value:
            return False
        pending = instance.__dict__.setdefault(_PENDING, {})
        if value is None:
            pending[self.relation] = None
            return True
        assert self.field is not None
        row = self._row(instance) or self.model()
        setattr(row, self.column, row_value(attribute, self.field, value))
        pending[self.relation] = row
        return True

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """As `AttributeMapping.condition`."""
        assert self.expression is not None
        return test.on_field(self.expression, None, on)

    def save(self, instance: Any, using: str) -> None:
        """Save or delete the row that `write` left for an instance that is saved."""
        pending = instance.__dict__.get(_PENDING, {})
        if self.relation not in pending:
            return
        row = pending.pop(self.relation)
        if row is not None:
            setattr(row, instance._meta.get_field(self.relation).field.name, instance)
            row.save(using=using)
        else:
            self._rows(instance).using(using).delete()

    def _row(self, instance: Any) -> Any:
        pending = instance.__dict__.get(_PENDING, {})
        if self.relation in pending:
            return pending[self.relation]
        return None if instance._state.adding else getattr(instance, self.relation, None)

    def _rows(self, instance: Any) -> Any:
        owner = instance._meta.get_field(self.relation).field.name
        return self.model._default_manager.filter(**{owner: instance.pk})


def separate_values_of(layout: Layout) -> list[SeparateValue]:
    """Return the entries of a layout that live in rows beside."""
    return [each.entry for each in layout.leaves.values() if isinstance(each.entry, SeparateValue)]
