"""Stores: the port that keeps documents, and the stores that come with scimkit."""

from scimkit.stores.memory import MemoryStore
from scimkit.stores.protocol import Page, Query, Scope, Store, SyncStore, Wants, Written, everything, lift

__all__ = ["MemoryStore", "Page", "Query", "Scope", "Store", "SyncStore", "Wants", "Written", "everything", "lift"]
