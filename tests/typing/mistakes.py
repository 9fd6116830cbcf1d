"""Mistakes that a type checker finds. Each line marked with `# error` must be reported; no other line may be."""

from __future__ import annotations

from scimkit import MemoryStore, Query, Request, ScimService, Scope, Store, TokenRegistry, filters

ScimService(MemoryStore())  # error
ScimService(MemoryStore(), tokens="secret")  # error
ScimService(MemoryStore(), tokens=TokenRegistry(), on_request_completed="print")  # error
MemoryStore().search(Scope("acme"), filters.parse("active eq true"))  # error
Query("User")  # error
Request("GET", 5)  # error
awaited: Store = MemoryStore()  # error
