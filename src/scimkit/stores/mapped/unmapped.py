"""The paths that a mapping leaves out: attributes without an entry, if there is no `rest` column.

This module never reads a row.
"""

from __future__ import annotations

from collections.abc import Iterator

from scimkit.schema.attributes import AttributeTable
from scimkit.stores.mapped.layout import Layout


def unmapped_paths(layout: Layout) -> tuple[str, ...]:
    """Return the paths of the attributes that a client may write and that the mapping drops.

    A complex attribute without any entry counts as one path. `emails[...]` stands for the elements that no brackets
    match.
    """
    if layout.rest is not None:
        return tuple(f"{path}[...]" for path, slots in layout.slots.items() if layout.has_every_element(path)
                     and all(each.constants for each in slots))  # fmt: skip
    return tuple(_left_out(layout, layout.resource_type.attributes))


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
