"""Entries of a `ResourceMapping`: how an attribute is read from a row, written to a row and filtered.

A plain column is the same as a `Column` entry. This module never talks to a database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from scimkit.errors import InvalidFilter, InvalidValue
from scimkit.schema.attributes import Attribute
from scimkit.stores.mapped.conditions import Conditions, Folded, Test
from scimkit.stores.mapped.fields import Field, Fields, document_value, row_value
from scimkit.stores.mapped.instances import Instance, assign, put, refused, value_of, with_value


class AttributeMapping(Protocol):
    """The entry of one attribute in a `ResourceMapping`."""

    def bound(self, fields: Fields) -> AttributeMapping:
        """Return a copy of the entry with the fields of its columns.

        Raises:
            ValueError: The model lacks a column of the entry.
        """
        ...

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        """Return the value of the attribute in the form of a document; None means unassigned."""
        ...

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        """Write the value of the attribute to an instance, and report whether the instance changed.

        Args:
            instance: The row.
            attribute: The attribute.
            value: The new value; None means unassigned.

        Raises:
            InvalidValue: The column cannot contain the value.
        """
        ...

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition that the attribute of a row meets a test.

        Raises:
            InvalidFilter: The store cannot filter by the attribute.
        """
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """An entry for a column that contains the value of the attribute.

    `key` names the column for comparisons that ignore case. That column contains the folded value
    (`scimkit.schema.attributes.folded`). If the collation of `column` ignores case, give the same column as `key`.
    Without `key`, the database function `lower` folds both sides of a comparison.
    """

    column: Any
    key: Any = None

    def bound(self, fields: Fields) -> Column:
        """Return a copy of the entry with its fields, as `AttributeMapping.bound` does."""
        field = fields.field(self.column)
        if not field.name:
            raise ValueError("an expression cannot be written; use Computed instead")
        key = None if self.key is None else fields.field(self.key)
        if key is not None and key.name == field.name:
            field, key = replace(field, collated=True), None
        return Column(field, key)

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        """Return the value of the column."""
        value = value_of(instance, self.column)
        return None if value == "" and self.column.blank else document_value(attribute, value)

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        """Write a value to the column."""
        field: Field = self.column
        if value is not None:
            return assign(instance, field, row_value(attribute, field, value), attribute)
        if field.nullable:
            return assign(instance, field, None, attribute)
        if field.blank and (field.default is None or value_of(instance, field) is not None):
            return assign(instance, field, "", attribute)
        if field.default is None:
            raise InvalidValue(f"{attribute.path} must have a value.")
        return assign(instance, field, field.default, attribute)

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition on the column."""
        return test.on_field(self.column, self.key, on)


def Json(column: Any, *keys: str) -> JsonValue:
    """Return the entry for a value inside a JSON column, such as `Json(Agent.profile, "department")`.

    Several keys name a value inside nested objects.
    """
    return JsonValue(column, keys)


@dataclass(frozen=True, slots=True)
class JsonValue:
    """The entry that `Json` returns.

    Filters work on a single text or boolean only. Other values are stored and returned unchanged.
    """

    column: Any
    keys: tuple[str, ...]

    def bound(self, fields: Fields) -> JsonValue:
        """Return a copy of the entry with its field, as `AttributeMapping.bound` does."""
        if not self.keys:
            raise ValueError("a Json entry needs the key of the value, as in Json(column, key)")
        return JsonValue(replace(fields.field(self.column), keys=self.keys), self.keys)

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        """Return the value at the keys."""
        return document_value(attribute, value_of(instance, self.column))

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        """Write a value at the keys."""
        if value_of(instance, self.column) == value:
            return False
        whole = getattr(instance, self.column.name)
        put(instance, self.column.name, with_value(whole, self.keys, value), attribute)
        return True

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition on the value at the keys."""
        if test.attribute.multi_valued or test.attribute.type not in ("string", "boolean", "reference"):
            raise InvalidFilter(f"This service cannot filter by {test.attribute.path}. Use another attribute.")
        return test.on_field(self.column, None, on)


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """An entry for a column or another entry that is read and filtered, and never written.

    The store ignores the value of a client.
    """

    entry: Any

    def bound(self, fields: Fields) -> ReadOnly:
        """Return a copy of the entry with its fields, as `AttributeMapping.bound` does."""
        return ReadOnly(mapping_of(self.entry).bound(fields))

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        """Return the value of the inner entry."""
        return self.entry.read(instance, attribute)

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        """Ignore the value and return False."""
        return False

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition of the inner entry."""
        folded: Folded = self.entry.condition(test, on)
        return folded


@dataclass(frozen=True, slots=True)
class IsNull:
    """An entry for a boolean that is true if a column is NULL: `"active": IsNull(Agent.disabled_at, otherwise=now)`.

    `otherwise` returns the value that the column receives when the attribute becomes false.
    """

    column: Any
    otherwise: Callable[[], Any]

    def bound(self, fields: Fields) -> IsNull:
        """Return a copy of the entry with its field, as `AttributeMapping.bound` does."""
        field = fields.field(self.column)
        if not field.nullable:
            raise ValueError(f"the column {field.name} must be nullable")
        return IsNull(field, self.otherwise)

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        """Report whether the column is NULL."""
        return value_of(instance, self.column) is None

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        """Set the column to NULL for true, or to the result of `otherwise` for false."""
        truth = value is not False
        if truth is self.read(instance, attribute):
            return False
        put(instance, self.column.name, None if truth else self.otherwise(), attribute)
        return True

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition on the column."""
        when_null, otherwise = test.matches(True), test.matches(False)
        if when_null is otherwise:
            return when_null
        absent = on.absent(self.column)
        return absent if when_null else on.no(absent)


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry that translates the values of a column: `"active": Choice(Agent.status, {"on": True, "off": False})`.

    If several column values have the same meaning, the store writes the first of them. A column value without a meaning
    is unassigned.
    """

    column: Any
    meanings: Mapping[Any, Any]

    def bound(self, fields: Fields) -> Choice:
        """Return a copy of the entry with its field, as `AttributeMapping.bound` does."""
        return Choice(fields.field(self.column), self.meanings)

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        """Return the meaning of the column value."""
        return self.meanings.get(value_of(instance, self.column))

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        """Write the first column value with a meaning."""
        if self.read(instance, attribute) == value:
            return False
        if value is None:
            return Column(self.column).write(instance, attribute, None)
        key = attribute.key
        found = [each for each, meaning in self.meanings.items() if key(meaning) == key(value)]
        if not found:
            raise InvalidValue(f"{attribute.path} must be one of the values that this service supports.")
        return assign(instance, self.column, found[0], attribute)

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition on the column."""
        meant = {row: test.matches(meaning) for row, meaning in self.meanings.items()}
        none = test.matches(None)
        if all(truth is none for truth in meant.values()):
            return none
        rows = [row for row, truth in meant.items() if truth is not none]
        differing = [on.absent(self.column)] if None in rows else []
        rows = [row for row in rows if row is not None]
        if rows:
            differing.append(on.one_of(self.column, rows))
        return on.no(on.any(differing)) if none else on.any(differing)


@dataclass(frozen=True, slots=True)
class Constant:
    """An entry for a value that is the same in every row: `'emails[type eq "work"].primary': Constant(True)`."""

    value: Any

    def bound(self, fields: Fields) -> Constant:
        """Return the entry itself."""
        return self

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        """Return the constant."""
        return self.value

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        """Ignore the value and return False."""
        return False

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Report whether the constant meets the test."""
        return test.matches(self.value)


@dataclass(frozen=True, slots=True)
class Computed:
    """An entry for a value that functions of the application read and write.

    Args:
        read: Receives an instance of the model, and returns the value in the form of a document, or None.
        write: Receives the instance and the new value, or None. Without this function, the attribute is never written.
        expression: The same value as an SQL expression of the backend. Without an expression, the store cannot filter
            or sort by the attribute.
    """

    read_with: Callable[[Instance], Any]
    write_with: Callable[[Instance, Any], object] | None
    expression: Any

    def __init__(
        self,
        read: Callable[[Instance], Any],
        write: Callable[[Instance, Any], object] | None = None,
        expression: Any = None,
    ) -> None:
        object.__setattr__(self, "read_with", read)
        object.__setattr__(self, "write_with", write)
        object.__setattr__(self, "expression", expression)

    def bound(self, fields: Fields) -> Computed:
        """Return a copy of the entry with the field of its expression, as `AttributeMapping.bound` does."""
        if self.expression is None:
            return self
        return Computed(self.read_with, self.write_with, fields.field(self.expression))

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        """Return the result of `read`."""
        return document_value(attribute, self.read_with(instance))

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        """Call `write` if the value differs from the present value."""
        if self.write_with is None or self.read(instance, attribute) == value:
            return False
        try:
            self.write_with(instance, value)
        except ValueError:
            raise refused(attribute) from None
        return True

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Build the condition on the expression."""
        if self.expression is None:
            raise InvalidFilter(f"This service cannot filter by {test.attribute.path}. Use another attribute.")
        return test.on_field(self.expression, None, on)


def mapping_of(given: Any) -> Any:
    """Return an entry; a plain column becomes a `Column`."""
    return given if hasattr(given, "bound") and hasattr(given, "condition") else Column(given)


def field_of(entry: Any) -> Field | None:
    """Return the field that an entry is compared by, or None if the entry has no such field."""
    if isinstance(entry, ReadOnly):
        return field_of(entry.entry)
    if isinstance(entry, Column):
        found: Field = entry.column if entry.key is None else entry.key
        return found
    return getattr(entry, "expression", None)


def unique_entry(entry: Any) -> Any:
    """Return a copy of an entry whose column is marked as the column of a unique attribute."""
    if isinstance(entry, ReadOnly):
        return ReadOnly(unique_entry(entry.entry))
    if not isinstance(entry, Column):
        return entry
    key = None if entry.key is None else replace(entry.key, unique=True)
    return Column(replace(entry.column, unique=True), key)


def shown_by(entry: Any) -> Field | None:
    """Return the field that contains the value of an entry unchanged, or None if there is no such field."""
    if isinstance(entry, ReadOnly):
        return shown_by(entry.entry)
    field: Field | None = entry.column if isinstance(entry, Column) else None
    return field
