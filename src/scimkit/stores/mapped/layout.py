"""Checked mappings: the entry of each attribute of a resource type.

A mistake in a mapping raises a ValueError that names the entry when the store is created. This module never reads a
row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from scimkit.errors import ScimError
from scimkit.patch.paths import PatchPath, element_described, parse_path
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.mapped.attribute_mappings import (
    AttributeMapping,
    Computed,
    Constant,
    JsonValue,
    ReadOnly,
    mapping_of,
    unique_entry,
)
from scimkit.stores.mapped.declaration import ResourceMapping
from scimkit.stores.mapped.fields import Field, Fields
from scimkit.stores.mapped.identity import Identity, Version
from scimkit.stores.metadata import has_members, is_computed
from scimkit.stores.protocol import GROUPS, MEMBERS, META

Names: TypeAlias = tuple[str, ...]
"""The keys of a document that lead to an attribute."""

_OPTION_OF: Final = {"id": "id", META: "version, created and modified", "schemas": "the resource type"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """An attribute whose value a single entry contains."""

    attribute: Attribute
    names: Names
    entry: AttributeMapping


@dataclass(frozen=True, slots=True)
class Slot:
    """A single element of a multi-valued attribute in columns.

    The dict `constants` has the values from the brackets of the path. The dict `leaves` has the entries of the other
    sub-attributes.
    """

    attribute: Attribute
    text: str
    constants: Mapping[str, Any]
    leaves: dict[str, Leaf] = field(default_factory=dict)

    def element(self, instance: Any) -> dict[str, Any] | None:
        """Return the element of a row, or None if the row has no such element."""
        values = {name: each.entry.read(instance, each.attribute) for name, each in self.leaves.items()}
        if all(values[name] is None or isinstance(each.entry, Constant) for name, each in self.leaves.items()):
            return None
        return {**{name: value for name, value in values.items() if value is not None}, **self.constants}

    def entries(self) -> Iterator[tuple[str, AttributeMapping]]:
        """Yield the name and the entry of every sub-attribute of the element."""
        for name, value in self.constants.items():
            yield name, Constant(value)
        for name, each in self.leaves.items():
            yield name, each.entry


class Layout:
    """The entries of all attributes of a resource type in one model.

    Attributes:
        leaves: The entries by the path of the attribute.
        slots: The elements in columns, by the path of the multi-valued attribute.
        found: The entries of `id` and `meta`, which the store itself sets.
    """

    def __init__(self, mapped: ResourceMapping, fields: Fields) -> None:
        self.mapped = mapped
        self.resource_type: ResourceType = mapped.resource_type
        self.leaves: dict[str, Leaf] = {}
        self.slots: dict[str, list[Slot]] = {}
        self.names: dict[str, Names] = {}
        self._fields = fields
        self.id: Identity = Identity(self._field("id", mapped.id), mapped.prefix)
        self.tenant: Field | None = self._optional("tenant", mapped.tenant)
        self.rest: Field | None = self._optional("rest", mapped.rest)
        self.version: Field | None = self._optional("version", mapped.version)
        self.created: Field | None = self._optional("created", mapped.created)
        self.modified: Field | None = self._optional("modified", mapped.modified)
        self.order: Field | None = self._optional("order", mapped.order)
        for text, given in mapped.attributes.items():
            try:
                self._add(text, mapping_of(given).bound(fields))
            except (ValueError, ScimError) as error:
                raise ValueError(f"{self.resource_type.name}: the entry {text!r}: {_message(error)}") from None
        self.found: dict[str, AttributeMapping] = dict(self._set_by_store())
        self._complete = frozenset(map(self._multi_valued, mapped.complete))
        self._check()

    def every_leaf(self) -> Iterator[Leaf]:
        """Yield all leaves, including those of elements."""
        yield from self.leaves.values()
        for slots in self.slots.values():
            for slot in slots:
                yield from slot.leaves.values()

    def has_every_element(self, path: str) -> bool:
        """Report whether entries map every stored element of a multi-valued attribute."""
        return self.rest is None or path in self._complete or any(not each.constants for each in self.slots[path])

    def is_set_by_store(self, attribute: Attribute) -> bool:
        """Report whether the store itself sets the attribute, regardless of the document."""
        return attribute.path in _OPTION_OF or self._is_membership(attribute.path)

    def _field(self, name: str, column: Any) -> Field:
        """Return the field of a column of the mapping."""
        try:
            return self._fields.field(column)
        except ValueError as error:
            raise ValueError(f"{self.resource_type.name}: {name}: {error}") from None

    def _optional(self, name: str, column: Any) -> Field | None:
        """Return the field of an optional column of the mapping, or None."""
        return None if column is None else self._field(name, column)

    def _multi_valued(self, name: str) -> str:
        """Return the path of a multi-valued attribute whose elements have entries."""
        path = self.resource_type.resolve(name)
        if path is None or path.sub_attribute is not None or path.leaf.path not in self.slots:
            expected = (
                'must be a multi-valued attribute whose elements have entries, as in emails[type eq "work"].value'
            )
            raise ValueError(f"{self.resource_type.name}: complete: {name!r} {expected}")
        return path.leaf.path

    def _add(self, text: str, entry: AttributeMapping) -> None:
        """Add the entry of a path.

        Raises:
            ValueError: The entry does not fit the path, or another entry has the same path.
        """
        path = parse_path(text, self.resource_type)
        if path is None:
            raise ValueError("the resource type has no such attribute")
        attribute, leaf = path.attribute, path.leaf
        if path.extension is None and attribute.name in _OPTION_OF:
            raise ValueError(f"use {_OPTION_OF[attribute.name]} of the ResourceMapping instead")
        if path.extension is None and self._is_membership(attribute.name):
            raise ValueError("use members of the ResourceMapping of groups instead")
        if leaf.returned == "never":
            raise ValueError("an attribute that is never returned is not stored; use a hook such as set_password")
        names = (attribute.name,) if path.extension is None else (path.extension.name, attribute.name)
        self.names[attribute.path] = names
        if attribute.multi_valued and (path.filter is not None or path.sub_attribute is not None):
            self._add_to_slot(path, names, entry)
            return
        if path.filter is not None:
            raise ValueError("brackets need a multi-valued attribute")
        if (leaf.type == "complex" or leaf.multi_valued) and not _accepts_complex_values(entry):
            raise ValueError("a column contains one value; name a sub-attribute, or use Json or Computed")
        if self._is_taken(leaf.path, attribute.path):
            raise ValueError("another entry maps the same attribute")
        full = names if path.sub_attribute is None else (*names, path.sub_attribute.name)
        self.leaves[leaf.path] = Leaf(leaf, full, entry)

    def _add_to_slot(self, path: PatchPath, names: Names, entry: AttributeMapping) -> None:
        """Add the entry of a sub-attribute of an element.

        Raises:
            ValueError: The brackets are not supported, or another entry has the same path.
        """
        sub, attribute = path.sub_attribute, path.attribute
        if sub is None:
            raise ValueError("name a sub-attribute after the brackets")
        constants = {} if path.filter is None else element_described(path)
        if constants is None:
            raise ValueError("the brackets must contain equalities joined by and")
        text = "" if path.filter is None else str(path.filter)
        slots = self.slots.setdefault(attribute.path, [])
        slot = next((each for each in slots if each.text == text), None)
        if slot is None:
            if any(not each.constants or not constants for each in slots):
                raise ValueError("an entry without brackets stands for the only element; use brackets in all entries")
            slot = Slot(attribute, text, constants)
            slots.append(slot)
        if sub.name in constants or sub.name in slot.leaves or attribute.path in self.leaves:
            raise ValueError("another entry maps the same attribute")
        slot.leaves[sub.name] = Leaf(sub, (*names, sub.name), entry)

    def _is_taken(self, path: str, parent: str) -> bool:
        """Report whether another entry maps an attribute, its parent or a part of the attribute."""
        below = any(each.startswith(f"{path}.") for each in self.leaves)
        return below or path in self.leaves or parent in self.leaves or path in self.slots

    def _is_membership(self, name: str) -> bool:
        """Report whether an attribute lists the members of a group or the groups of a user."""
        if name == MEMBERS:
            return has_members(self.resource_type)
        return name == GROUPS and is_computed(self.resource_type, GROUPS)

    def _set_by_store(self) -> Iterator[tuple[str, AttributeMapping]]:
        """Yield the entries of `id` and `meta`."""
        yield "id", self.id
        yield "meta.resourceType", Constant(self.resource_type.name)
        for name, given in (("created", self.mapped.created), ("lastModified", self.mapped.modified)):
            if given is not None:
                yield f"meta.{name}", mapping_of(given).bound(self._fields)
        if self.version is not None:
            yield "meta.version", Version(self.version)

    def _check(self) -> None:
        """Check that unique and required attributes have entries."""
        required = [each.path for each in self.resource_type.required if each.type != "complex"]
        for path in (*self.resource_type.unique, *required):
            if path not in self.leaves:
                raise ValueError(f"{self.resource_type.name}: {path} needs an entry")
        for path in self.resource_type.unique:
            self.leaves[path] = replace(self.leaves[path], entry=unique_entry(self.leaves[path].entry))
        if self.version is not None and self.version.type is not int:
            raise ValueError(f"{self.resource_type.name}: version: the column must contain integers")


def _accepts_complex_values(entry: Any) -> bool:
    """Report whether an entry can contain a complex or multi-valued attribute."""
    return isinstance(entry, JsonValue | Computed) or (
        isinstance(entry, ReadOnly) and _accepts_complex_values(entry.entry)
    )


def _message(error: Exception) -> str:
    """Return the message of an error."""
    return (error.detail or "") if isinstance(error, ScimError) else str(error)
