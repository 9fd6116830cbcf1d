"""The choice of the resource types that a service announces, compared with the types that its store serves."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from scimkit.schema.core import GROUP, USER
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import Store, SyncStore, served_by

_log = logging.getLogger("scimkit")


def announced_types(store: SyncStore | Store, wanted: Sequence[ResourceType] | None) -> tuple[ResourceType, ...]:
    """Return the resource types to announce. Log the attributes that the store does not keep.

    Raises:
        ValueError: The store does not serve a type in `wanted`.
    """
    served = served_by(store)
    if served is None:
        return (USER, GROUP) if wanted is None else tuple(wanted)
    known = {each.resource_type.name: each for each in served}
    types = tuple(each.resource_type for each in served) if wanted is None else tuple(wanted)
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
