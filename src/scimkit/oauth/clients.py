"""`ClientRegistry`: registers OAuth clients, their secrets and their trusts, and revokes them."""

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
from scimkit.tokens import Client, ClientStore, MemoryClientStore, TokenRegistry, Trust
from scimkit.tokens.clients import token_owner
from scimkit.tokens.records import ATTEMPTS
from scimkit.tokens.scopes import DEFAULT_SCOPES
from scimkit.tokens.verification import utc_now


class ClientRegistry:
    """A registry of the OAuth clients that get access tokens from a `TokenEndpoint`.

    Each client belongs to a tenant. The store keeps only the hash of a secret. The secret is shown once.

    Args:
        tokens: The registry that keeps the access tokens.
        store: The store of the clients. The default keeps them in memory.
        allow_http: Accept key sets at a URL with `http`, for tests on one machine.
        clock: A function that returns the time in UTC, for tests.
    """

    is_async: Literal[False] = False

    def __init__(
        self,
        tokens: TokenRegistry,
        store: ClientStore | None = None,
        *,
        allow_http: bool = False,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.tokens = tokens
        self.clock = clock
        self._store = MemoryClientStore() if store is None else store
        self._allow_http = allow_http

    @property
    def blocking(self) -> bool:
        """True if a call may wait for a database."""
        return self.tokens.blocking or bool(getattr(self._store, "blocking", True))

    def add(
        self,
        description: str,
        *,
        tenant: str = "default",
        scopes: Iterable[str] = DEFAULT_SCOPES,
        lifetime: timedelta = TOKEN_LIFETIME,
        dialect: str | None = None,
        created_by: str | None = None,
    ) -> Client:
        """Register a client. Give it a secret with `add_secret`, or a trust with `add_trust`.

        Args:
            description: The purpose of the client, such as the name of the identity provider.
            tenant: The tenant to which the access tokens give access.
            scopes: The operations that the client may ask for, as for `TokenRegistry.issue`.
            lifetime: The time until an access token expires, from 60 minutes to 6 hours.
            dialect: The name of the dialect for requests of the client.
            created_by: The person or program that registers the client.

        Raises:
            ValueError: A scope has an unknown form, or the lifetime is out of range.
        """
        client = new_client(
            description, self.clock(), tenant=tenant, scopes=scopes, lifetime=lifetime, dialect=dialect,
            created_by=created_by,
        )  # fmt: skip
        self._store.add(client)
        return client

    def list(self, tenant: str = "default") -> Sequence[Client]:
        """Return the clients of a tenant, including revoked ones."""
        return self._store.list(tenant)

    def find(self, id: str, *, tenant: str = "default") -> Client:
        """Return a client.

        Raises:
            NotFound: The tenant has no client with this id.
        """
        return client_of_tenant(self._store.find(id), tenant)

    def find_any(self, id: str) -> Client | None:
        """Return the client with an id, which may belong to any tenant, or None. For the token endpoint only."""
        return self._store.find(id)

    def add_secret(self, id: str, *, tenant: str = "default", expires_in: timedelta = SECRET_LIFETIME) -> IssuedSecret:
        """Make another secret for a client. The earlier secrets stay valid until they expire.

        Args:
            id: The id of the client.
            tenant: The tenant of the client.
            expires_in: The time until the secret expires, from 1 to 3 years.

        Raises:
            NotFound: The tenant has no client with this id.
            ValueError: The time is out of range, or the client is revoked or has too many secrets.
        """
        issued = new_secret(self.clock(), expires_in)
        self._change(id, tenant, with_secret(issued.record))
        return issued

    def rotate_secret(
        self,
        id: str,
        *,
        tenant: str = "default",
        overlap: timedelta = SECRET_OVERLAP,
        expires_in: timedelta = SECRET_LIFETIME,
    ) -> IssuedSecret:
        """Make a secret that replaces the earlier ones, which expire when the overlap ends or earlier.

        Args:
            id: The id of the client.
            tenant: The tenant of the client.
            overlap: The time for which the earlier secrets stay valid. The default is 30 days.
            expires_in: The time until the new secret expires, from 1 to 3 years.

        Raises:
            NotFound: The tenant has no client with this id.
            ValueError: A time is out of range, or the client is revoked or has too many secrets.
        """
        issued = new_secret(self.clock(), expires_in)
        self._change(id, tenant, with_successor(issued.record, overlap))
        return issued

    def remove_secret(self, id: str, secret_id: str, *, tenant: str = "default") -> Client:
        """Refuse a secret from now on, revoke all access tokens of the client, and return the client.

        Raises:
            NotFound: The tenant has no such client, or the client has no such secret.
        """
        client = self._change(id, tenant, without("secret", secret_id))
        self._revoke_tokens(client)
        return client

    def add_trust(
        self,
        id: str,
        *,
        issuer: str,
        subject: str,
        audience: str,
        jwks: str | Mapping[str, Any],
        tenant: str = "default",
    ) -> Trust:
        """Accept signed assertions of an issuer for a client (RFC 7523 section 3).

        Args:
            id: The id of the client.
            issuer: The `iss` of the assertions. For `private_key_jwt`, it is the id of the client.
            subject: The `sub` of the assertions. For `private_key_jwt`, it is the id of the client.
            audience: The only `aud` of the assertions. For `private_key_jwt`, it is the URL of the token endpoint.
            jwks: The URL of the key set, or the key set itself as a dict or as JSON.
            tenant: The tenant of the client.

        Raises:
            NotFound: The tenant has no client with this id.
            ValueError: A value is not valid, or the client is revoked or has too many trusts.
        """
        trust = new_trust(
            self.clock(), issuer=issuer, subject=subject, audience=audience, jwks=jwks, allow_http=self._allow_http
        )
        self._change(id, tenant, with_trust(trust))
        return trust

    def remove_trust(self, id: str, trust_id: str, *, tenant: str = "default") -> Client:
        """Refuse the assertions of a trust, revoke all access tokens of the client, and return the client.

        Raises:
            NotFound: The tenant has no such client, or the client has no such trust.
        """
        client = self._change(id, tenant, without("trust", trust_id))
        self._revoke_tokens(client)
        return client

    def revoke(self, id: str, *, tenant: str = "default") -> Client:
        """Revoke a client permanently, with all its access tokens, and return the client.

        Raises:
            NotFound: The tenant has no client with this id.
        """
        client = self._change(id, tenant, client_revocation(self.clock()))
        self._revoke_tokens(client)
        return client

    def _revoke_tokens(self, client: Client) -> None:
        """Revoke the access tokens of a client that are still valid."""
        now, owner = self.clock(), token_owner(client)
        for record in self.tokens.list(client.tenant):
            if record.created_by == owner and record.status(now) in ("Active", "Inactive"):
                self.tokens.revoke(record.id, tenant=client.tenant)

    def _change(self, id: str, tenant: str, change: ClientChange) -> Client:
        """Read a client, change it and store it, again and again while other processes change it."""
        for _ in range(ATTEMPTS):
            old = self.find(id, tenant=tenant)
            new = next_version(old, change(old))
            if new is old or self._store.update(old, new):
                return new
        raise Conflict("The client was changed by other processes; try again.")
