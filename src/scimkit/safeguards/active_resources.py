"""The `active` attribute: deactivations, and filters for active resources. Absent `active` means active."""

from __future__ import annotations

from typing import Final

from scimkit.documents import Document
from scimkit.filters.ast import Comparison, Node, Not, conjunction
from scimkit.patch.changes import EffectiveChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import served_by

ACTIVE: Final = "active"
_IS_ACTIVE: Final = Not(Comparison(ACTIVE, "eq", False))


def is_active(document: Document) -> bool:
    """Report whether a resource is active."""
    return document.get(ACTIVE) is not False


def is_deactivation(changes: EffectiveChanges) -> bool:
    """Report whether a write set `active` to false."""
    return bool(changes.before and changes.after) and is_active(changes.before) and not is_active(changes.after)


def has_active(resource_type: ResourceType, store: object) -> bool:
    """Report whether the store keeps `active` for resources of a type."""
    attribute = resource_type.attributes.find(ACTIVE)
    if attribute is None or attribute.type != "boolean" or attribute.multi_valued:
        return False
    return ACTIVE not in unmapped_paths(resource_type, store)


def and_active(node: Node | None, resource_type: ResourceType, store: object) -> Node | None:
    """Return a filter for the active resources among those that match another filter."""
    if not has_active(resource_type, store):
        return node
    return conjunction([_IS_ACTIVE] if node is None else [node, _IS_ACTIVE])


def unmapped_paths(resource_type: ResourceType, store: object) -> frozenset[str]:
    """Return the paths of the attributes that the store does not keep."""
    for each in served_by(store) or ():
        if each.resource_type.name == resource_type.name:
            return frozenset(each.unmapped)
    return frozenset()
