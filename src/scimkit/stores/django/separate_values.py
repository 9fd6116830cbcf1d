"""`SeparateValue`, an entry for an attribute that is stored in a row of another model.

The other model has a OneToOneField to the model of the resource. The row is created with the first value and deleted
with the last value.
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
"""The attribute of an instance with the rows to save or to delete when the instance is saved."""


@dataclass(frozen=True, slots=True)
class SeparateValue:
    """An entry for a column of a related row: `SeparateValue("scim_external_id", "value")`.

    Args:
        relation: The name of the reverse relation from the model to the related row.
        column: The name of a text column of the related model. The column must not be nullable.
        model: Set by the store.
        field: Set by the store.
        expression: Set by the store.
    """

    relation: str
    column: str
    model: Any = None
    field: Field | None = None
    expression: Field | None = None

    def bound(self, fields: Fields) -> SeparateValue:
        """Return a copy of the entry with its fields, as `AttributeMapping.bound` does."""
        model, field = fields.beside(self.relation, self.column)  # type: ignore[attr-defined]
        return SeparateValue(
            self.relation, self.column, model, field, fields.field(F(f"{self.relation}__{self.column}"))
        )

    def read(self, instance: Any, attribute: Attribute) -> Any:
        """Return the value of the related row, or None."""
        row = self._row(instance)
        return None if row is None else document_value(attribute, getattr(row, self.column))

    def write(self, instance: Any, attribute: Attribute, value: Any) -> bool:
        """Prepare the related row, and report whether the value changed.

        `save` writes the related row later, because a new instance has no primary key yet.
        """
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
        """Build the condition on the column of the related row."""
        assert self.expression is not None
        return test.on_field(self.expression, None, on)

    def save(self, instance: Any, using: str) -> None:
        """Save or delete the related row that `write` prepared."""
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
        """Return the related row of an instance, or None."""
        pending = instance.__dict__.get(_PENDING, {})
        if self.relation in pending:
            return pending[self.relation]
        return None if instance._state.adding else getattr(instance, self.relation, None)

    def _rows(self, instance: Any) -> Any:
        """Return the query for the related row of an instance."""
        owner = instance._meta.get_field(self.relation).field.name
        return self.model._default_manager.filter(**{owner: instance.pk})


def separate_values_of(layout: Layout) -> list[SeparateValue]:
    """Return the entries of a layout that are stored in related rows."""
    return [each.entry for each in layout.leaves.values() if isinstance(each.entry, SeparateValue)]
