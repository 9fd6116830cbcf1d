"""`AsyncClientRegistry`: the `ClientRegistry` of a host with an event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from scimkit.errors import Conflict
from scimkit.oauth.client_changes import (
    SECRET_LIFETIME,
    SECRET_OVERLAP,
    TOKEN_LIFETIME,
    ClientChange,
    IssuedSecret,
    client_of_tenant,
    client_revocation,
    new_client,
    new_secret,
    new_trust,
    next_version,
    with_secret,
    with_successor,
    with_trust,
    without,
)
from scimkit.tokens import AsyncClientStore, AsyncTokenRegistry, Client, Trust
from scimkit.tokens.clients import token_owner
from scimkit.tokens.records import ATTEMPTS
from scimkit.tokens.scopes import DEFAULT_SCOPES
from scimkit.tokens.verification import utc_now


class AsyncClientRegistry:
    """A registry of the OAuth clients that get access tokens from a `TokenEndpoint`.

    Each client belongs to a tenant. The store keeps only the hash of a secret. The secret is shown once.

    Args:
        tokens: The registry that keeps the access tokens.
        store: The store of the clients.
        allow_http: Accept key sets at a URL with `http`, for tests on one machine.
        clock: A function that returns the time in UTC, for tests.
    """

    is_async: Literal[True] = True

    def __init__(
        self,
        tokens: AsyncTokenRegistry,
        store: AsyncClientStore,
        *,
        allow_http: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.tokens = tokens
        self.clock = clock
        self._store = store
        self._allow_http = allow_http

    async def add(
        self,
        description: str,
        *,
        tenant: str = "default",
        scopes: Iterable[str] = DEFAULT_SCOPES,
        lifetime: timedelta = TOKEN_LIFETIME,
        dialect: str | None = None,
        created_by: str | None = None,
    ) -> Client:
        """Register a client, as `ClientRegistry.add` does."""
        client = new_client(
            description, self.clock(), tenant=tenant, scopes=scopes, lifetime=lifetime, dialect=dialect,
            created_by=created_by,
        )  # fmt: skip
        await self._store.add(client)
        return client

    async def list(self, tenant: str = "default") -> Sequence[Client]:
        """Return the clients of a tenant, including revoked ones."""
        return await self._store.list(tenant)

    async def find(self, id: str, *, tenant: str = "default") -> Client:
        """Return a client, as `ClientRegistry.find` does."""
        return client_of_tenant(await self._store.find(id), tenant)

    async def find_any(self, id: str) -> Client | None:
        """Return the client with an id, which may belong to any tenant, or None. For the token endpoint only."""
        return await self._store.find(id)

    async def add_secret(
        self, id: str, *, tenant: str = "default", expires_in: timedelta = SECRET_LIFETIME
    ) -> IssuedSecret:
        """Make another secret for a client, as `ClientRegistry.add_secret` does."""
        issued = new_secret(self.clock(), expires_in)
        await self._change(id, tenant, with_secret(issued.record))
        return issued

    async def rotate_secret(
        self,
        id: str,
        *,
        tenant: str = "default",
        overlap: timedelta = SECRET_OVERLAP,
        expires_in: timedelta = SECRET_LIFETIME,
    ) -> IssuedSecret:
        """Make a secret that replaces the earlier ones, as `ClientRegistry.rotate_secret` does."""
        issued = new_secret(self.clock(), expires_in)
        await self._change(id, tenant, with_successor(issued.record, overlap))
        return issued

    async def remove_secret(self, id: str, secret_id: str, *, tenant: str = "default") -> Client:
        """Refuse a secret, as `ClientRegistry.remove_secret` does."""
        client = await self._change(id, tenant, without("secret", secret_id))
        await self._revoke_tokens(client)
        return client

    async def add_trust(
        self,
        id: str,
        *,
        issuer: str,
        subject: str,
        audience: str,
        jwks: str | Mapping[str, Any],
        tenant: str = "default",
    ) -> Trust:
        """Accept signed assertions of an issuer, as `ClientRegistry.add_trust` does."""
        trust = new_trust(
            self.clock(), issuer=issuer, subject=subject, audience=audience, jwks=jwks, allow_http=self._allow_http
        )
        await self._change(id, tenant, with_trust(trust))
        return trust

    async def remove_trust(self, id: str, trust_id: str, *, tenant: str = "default") -> Client:
        """Refuse the assertions of a trust, as `ClientRegistry.remove_trust` does."""
        client = await self._change(id, tenant, without("trust", trust_id))
        await self._revoke_tokens(client)
        return client

    async def revoke(self, id: str, *, tenant: str = "default") -> Client:
        """Revoke a client permanently, as `ClientRegistry.revoke` does."""
        client = await self._change(id, tenant, client_revocation(self.clock()))
        await self._revoke_tokens(client)
        return client

    async def _revoke_tokens(self, client: Client) -> None:
        """Revoke the access tokens of a client that are still valid."""
        now, owner = self.clock(), token_owner(client)
        for record in await self.tokens.list(client.tenant):
            if record.created_by == owner and record.status(now) in ("Active", "Inactive"):
                await self.tokens.revoke(record.id, tenant=client.tenant)

    async def _change(self, id: str, tenant: str, change: ClientChange) -> Client:
        """Read a client, change it and store it, again and again while other processes change it."""
        for _ in range(ATTEMPTS):
            old = await self.find(id, tenant=tenant)
            new = next_version(old, change(old))
            if new is old or await self._store.update(old, new):
                return new
        raise Conflict("The client was changed by other processes; try again.")
