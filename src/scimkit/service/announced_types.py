"""The choice of the resource types that a service announces, compared with the types that its store serves."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from scimkit.schema.core import GROUP, USER
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import Store, SyncStore, holds_references, served_by

_log = logging.getLogger("scimkit")


def announced_types(store: SyncStore | Store, wanted: Sequence[ResourceType] | None) -> tuple[ResourceType, ...]:
    """Return the resource types to announce. Log the attributes that the store does not keep.

    Raises:
        ValueError: The store does not serve a type in `wanted`, or does not check its references.
    """
    served = served_by(store)
    if served is None:
        types = (USER, GROUP) if wanted is None else tuple(wanted)
        _check_references(store, types)
        return types
    known = {each.resource_type.name: each for each in served}
    types = tuple(each.resource_type for each in served) if wanted is None else tuple(wanted)
    _check_references(store, types)
    for each in types:
        if each.name not in known:
            raise ValueError(
                f"the store has no ResourceMapping for {each.name}: give it one, or leave {each.name} out of "
                f"resource_types; the store serves {', '.join(known)}"
            )
        unmapped = known[each.name].unmapped
        if unmapped:
            _log.warning(
                "%s: the mapping has no entry for %s; values of these attributes are not stored", each.name,
                ", ".join(unmapped),
            )  # fmt: skip
    return types


def _check_references(store: SyncStore | Store, types: Sequence[ResourceType]) -> None:
    """Check that a store checks the references of the resource types. Raises ValueError."""
    for each in types:
        if each.references and not holds_references(store):
            raise ValueError(
                f"{each.name} has references to other resources, which this store does not check: use MemoryStore, "
                "SqlStore or AsyncSqlStore"
            )


def keeps(store: SyncStore | Store, path: str) -> bool:
    """Report whether a store keeps an attribute of a user, given by its path."""
    for each in served_by(store) or ():
        if each.resource_type.attributes.find("userName") is not None:
            top = path.partition(".")[0]
            return each.resource_type.resolve(path) is not None and not {path, top} & set(each.unmapped)
    return True


def check_keeps(store: SyncStore | Store, resource_types: Sequence[ResourceType], attributes: Sequence[str]) -> None:
    """Check that a store keeps the attributes of a user whose values are offered.

    Raises:
        ValueError: The store does not keep an attribute, or no resource type with `userName` has it.
    """
    for name in attributes:
        users = [each for each in resource_types if each.attributes.find("userName") is not None]
        if not any(each.resolve(name) for each in users) or not keeps(store, name):
            raise ValueError(
                f"{name} are offered, but the store does not keep {name} of a user: map {name}, or do not offer them"
            )
