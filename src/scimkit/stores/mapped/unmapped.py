"""The paths that a mapping leaves out, never writes, or keeps for some elements only.

This module never reads a row.
"""

from __future__ import annotations

from collections.abc import Iterator

from scimkit.schema.attributes import AttributeTable
from scimkit.stores.mapped.attribute_mappings import Computed, Constant, ReadOnly
from scimkit.stores.mapped.layout import Layout, Slot


def unmapped_paths(layout: Layout) -> tuple[str, ...]:
    """Return the paths of the attributes that a client may write and that the mapping drops.

    A complex attribute without any entry counts as one path. `emails[...]` stands for the elements that no brackets
    match.
    """
    if layout.rest is not None:
        return tuple(f"{path}[...]" for path, slots in layout.slots.items() if layout.has_every_element(path)
                     and all(each.constants for each in slots))  # fmt: skip
    return tuple(_left_out(layout, layout.resource_type.attributes))


def read_only_paths(layout: Layout) -> tuple[str, ...]:
    """Return the paths whose entries ignore what a client writes, such as those of `ReadOnly` and `Constant`."""
    leaves = [path for path, each in layout.leaves.items() if _is_read_only(each.entry)]
    parts = [
        _element_path(slot, name)
        for slots in layout.slots.values()
        for slot in slots
        for name, each in slot.leaves.items()
        if _is_read_only(each.entry)
    ]
    return (*leaves, *parts)


def element_paths(layout: Layout) -> tuple[str, ...]:
    """Return the kept sub-attributes of the multi-valued attributes whose other elements the store drops."""
    return tuple(
        _element_path(slot, name)
        for path, slots in layout.slots.items()
        if layout.has_every_element(path)
        for slot in slots
        for name in slot.attribute.children
        if layout.rest is not None or name in slot.constants or name in slot.leaves
    )


def _element_path(slot: Slot, name: str) -> str:
    """Return the path of a sub-attribute of an element in columns."""
    brackets = f"[{slot.text}]" if slot.text else ""
    return f"{slot.attribute.path}{brackets}.{name}"


def _is_read_only(entry: object) -> bool:
    """Report whether an entry ignores what a client writes."""
    return isinstance(entry, ReadOnly | Constant) or (isinstance(entry, Computed) and entry.write_with is None)


def _left_out(layout: Layout, table: AttributeTable) -> Iterator[str]:
    """Yield the paths of the attributes without an entry."""
    for attribute in table.values():
        if attribute.mutability == "readOnly" or attribute.returned == "never" or layout.is_set_by_store(attribute):
            continue
        path = attribute.path
        if attribute.name == "$ref":
            continue
        if path in layout.slots:
            if all(each.constants for each in layout.slots[path]):
                yield f"{path}[...]"
        elif path not in layout.leaves:
            below = () if attribute.multi_valued else tuple(_left_out(layout, attribute.children))
            yield from below if _has_entry(layout, path) else (path,)


def _has_entry(layout: Layout, path: str) -> bool:
    """Report whether an entry maps a part of an attribute."""
    mapped = (*layout.leaves, *layout.slots)
    return any(each.startswith((f"{path}.", f"{path}:")) for each in mapped)
