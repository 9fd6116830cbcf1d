"""The check of the capabilities that a store declares."""

from __future__ import annotations

from collections.abc import Sequence

from scimkit.schema.resource_types import ResourceType
from scimkit.stores.metadata import has_members
from scimkit.stores.protocol import CAPABILITIES, Store, SyncStore


def check_capabilities(store: SyncStore | Store, resource_types: Sequence[ResourceType]) -> None:
    """Check that `unsupported` of a store has known names, and that the store has the method of each capability.

    Args:
        store: The store of a service.
        resource_types: The resource types of the service.

    Raises:
        ValueError: `unsupported` is a string or has an unknown name.
        ValueError: A resource type has members, the store does not list `member_pages`, and has no method `members`.
    """
    if isinstance(store.unsupported, str):
        raise ValueError('unsupported of the store is a string; write a tuple, such as ("sort",)')
    unknown = sorted(set(store.unsupported) - CAPABILITIES)
    if unknown:
        raise ValueError(
            f"unsupported of the store names {', '.join(unknown)}, which no capability has as its name; "
            f"the capabilities are {', '.join(sorted(CAPABILITIES))}"
        )
    if "member_pages" in store.unsupported or not any(map(has_members, resource_types)):
        return
    if not callable(getattr(store, "members", None)):
        raise ValueError("the store has no method members; add member_pages to its unsupported, or write the method")
