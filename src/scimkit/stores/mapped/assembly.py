"""Conversion of rows to documents and back: the values of all entries, and the attributes without an entry.

Attributes without an entry form a document in the `rest` column. There, a marker with the brackets of the path stands
for an element that has columns. This module never talks to a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from scimkit.documents import Document
from scimkit.schema.attributes import Attribute, AttributeTable
from scimkit.stores.mapped.attribute_mappings import Column
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout, Slot

SLOT: Final = "$slot"
"""Key of the marker for an element in columns. No attribute has this name."""


def assembled(layout: Layout, instance: Any) -> dict[str, Any]:
    """Return the document of a row, without `id`, `meta`, members and computed groups."""
    kept = getattr(instance, layout.rest.name) if layout.rest is not None else None
    document: dict[str, Any] = deepcopy(dict(kept)) if isinstance(kept, Mapping) else {}
    for leaf in layout.leaves.values():
        _put(document, leaf.names, leaf.entry.read(instance, leaf.attribute))
    for path, slots in layout.slots.items():
        names = layout.names[path]
        loose = _at(document, names) or ()
        if layout.has_every_element(path):
            loose = [each for each in loose if SLOT in each]
        _put(document, names, _elements(slots, instance, loose) or None)
    document["schemas"] = layout.resource_type.schemas_of(document)
    return {name: document[name] for name in layout.resource_type.attributes if name in document}


def written(layout: Layout, instance: Any, document: Document, names: Iterable[str]) -> bool:
    """Write some attributes of a document to a row, and report whether the row changed.

    Raises:
        InvalidValue: A column cannot contain a value.
    """
    names = set(names)
    changed = [
        leaf.entry.write(instance, leaf.attribute, _at(document, leaf.names))
        for leaf in layout.leaves.values() if leaf.names[0] in names
    ]  # fmt: skip
    for path, slots in layout.slots.items():
        if layout.names[path][0] in names:
            taken = _taken(slots, _at(document, layout.names[path]) or ())
            for number, slot in enumerate(slots):
                element = taken.get(number, {})
                changed += [
                    leaf.entry.write(instance, leaf.attribute, element.get(name)) for name, leaf in slot.leaves.items()
                ]
    if layout.rest is not None:
        changed.append(_write_rest(layout, instance, document, names))
    return any(changed)


def dropped(layout: Layout, document: Document, names: Iterable[str]) -> tuple[str, ...]:
    """Return the paths of the given attributes of a document that no entry maps and no `rest` column keeps."""
    if layout.rest is not None:
        return tuple(
            path for path in layout.slots if layout.names[path][0] in names and _drops_elements(layout, path, document)
        )
    table = layout.resource_type.attributes
    left = _remainder(layout, table, {name: document[name] for name in names if name in document})
    return tuple(dict.fromkeys(_paths(table, left)))


def _drops_elements(layout: Layout, path: str, document: Document) -> bool:
    """Report whether an attribute has an element that neither columns nor the `rest` column keep."""
    elements = _at(document, layout.names[path]) or ()
    return layout.has_every_element(path) and len(_taken(layout.slots[path], elements)) < len(elements)


def _paths(table: AttributeTable, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of the attributes in a remainder.

    For an element in columns, the function yields the unmapped sub-attributes.
    """
    for name, value in values.items():
        attribute = table[name]
        if attribute.multi_valued and type(value) is list:
            for each in value:
                if type(each) is dict and SLOT in each:
                    yield from (attribute.children[sub].path for sub in each if sub != SLOT)
                else:
                    yield attribute.path
        elif attribute.type == "complex" and type(value) is dict:
            yield from _paths(attribute.children, value)
        else:
            yield attribute.path


def filled(layout: Layout, instance: Any) -> None:
    """Fill the columns of a new row that must not be NULL and have no default."""
    fields = [leaf.entry.column for leaf in layout.every_leaf() if isinstance(leaf.entry, Column)]
    empty: list[tuple[Field, Any]] = [(each, "") for each in fields if each.blank]
    if layout.rest is not None and not layout.rest.nullable:
        empty.append((layout.rest, {}))
    for field, value in empty:
        if not field.made and getattr(instance, field.name) is None:
            setattr(instance, field.name, value)


def _write_rest(layout: Layout, instance: Any, document: Document, names: set[str]) -> bool:
    """Write the attributes without an entry to the `rest` column, and report whether the column changed."""
    assert layout.rest is not None
    before = getattr(instance, layout.rest.name) or {}
    after = {name: value for name, value in before.items() if name not in names}
    chosen = {name: value for name, value in document.items() if name in names}
    after.update(_remainder(layout, layout.resource_type.attributes, chosen))
    if after == before:
        return False
    setattr(instance, layout.rest.name, after)
    return True


def _remainder(layout: Layout, table: AttributeTable, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of some values that no entry maps."""
    rest = {}
    for name, value in values.items():
        attribute = table[name]
        if attribute.path in layout.leaves or attribute.returned == "never" or layout.is_set_by_store(attribute):
            continue
        if attribute.path in layout.slots:
            whole = layout.rest is not None and layout.has_every_element(attribute.path)
            value = _rest_elements(layout.slots[attribute.path], value, whole=whole)
        elif attribute.type == "complex" and not attribute.multi_valued:
            value = _remainder(layout, attribute.children, value)
        if value not in ([], {}):
            rest[name] = value
    return rest


def _rest_elements(slots: list[Slot], elements: Any, *, whole: bool) -> list[Any]:
    """Return the elements in the form of the `rest` column.

    Elements without a slot are kept completely. Elements with a slot become a marker with their unmapped
    sub-attributes. The result is empty if the columns alone describe all elements in this order. With `whole`, elements
    without a slot are left out.
    """
    taken = _taken(slots, elements)
    numbers = {id(element): number for number, element in taken.items()}
    whole = whole or any(not slot.constants for slot in slots)
    kept: list[dict[str, Any]] = []
    for element in elements:
        number = numbers.get(id(element))
        if number is not None:
            slot = slots[number]
            more = {name: item for name, item in element.items() if name not in slot.constants | slot.leaves.keys()}
            kept.append({SLOT: slot.text, **more})
        elif not whole and not any(_fits(slot, element, strictly=True) for slot in slots):
            kept.append(element)
    plain = [{SLOT: slots[number].text} for number in sorted(taken)]
    return [] if kept == plain else kept


def _elements(slots: list[Slot], instance: Any, loose: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the elements of the columns and the `rest` column, in the order of the `rest` column.

    Elements that the `rest` column does not mention come last.
    """
    found = {slot.text: slot.element(instance) for slot in slots}
    elements = []
    for each in loose:
        text = each.get(SLOT)
        if text is None:
            elements.append(dict(each))
        else:
            element = found.pop(text, None)
            if element is not None:
                elements.append({**element, **{name: value for name, value in each.items() if name != SLOT}})
    return [*elements, *(each for each in found.values() if each is not None)]


def _taken(slots: list[Slot], elements: Iterable[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """Return the element that each slot takes, by the number of the slot.

    Elements with all constants of a slot take precedence over elements without contradicting values.
    """
    left = list(elements)
    taken: dict[int, Mapping[str, Any]] = {}
    for strictly in (True, False):
        for number, slot in enumerate(slots):
            fitting = [
                each for each in left
                if not slot.leaves.keys().isdisjoint(each) and _fits(slot, each, strictly=strictly)
            ]  # fmt: skip
            if fitting and number not in taken:
                chosen = next((each for each in fitting if each.get("primary") is True), fitting[0])
                taken[number] = chosen
                left = [each for each in left if each is not chosen]
    return taken


def _fits(slot: Slot, element: Mapping[str, Any], *, strictly: bool) -> bool:
    """Report whether an element has the constants of a slot.

    Without `strictly`, an element may lack constants, but must not contradict them.
    """
    return all(
        _same(slot.attribute.children[name], element[name], value) if name in element else not strictly
        for name, value in slot.constants.items()
    )


def _same(attribute: Attribute, one: Any, other: Any) -> bool:
    """Report whether two values of an attribute are equal."""
    return bool(attribute.key(one) == attribute.key(other))


def _at(document: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the value at some keys of a document, or None."""
    value: Any = document
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _put(document: dict[str, Any], names: tuple[str, ...], value: Any) -> None:
    """Set the value at some keys of a document. None removes the value and objects that become empty."""
    first, *rest = names
    if rest:
        below = document.get(first) or {}
        _put(below, tuple(rest), value)
        value = below or None
    if value is None:
        document.pop(first, None)
    else:
        document[first] = value
