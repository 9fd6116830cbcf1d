"""Stores: the store protocol, and the memory store. Subpackages contain the stores that use databases."""

from scimkit.stores.memory import MemoryStore
from scimkit.stores.protocol import (
    Capability,
    HealthCheck,
    MemberPages,
    Members,
    Page,
    Query,
    RequestedAttributes,
    Scope,
    ServedType,
    Store,
    StoreHealth,
    SyncMemberPages,
    SyncStore,
    UnknownMembers,
    Written,
    all_attributes,
    as_async_store,
)

__all__ = [
    "Capability",
    "HealthCheck",
    "MemberPages",
    "Members",
    "MemoryStore",
    "Page",
    "Query",
    "RequestedAttributes",
    "Scope",
    "ServedType",
    "Store",
    "StoreHealth",
    "SyncMemberPages",
    "SyncStore",
    "UnknownMembers",
    "Written",
    "all_attributes",
    "as_async_store",
]
