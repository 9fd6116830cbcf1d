"""Rows to documents and back: what each entry has, put together with what no entry maps.

What no entry maps is a document of its own, the rest. In it, an element of a multi-valued attribute that lives in
columns is named by its brackets. This module never talks to a database.
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
"""The key, in the rest, of the brackets of an element that lives in columns. No attribute has such a name."""


def assembled(layout: Layout, instance: Any) -> dict[str, Any]:
    """The document of a row, without `id`, `meta`, members and computed groups."""
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
    """Write the attributes of some names to a row as a document has them; whether that changed anything.

    Raises: InvalidValue.
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
    """Return the paths of what no entry maps of the given names of a document, if no `rest` keeps it."""
    if layout.rest is not None:
        return tuple(path for path in layout.slots if layout.names[path][0] in names and _drops(layout, path, document))
    table = layout.resource_type.attributes
    left = _remainder(layout, table, {name: document[name] for name in names if name in document})
    return tuple(dict.fromkeys(_paths(table, left)))


def _drops(layout: Layout, path: str, document: Document) -> bool:
    """Return whether an attribute has an element that neither a slot nor the rest keeps."""
    elements = _at(document, layout.names[path]) or ()
    return layout.has_every_element(path) and len(_taken(layout.slots[path], elements)) < len(elements)


def _paths(table: AttributeTable, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the paths of the attributes of a remainder: of an element in columns, what the columns lack."""
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
    """Give a new row what stands for no value, in columns that must not be NULL and get nothing by themselves."""
    fields = [leaf.entry.column for leaf in layout.every_leaf() if isinstance(leaf.entry, Column)]
    empty: list[tuple[Field, Any]] = [(each, "") for each in fields if each.blank]
    if layout.rest is not None and not layout.rest.nullable:
        empty.append((layout.rest, {}))
    for field, value in empty:
        if not field.made and getattr(instance, field.name) is None:
            setattr(instance, field.name, value)


def _write_rest(layout: Layout, instance: Any, document: Document, names: set[str]) -> bool:
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
    """What no entry maps of some values."""
    rest = {}
    for name, value in values.items():
        attribute = table[name]
        if attribute.path in layout.leaves or attribute.returned == "never" or layout.is_set_by_store(attribute):
            continue
        if attribute.path in layout.slots:
            whole = layout.rest is not None and layout.has_every_element(attribute.path)
            value = _loose(layout.slots[attribute.path], value, whole=whole)
        elif attribute.type == "complex" and not attribute.multi_valued:
            value = _remainder(layout, attribute.children, value)
        if value not in ([], {}):
            rest[name] = value
    return rest


def _loose(slots: list[Slot], elements: Any, *, whole: bool) -> list[Any]:
    """The elements as the rest has them: whole where no slot takes them, else what the columns do not have.

    Nothing when the columns say it all, in this order. With `whole` the rest has no element that no slot takes.
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
    """The elements that columns and rest have, in the order of the rest; what the rest does not name comes last."""
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
    """The element that each slot takes: one that has its constants, else one that says nothing else."""
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
    """Whether an element has the constants of a slot, or when not strictly has nothing that differs from them."""
    return all(
        _same(slot.attribute.children[name], element[name], value) if name in element else not strictly
        for name, value in slot.constants.items()
    )


def _same(attribute: Attribute, one: Any, other: Any) -> bool:
    return bool(attribute.key(one) == attribute.key(other))


def _at(document: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    value: Any = document
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _put(document: dict[str, Any], names: tuple[str, ...], value: Any) -> None:
    """Put a value where the names lead; None takes away what is there, and what then is empty."""
    first, *rest = names
    if rest:
        below = document.get(first) or {}
        _put(below, tuple(rest), value)
        value = below or None
    if value is None:
        document.pop(first, None)
    else:
        document[first] = value
