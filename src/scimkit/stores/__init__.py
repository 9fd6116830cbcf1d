"""Stores: the port that keeps documents, and the stores that come with scimkit."""

from scimkit.stores.memory import MemoryStore
from scimkit.stores.protocol import (
    Page,
    Query,
    RequestedAttributes,
    Scope,
    Store,
    SyncStore,
    Written,
    all_attributes,
    as_async_store,
)

__all__ = [
    "MemoryStore",
    "Page",
    "Query",
    "RequestedAttributes",
    "Scope",
    "Store",
    "SyncStore",
    "Written",
    "all_attributes",
    "as_async_store",
]
