"""The token registry issues, verifies, rotates and revokes bearer tokens.

Each token belongs to a tenant. The store keeps only the hash of a secret. The token is shown once, when it is issued.
Every call reads the record from the store, so that a change holds in every process with the next request. The option
`cache` trades this for speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from scimkit.errors import Conflict
from scimkit.tokens.checks import TokenCheck
from scimkit.tokens.records import (
    ATTEMPTS,
    OVERLAP,
    UNCHANGED,
    Change,
    IssuedToken,
    TokenRecord,
    TokenStateError,
    Unchanged,
    activation,
    check_overlap,
    check_rotation,
    early_expiry,
    edit,
    revocation,
)
from scimkit.tokens.scopes import DEFAULT_SCOPES
from scimkit.tokens.seen import digest_of
from scimkit.tokens.stores import MemoryTokenStore, TokenStore
from scimkit.tokens.verification import BaseRegistry, log_unwritten_use, record_of_tenant, utc_now
from scimkit.tokens.verifier import Principal


class TokenRegistry(BaseRegistry):
    """A registry that issues, verifies, rotates and revokes tokens. It implements `SyncTokenVerifier`.

    Args:
        store: The store of the token records. The default keeps them in memory.
        clock: A function that returns the time in UTC, for tests.
        cache: The time for which a record may be used without reading it again, at most 5 minutes. A request then costs
            one statement less. A token that is revoked, deactivated or expired earlier than before may still be
            accepted for this time, at most, in other processes. By default, each verification reads the record.

    Raises:
        ValueError: The time of the cache is out of range.
    """

    is_async: Literal[False] = False

    @property
    def blocking(self) -> bool:
        """True if a verification may wait for a database. A token store with `blocking = False` never waits."""
        return getattr(self._store, "blocking", True)

    def __init__(
        self,
        store: TokenStore | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        cache: timedelta | None = None,
    ) -> None:
        super().__init__(clock, cache)
        self._store = MemoryTokenStore() if store is None else store

    @property
    def token_store(self) -> TokenStore:
        """The store of the token records."""
        return self._store

    def issue(
        self,
        description: str,
        *,
        tenant: str = "default",
        expires_in: timedelta | None = None,
        dialect: str | None = None,
        scopes: Iterable[str] = DEFAULT_SCOPES,
        created_by: str | None = None,
        active: bool = True,
    ) -> IssuedToken:
        """Issue a new token. A tenant may have several active tokens, so that a token can be rotated.

        Args:
            description: The purpose of the token, such as the name of the identity provider.
            tenant: The tenant to which the token gives access.
            expires_in: The time until the token expires. By default, the token does not expire.
            dialect: The name of the dialect for requests with this token.
            scopes: The permitted operations: `read`, `write`, or one of them with a resource type, as `write:Group`.
            created_by: The person or program that issues the token, for the list of tokens.
            active: False for a token that is refused until `activate` is called.

        Raises:
            ValueError: A scope has an unknown form.
        """
        issued = self._new_token(
            description, tenant=tenant, expires_in=expires_in, dialect=dialect, scopes=scopes, created_by=created_by,
            active=active,
        )  # fmt: skip
        self._store.add(issued.record)
        return issued

    def verify(self, token: str) -> Principal:
        """Return the principal of a token, and write the time of its last use at most once a minute.

        Raises:
            InvalidToken: The token is not valid. The client gets the same response for every reason.
        """
        digest = digest_of(token)
        read = self._parse_or_recall(digest, token)
        record = self._recall_record(read[0]) if self._cache_seconds else None
        if record is None:
            record = self._store.find(read[0])
            self._keep_record(record)
        principal, used = self._check_record(digest, read, record)
        if used is not None:
            try:
                self._store.touch(principal.token_id, used)
            except Exception as error:
                log_unwritten_use(principal.token_id, error)
        return principal

    def confirm(self, check: TokenCheck) -> None:
        """Compare the record of a check with the store, for a request that no store has confirmed.

        Raises:
            TokenChanged: The record is not the same.
        """
        check.compare(self._store.find(check.record.id))

    def list(self, tenant: str = "default") -> Sequence[TokenRecord]:
        """Return the token records of a tenant, including revoked and expired tokens."""
        return self._store.list(tenant)

    def find(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Return the record of a token.

        Raises:
            NotFound: The tenant has no token with this id.
        """
        return record_of_tenant(self._store.find(id), tenant)

    def activate(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Accept a deactivated token again, and return its record.

        Raises:
            NotFound: The tenant has no token with this id.
            TokenStateError: The token is revoked.
        """
        return self._change(id, tenant, activation(True))

    def deactivate(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Refuse a token until `activate` is called, and return its record.

        Raises:
            NotFound: The tenant has no token with this id.
            TokenStateError: The token is revoked.
        """
        return self._change(id, tenant, activation(False))

    def revoke(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Revoke a token permanently, and return its record.

        Raises:
            NotFound: The tenant has no token with this id.
        """
        return self._change(id, tenant, revocation(self._clock()))

    def update(
        self,
        id: str,
        *,
        tenant: str = "default",
        description: str | Unchanged = UNCHANGED,
        expires: datetime | Unchanged | None = UNCHANGED,
    ) -> TokenRecord:
        """Change the description or the expiry of a token, and return its record. `expires=None` removes the expiry.

        Raises:
            NotFound: The tenant has no token with this id.
            TokenStateError: The token is revoked.
            ValueError: The expiry has no time zone.
        """
        return self._change(id, tenant, edit(description, expires))

    def rotate(
        self,
        id: str,
        *,
        tenant: str = "default",
        overlap: timedelta = OVERLAP,
        expires_in: timedelta | None = None,
        created_by: str | None = None,
    ) -> IssuedToken:
        """Issue a token that replaces another one, with the same description, scopes and dialect.

        Both tokens are valid until the overlap ends. Then the old token expires, or earlier if it had an earlier
        expiry. The successor of an inactive token is inactive.

        Args:
            id: The id of the old token.
            tenant: The tenant of the token.
            overlap: The time for which the old token stays valid. The default is one day.
            expires_in: The time until the new token expires. By default, the new token does not expire.
            created_by: The person or program that rotates the token.

        Raises:
            NotFound: The tenant has no token with this id.
            TokenStateError: The token is revoked or expired.
            ValueError: The overlap is negative.
        """
        check_overlap(overlap)
        old = self.find(id, tenant=tenant)
        check_rotation(old, self._clock())
        issued = self._successor(old, expires_in=expires_in, created_by=created_by)
        self._store.add(issued.record)
        try:
            self._change(id, tenant, early_expiry(self._clock(), overlap))
        except TokenStateError:
            self.revoke(issued.record.id, tenant=tenant)
            raise
        return issued

    def remove_expired(self, created_by: str, before: datetime, *, tenant: str = "default") -> None:
        """Delete the records with this `created_by` that expired before a time, if the store can do it."""
        remove = getattr(self._store, "remove_expired", None)
        if remove is not None:
            remove(tenant, created_by, before)

    def _change(self, id: str, tenant: str, change: Change) -> TokenRecord:
        """Read a record, change it and store it, again and again while other processes change it."""
        for _ in range(ATTEMPTS):
            old = self.find(id, tenant=tenant)
            new = change(old)
            if new == old or self._store.update(old, new):
                self._forget_record(id)
                return new
        raise Conflict("The token was changed by other processes; try again.")
