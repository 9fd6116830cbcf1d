"""Entries: what a host says of where one attribute lives, and what follows for reads, writes and filters.

A column, given as it is, is a `Column`. This module never talks to a database.
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
    """Where an attribute lives."""

    def bound(self, fields: Fields) -> AttributeMapping:
        """The same, its columns found in the model. Raises: ValueError when one is not there."""
        ...

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        """The value of the attribute as a document has it; None for no value."""
        ...

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        """Give the attribute a value, or None for no value; whether that changed anything. Raises: InvalidValue."""
        ...

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        """Where the attribute of a row meets a test. Raises: InvalidFilter."""
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """A column that has the value as it is.

    `key` is compared in its place where case does not count: a column in which the host keeps the value folded
    (`scimkit.schema.attributes.folded`), or this very column when its collation folds case. Without it both sides
    are folded by the database's `lower`.
    """

    column: Any
    key: Any = None

    def bound(self, fields: Fields) -> Column:
        field = fields.field(self.column)
        if not field.name:
            raise ValueError("what is no column of the model cannot be written: take Computed")
        key = None if self.key is None else fields.field(self.key)
        if key is not None and key.name == field.name:
            field, key = replace(field, collated=True), None
        return Column(field, key)

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        value = value_of(instance, self.column)
        return None if value == "" and self.column.blank else document_value(attribute, value)

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
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
        return test.on_field(self.column, self.key, on)


def Json(column: Any, *keys: str) -> JsonValue:
    """A value within the JSON of a column: `Json(Agent.profile, "department")`, or deeper with more keys."""
    return JsonValue(column, keys)


@dataclass(frozen=True, slots=True)
class JsonValue:
    """What `Json` gives. A value that is not a single text, number or truth is kept whole, and not filtered by."""

    column: Any
    keys: tuple[str, ...]

    def bound(self, fields: Fields) -> JsonValue:
        if not self.keys:
            raise ValueError("a Json entry needs the key of the value")
        return JsonValue(replace(fields.field(self.column), keys=self.keys), self.keys)

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        return document_value(attribute, value_of(instance, self.column))

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        if value_of(instance, self.column) == value:
            return False
        whole = getattr(instance, self.column.name)
        put(instance, self.column.name, with_value(whole, self.keys, value), attribute)
        return True

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        if test.attribute.multi_valued or test.attribute.type not in ("string", "boolean", "reference"):
            raise InvalidFilter(f"{test.attribute.path} cannot be filtered.")
        return test.on_field(self.column, None, on)


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A column or another entry that is read and filtered, and never written: what a client sends is passed over."""

    entry: Any

    def bound(self, fields: Fields) -> ReadOnly:
        return ReadOnly(mapping_of(self.entry).bound(fields))

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        return self.entry.read(instance, attribute)

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        return False

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        folded: Folded = self.entry.condition(test, on)
        return folded


@dataclass(frozen=True, slots=True)
class IsNull:
    """A boolean that is true while a column is NULL: `"active": IsNull(Agent.disabled_at, otherwise=now)`.

    `otherwise` makes what the column gets when the attribute becomes false.
    """

    column: Any
    otherwise: Callable[[], Any]

    def bound(self, fields: Fields) -> IsNull:
        field = fields.field(self.column)
        if not field.nullable:
            raise ValueError(f"the column {field.name} is never NULL")
        return IsNull(field, self.otherwise)

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        return value_of(instance, self.column) is None

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        truth = value is not False
        if truth is self.read(instance, attribute):
            return False
        put(instance, self.column.name, None if truth else self.otherwise(), attribute)
        return True

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        when_null, otherwise = test.matches(True), test.matches(False)
        if when_null is otherwise:
            return when_null
        absent = on.absent(self.column)
        return absent if when_null else on.no(absent)


@dataclass(frozen=True, slots=True)
class Choice:
    """What each value of a column means: `"active": Choice(Agent.status, {"on": True, "off": False, "new": False})`.

    Of several values that mean the same, the first is written. A value that is not named means none.
    """

    column: Any
    meanings: Mapping[Any, Any]

    def bound(self, fields: Fields) -> Choice:
        return Choice(fields.field(self.column), self.meanings)

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        return self.meanings.get(value_of(instance, self.column))

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        if self.read(instance, attribute) == value:
            return False
        if value is None:
            return Column(self.column).write(instance, attribute, None)
        key = attribute.key
        found = [each for each, meaning in self.meanings.items() if key(meaning) == key(value)]
        if not found:
            raise InvalidValue(f"{attribute.path} has a value that this service does not have.")
        return assign(instance, self.column, found[0], attribute)

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
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
    """The same value on every row: `'emails[type eq "work"].primary': Constant(True)`."""

    value: Any

    def bound(self, fields: Fields) -> Constant:
        return self

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        return self.value

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        return False

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        return test.matches(self.value)


@dataclass(frozen=True, slots=True)
class Computed:
    """A value that the host's own code makes, and takes when there is a `write`.

    `read` gets an instance of the model and returns the value as a document has it, or None; `write` gets the
    instance and the value, or None. `expression` says the same in the back end's terms, so that filters can use it;
    without it the attribute cannot be filtered or sorted by.
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
        if self.expression is None:
            return self
        return Computed(self.read_with, self.write_with, fields.field(self.expression))

    def read(self, instance: Instance, attribute: Attribute) -> Any:
        return document_value(attribute, self.read_with(instance))

    def write(self, instance: Instance, attribute: Attribute, value: Any) -> bool:
        if self.write_with is None or self.read(instance, attribute) == value:
            return False
        try:
            self.write_with(instance, value)
        except ValueError:
            raise refused(attribute) from None
        return True

    def condition(self, test: Test, on: Conditions[Any]) -> Folded:
        if self.expression is None:
            raise InvalidFilter(f"{test.attribute.path} cannot be filtered.")
        return test.on_field(self.expression, None, on)


def mapping_of(given: Any) -> Any:
    """The entry that a host gave; a column that is given as it is, is a `Column`."""
    return given if hasattr(given, "bound") and hasattr(given, "condition") else Column(given)


def field_of(entry: Any) -> Field | None:
    """The column that an entry is compared by, for an order; None when there is no such one."""
    if isinstance(entry, ReadOnly):
        return field_of(entry.entry)
    if isinstance(entry, Column):
        found: Field = entry.column if entry.key is None else entry.key
        return found
    return getattr(entry, "expression", None)


def unique_entry(entry: Any) -> Any:
    """Return an entry whose column is marked as that of an attribute that must be unique."""
    if isinstance(entry, ReadOnly):
        return ReadOnly(unique_entry(entry.entry))
    if not isinstance(entry, Column):
        return entry
    key = None if entry.key is None else replace(entry.key, unique=True)
    return Column(replace(entry.column, unique=True), key)


def shown_by(entry: Any) -> Field | None:
    """The column that has the value of an entry as it is; None when there is no such one."""
    if isinstance(entry, ReadOnly):
        return shown_by(entry.entry)
    field: Field | None = entry.column if isinstance(entry, Column) else None
    return field
