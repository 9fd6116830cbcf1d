"""The protocols of stores of token records, and the store in memory. A store never sees a token, only its hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import Protocol

from scimkit.tokens.records import TokenRecord


class TokenStore(Protocol):
    """A store of token records. Implement this protocol to keep tokens in your own tables.

    `scimkit.testing.token_contract.TokenStoreContract` tests an implementation.
    """

    def add(self, record: TokenRecord) -> None:
        """Store a new record."""
        ...

    def find(self, id: str) -> TokenRecord | None:
        """Return the record with an id, or None. The record may belong to any tenant."""
        ...

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        """Return the records of a tenant, in the order in which they were created."""
        ...

    def update(self, old: TokenRecord, new: TokenRecord) -> bool:
        """Replace a record, unless another process changed the state of the token since `old` was read.

        The stored `active`, `expires` and `revoked` must be equal to those of `old`. The stored `last_used` stays.

        Returns:
            True if the record was replaced. False if it does not exist, or has another state.
        """
        ...

    def touch(self, id: str, instant: datetime) -> None:
        """Set `last_used` of a record, unless the stored time is the same or later. An unknown id changes nothing."""
        ...


class AsyncTokenStore(Protocol):
    """A `TokenStore` with async methods."""

    async def add(self, record: TokenRecord) -> None: ...
    async def find(self, id: str) -> TokenRecord | None: ...
    async def list(self, tenant: str) -> Sequence[TokenRecord]: ...
    async def update(self, old: TokenRecord, new: TokenRecord) -> bool: ...
    async def touch(self, id: str, instant: datetime) -> None: ...


class MemoryTokenStore:
    """A store that keeps token records in the memory of this process."""

    blocking = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._records: dict[str, TokenRecord] = {}

    def add(self, record: TokenRecord) -> None:
        with self._lock:
            self._records[record.id] = record

    def find(self, id: str) -> TokenRecord | None:
        return self._records.get(id)

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        with self._lock:
            found = [record for record in self._records.values() if record.tenant == tenant]
        return sorted(found, key=lambda record: record.created)

    def update(self, old: TokenRecord, new: TokenRecord) -> bool:
        with self._lock:
            stored = self._records.get(old.id)
            if stored is None or not stored.is_same_state(old):
                return False
            self._records[old.id] = replace(new, last_used=stored.last_used)
            return True

    def touch(self, id: str, instant: datetime) -> None:
        with self._lock:
            stored = self._records.get(id)
            if stored is not None and (stored.last_used is None or stored.last_used < instant):
                self._records[id] = replace(stored, last_used=instant)
