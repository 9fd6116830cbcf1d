"""Filters as conditions on the rows of one model, and the columns of sort orders.

The caller has checked that a filter fits the resource type. This module never talks to a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from scimkit.errors import InvalidFilter, InvalidPath
from scimkit.filters.ast import And, Comparison, Node, Not, Or, Present, ValuePath
from scimkit.filters.predicate import comparable, resolve
from scimkit.schema.attributes import Attribute, AttributePath
from scimkit.stores.mapped.attribute_mappings import AttributeMapping, Constant, field_of
from scimkit.stores.mapped.conditions import Conditions, Folded, Test, both, either, neither, some
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout, Slot
from scimkit.stores.mapped.memberships import End, Plan
from scimkit.stores.protocol import GROUPS, MEMBERS
from scimkit.stores.sorting import Sort

_Build: TypeAlias = Callable[["_Source", Conditions[Any]], Folded]


@dataclass(frozen=True, slots=True)
class _Source:
    """A source of elements of a multi-valued attribute: columns of the row, or linked rows."""

    entries: Mapping[str, AttributeMapping]
    """The entries of the sub-attributes, by name."""
    origin: Slot | End
    """The columns of one element, or the link."""

    def some(self, build: _Build, on: Conditions[Any]) -> Folded:
        """Build the condition that an element exists that meets a condition."""
        if isinstance(self.origin, End):
            return some(self.origin, on, lambda inner: build(self, inner))
        slot = self.origin
        there = [
            _has_value(each.attribute, each.entry, on) for each in slot.leaves.values()
            if not isinstance(each.entry, Constant)
        ]  # fmt: skip
        return both([either(there, on), build(self, on)], on)


class Queries:
    """Builds the conditions and sort orders for one resource type."""

    def __init__(self, plan: Plan, layout: Layout) -> None:
        self._plan = plan
        self._layout = layout
        self._type = layout.resource_type

    @cached_property
    def _sources(self) -> dict[str, list[_Source]]:
        """The sources of the elements of each multi-valued attribute, which few requests need."""
        plan, layout = self._plan, self._layout
        sources: dict[str, list[_Source]] = {
            path: list(_of_slots(slots, whole=layout.rest is None)) for path, slots in layout.slots.items()
        }
        for name, ends in ((MEMBERS, plan.members_of(layout)), (GROUPS, plan.groups_of(layout))):
            if ends and (name == MEMBERS or plan.shows_groups(layout)):
                sources[name] = [_Source(_of_end(end), end) for end in ends]
        return sources

    def condition(self, node: Node, on: Conditions[Any]) -> Folded:
        """Build the condition for a filter.

        Raises:
            InvalidFilter: The filter names an attribute without an entry.
        """
        if isinstance(node, And):
            return both([self.condition(each, on) for each in node.operands], on)
        if isinstance(node, Or):
            return either([self.condition(each, on) for each in node.operands], on)
        if isinstance(node, Not):
            return neither(self.condition(node.operand, on), on)
        path = resolve(node.path, self._type)
        if isinstance(node, ValuePath):
            return self._value_path(path, node.filter, on)
        if path.attribute.multi_valued and path.attribute.path not in self._layout.leaves:
            return self._of_elements(path, node, on)
        if isinstance(node, Comparison):
            path = comparable(path)
        elif path.leaf.type == "complex" and path.leaf.path not in self._layout.leaves:
            return self._any_below(path.leaf, on)
        return self._entry(path.leaf).condition(Test.of(path.leaf, node), on)

    def equal(self, path: str, value: Any, on: Conditions[Any]) -> Folded:
        """Build the condition that an attribute has a value."""
        return self.condition(Comparison(path, "eq", value), on)

    def order(self, sort: Sort) -> tuple[Field, bool]:
        """Return the column of a sort order, and report whether the order ignores case.

        Raises:
            InvalidPath: The attribute has no column, or several columns.
        """
        leaf = sort.path.leaf
        entry: Any = self._layout.found.get(leaf.path)
        if leaf.path in self._layout.leaves:
            entry = self._layout.leaves[leaf.path].entry
        slots = self._layout.slots.get(sort.path.attribute.path, ())
        if (
            len(slots) == 1
            and leaf.name in slots[0].leaves
            and self._layout.has_every_element(sort.path.attribute.path)
        ):
            entry = slots[0].leaves[leaf.name].entry
        field = None if entry is None or leaf.multi_valued else field_of(entry)
        if field is None or leaf.type == "complex":
            raise InvalidPath(f"This service cannot sort by {leaf.path}. Use another attribute.")
        return field, leaf.type == "string" and not leaf.case_exact

    def _entry(self, attribute: Attribute) -> AttributeMapping:
        """Return the entry of an attribute.

        Raises:
            InvalidFilter: The attribute has no entry.
        """
        if attribute.path in self._layout.leaves:
            return self._layout.leaves[attribute.path].entry
        if attribute.path in self._layout.found:
            return self._layout.found[attribute.path]
        raise _unmapped(attribute)

    def _any_below(self, attribute: Attribute, on: Conditions[Any]) -> Folded:
        """Build the condition that a complex attribute has any value.

        Raises:
            InvalidFilter: A sub-attribute may have a value outside the columns.
        """
        parts: list[Folded] = []
        for each in attribute.children.values():
            if each.path in self._sources:
                parts.append(self._of_elements(AttributePath(each), Present(each.path), on))
            elif each.path in self._layout.leaves or each.path in self._layout.found:
                parts.append(_has_value(each, self._entry(each), on))
            elif each.type == "complex" and not each.multi_valued:
                parts.append(self._any_below(each, on))
            elif self._layout.rest is not None and each.mutability != "readOnly" and each.name != "$ref":
                raise _unmapped(attribute)
        if not parts:
            raise _unmapped(attribute)
        return either(parts, on)

    def _of_elements(self, path: AttributePath, node: Comparison | Present, on: Conditions[Any]) -> Folded:
        """Build the condition that an element meets a test. The absence of all elements may meet the test, too."""
        sources = self._sources_of(path.attribute, None)
        if isinstance(node, Present) and path.sub_attribute is None:
            return either([each.some(lambda _, __: True, on) for each in sources], on)
        target = comparable(path) if isinstance(node, Comparison) else path
        sub = target.sub_attribute
        if sub is None:
            raise _unmapped(path.attribute)
        test = Test.of(sub, node)
        met = [each.some(lambda source, inner: _on_element(source, test, inner), on) for each in sources]
        if test.matches(None):
            there = either([each.some(lambda _, __: True, on) for each in sources], on)
            met.append(neither(there, on))
        return either(met, on)

    def _value_path(self, path: AttributePath, node: Node, on: Conditions[Any]) -> Folded:
        """Build the condition for a value path."""
        attribute = path.leaf
        if attribute.multi_valued:
            sources = self._sources_of(attribute, node)
            return either(
                [each.some(lambda source, inner: _element(source, attribute, node, inner), on) for each in sources], on
            )
        return both([self._any_below(attribute, on), self._within(attribute, node, on)], on)

    def _within(self, attribute: Attribute, node: Node, on: Conditions[Any]) -> Folded:
        """Build the condition on a complex attribute with one value for the filter of a value path."""
        return _walk(node, on, lambda each: self._entry(_sub(attribute, each)).condition(
            Test.of(_sub(attribute, each), each), on
        ))  # fmt: skip

    def _sources_of(self, attribute: Attribute, node: Node | None) -> list[_Source]:
        """Return the sources of the elements of an attribute.

        Raises:
            InvalidFilter: An element outside the columns may meet the filter.
        """
        sources = self._sources.get(attribute.path)
        if sources is None:
            raise _unmapped(attribute)
        slots = self._layout.slots.get(attribute.path)
        if (
            slots
            and not self._layout.has_every_element(attribute.path)
            and not (node is not None and _matches_only_slots(node, slots))
        ):
            brackets = " or ".join(f"{attribute.path}[{each.text}]" for each in slots)
            raise InvalidFilter(f"This service can filter only these elements of {attribute.path}: {brackets}.")
        return sources


def _of_slots(slots: Sequence[Slot], *, whole: bool) -> Iterator[_Source]:
    """Yield the sources for elements in columns.

    If the columns contain all elements, a sub-attribute without an entry is unassigned.
    """
    absent = {name: Constant(None) for slot in slots for name, _ in slot.entries()} if whole else {}
    for slot in slots:
        yield _Source({**absent, **dict(slot.entries())}, slot)


def _of_end(end: End) -> dict[str, AttributeMapping]:
    """Return the entries of a linked row: `value`, `type` and `display`."""
    entries: dict[str, AttributeMapping] = {"value": end.other.id, "type": Constant(end.kind)}
    display = end.other.leaves.get("displayName")
    if display is not None:
        entries["display"] = display.entry
    return entries


def _has_value(attribute: Attribute, entry: AttributeMapping, on: Conditions[Any]) -> Folded:
    """Build the condition that an entry has a value."""
    return entry.condition(Test.of(attribute, Comparison(attribute.path, "ne", None)), on)


def _on_element(source: _Source, test: Test, on: Conditions[Any]) -> Folded:
    """Build the condition that a sub-attribute of an element meets a test."""
    entry = source.entries.get(test.attribute.name)
    if entry is None:
        raise _unmapped(test.attribute)
    return entry.condition(test, on)


def _element(source: _Source, attribute: Attribute, node: Node, on: Conditions[Any]) -> Folded:
    """Build the condition on the elements of one source for the filter of a value path."""
    return _walk(node, on, lambda each: _on_element(source, Test.of(_sub(attribute, each), each), on))


def _walk(node: Node, on: Conditions[Any], leaf: Callable[[Comparison | Present], Folded]) -> Folded:
    """Build the condition for the filter of a value path.

    An attribute without an entry is accepted if a constant alone decides the result.
    """
    if isinstance(node, And | Or):
        join, decided = (both, False) if isinstance(node, And) else (either, True)
        known: list[Folded] = []
        refused: InvalidFilter | None = None
        for each in node.operands:
            try:
                known.append(_walk(each, on, leaf))
            except InvalidFilter as error:
                refused = error
        if refused is not None and not any(each is decided for each in known):
            raise refused
        return join(known, on)
    if isinstance(node, Not):
        return neither(_walk(node.operand, on, leaf), on)
    assert not isinstance(node, ValuePath)
    return leaf(node)


def _sub(attribute: Attribute, node: Comparison | Present) -> Attribute:
    """Return the sub-attribute that a value path's filter names, or the attribute itself if it is not complex."""
    found = attribute.children.find(node.path)
    return attribute if found is None else found


def _matches_only_slots(node: Node, slots: Sequence[Slot]) -> bool:
    """Report whether only elements in columns can match a filter.

    Such a filter requires all constants of a slot.
    """
    if isinstance(node, Or):
        return all(_matches_only_slots(each, slots) for each in node.operands)
    if isinstance(node, And) and any(_matches_only_slots(each, slots) for each in node.operands):
        return True
    return any(
        all(_requires_value(node, slot.attribute.children[name], value) for name, value in slot.constants.items())
        for slot in slots
    )


def _requires_value(node: Node, attribute: Attribute, value: Any) -> bool:
    """Report whether a filter requires that a sub-attribute has a value."""
    if isinstance(node, And):
        return any(_requires_value(each, attribute, value) for each in node.operands)
    if isinstance(node, Or):
        return all(_requires_value(each, attribute, value) for each in node.operands)
    if not isinstance(node, Comparison) or node.operator != "eq" or node.path.lower() != attribute.name.lower():
        return False
    return bool(attribute.key(node.value) == attribute.key(value))


def _unmapped(attribute: Attribute) -> InvalidFilter:
    """Return the error for a filter by an attribute without an entry."""
    return InvalidFilter(f"This service cannot filter by {attribute.path}. Use another attribute.")
