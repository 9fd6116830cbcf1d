"""The protocols of stores of token records and of OAuth clients, and the stores in memory.

A store never sees a token or a secret, only its hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import Protocol

from scimkit.tokens.clients import Client
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


class ExpiringTokenStore(TokenStore, Protocol):
    """A `TokenStore` that deletes expired tokens of OAuth clients. Without this method, the records stay."""

    def remove_expired(self, tenant: str, created_by: str, before: datetime) -> None:
        """Delete the records of a tenant with this `created_by` that expired before a time. Others stay."""
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

    def remove_expired(self, tenant: str, created_by: str, before: datetime) -> None:
        """Delete the records of a tenant with this `created_by` that expired before a time."""
        with self._lock:
            ended = [
                each.id
                for each in self._records.values()
                if (each.tenant, each.created_by) == (tenant, created_by) and each.expires and each.expires < before
            ]
            for id in ended:
                del self._records[id]


class ClientStore(Protocol):
    """A store of OAuth clients. Implement this protocol to keep clients in your own tables.

    `scimkit.testing.client_contract.ClientStoreContract` tests an implementation.
    """

    def add(self, client: Client) -> None:
        """Store a new client."""
        ...

    def find(self, id: str) -> Client | None:
        """Return the client with an id, compared exactly, or None. The client may belong to any tenant."""
        ...

    def list(self, tenant: str) -> Sequence[Client]:
        """Return the clients of a tenant, in the order in which they were created."""
        ...

    def update(self, old: Client, new: Client) -> bool:
        """Replace a client, unless another process changed the client since `old` was read.

        Returns:
            True if the client was replaced. False if the client does not exist, or has another version than `old`.
        """
        ...


class AsyncClientStore(Protocol):
    """A `ClientStore` with async methods."""

    async def add(self, client: Client) -> None: ...
    async def find(self, id: str) -> Client | None: ...
    async def list(self, tenant: str) -> Sequence[Client]: ...
    async def update(self, old: Client, new: Client) -> bool: ...


class MemoryClientStore:
    """A store that keeps OAuth clients in the memory of this process."""

    blocking = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._clients: dict[str, Client] = {}

    def add(self, client: Client) -> None:
        with self._lock:
            self._clients[client.id] = client

    def find(self, id: str) -> Client | None:
        return self._clients.get(id)

    def list(self, tenant: str) -> Sequence[Client]:
        with self._lock:
            found = [each for each in self._clients.values() if each.tenant == tenant]
        return sorted(found, key=lambda each: (each.created, each.id))

    def update(self, old: Client, new: Client) -> bool:
        with self._lock:
            stored = self._clients.get(old.id)
            if stored is None or stored.version != old.version:
                return False
            self._clients[old.id] = new
            return True
