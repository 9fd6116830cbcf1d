"""The token registry for event loops. It awaits its store and never blocks."""

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
from scimkit.tokens.stores import AsyncTokenStore
from scimkit.tokens.verification import BaseRegistry, log_unwritten_use, record_of_tenant, utc_now
from scimkit.tokens.verifier import Principal


class AsyncTokenRegistry(BaseRegistry):
    """A `TokenRegistry` with async methods. It implements `TokenVerifier` and never blocks the event loop.

    Args:
        store: The async store of the token records.
        clock: A function that returns the time in UTC, for tests.
        cache: The time for which a record may be used without reading it again, as for `TokenRegistry`.

    Raises:
        ValueError: The time of the cache is out of range.
    """

    is_async: Literal[True] = True

    def __init__(
        self, store: AsyncTokenStore, *, clock: Callable[[], datetime] = utc_now, cache: timedelta | None = None
    ) -> None:
        super().__init__(clock, cache)
        self._store = store

    @property
    def token_store(self) -> AsyncTokenStore:
        """The store of the token records."""
        return self._store

    async def issue(
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
        """Issue a new token, as `TokenRegistry.issue` does."""
        issued = self._new_token(
            description, tenant=tenant, expires_in=expires_in, dialect=dialect, scopes=scopes, created_by=created_by,
            active=active,
        )  # fmt: skip
        await self._store.add(issued.record)
        return issued

    async def verify(self, token: str) -> Principal:
        """Return the principal of a token, and write the time of its last use at most once a minute.

        Raises:
            InvalidToken: The token is not valid.
        """
        digest = digest_of(token)
        read = self._parse_or_recall(digest, token)
        record = self._recall_record(read[0]) if self._cache_seconds else None
        if record is None:
            record = await self._store.find(read[0])
            self._keep_record(record)
        principal, used = self._check_record(digest, read, record)
        if used is not None:
            try:
                await self._store.touch(principal.token_id, used)
            except Exception as error:
                log_unwritten_use(principal.token_id, error)
        return principal

    async def confirm(self, check: TokenCheck) -> None:
        """Compare the record of a check with the store, for a request that no store has confirmed.

        Raises:
            TokenChanged: The record is not the same.
        """
        check.compare(await self._store.find(check.record.id))

    async def list(self, tenant: str = "default") -> Sequence[TokenRecord]:
        """Return the token records of a tenant, including revoked and expired tokens."""
        return await self._store.list(tenant)

    async def find(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Return the record of a token, as `TokenRegistry.find` does."""
        return record_of_tenant(await self._store.find(id), tenant)

    async def activate(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Accept a deactivated token again, as `TokenRegistry.activate` does."""
        return await self._change(id, tenant, activation(True))

    async def deactivate(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Refuse a token until `activate` is called, as `TokenRegistry.deactivate` does."""
        return await self._change(id, tenant, activation(False))

    async def revoke(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Revoke a token permanently, as `TokenRegistry.revoke` does."""
        return await self._change(id, tenant, revocation(self._clock()))

    async def update(
        self,
        id: str,
        *,
        tenant: str = "default",
        description: str | Unchanged = UNCHANGED,
        expires: datetime | Unchanged | None = UNCHANGED,
    ) -> TokenRecord:
        """Change the description or the expiry of a token, as `TokenRegistry.update` does."""
        return await self._change(id, tenant, edit(description, expires))

    async def rotate(
        self,
        id: str,
        *,
        tenant: str = "default",
        overlap: timedelta = OVERLAP,
        expires_in: timedelta | None = None,
        created_by: str | None = None,
    ) -> IssuedToken:
        """Issue a token that replaces another one, as `TokenRegistry.rotate` does."""
        check_overlap(overlap)
        old = await self.find(id, tenant=tenant)
        check_rotation(old, self._clock())
        issued = self._successor(old, expires_in=expires_in, created_by=created_by)
        await self._store.add(issued.record)
        try:
            await self._change(id, tenant, early_expiry(self._clock(), overlap))
        except TokenStateError:
            await self.revoke(issued.record.id, tenant=tenant)
            raise
        return issued

    async def remove_expired(self, created_by: str, before: datetime, *, tenant: str = "default") -> None:
        """Delete expired records, as `TokenRegistry.remove_expired` does."""
        remove = getattr(self._store, "remove_expired", None)
        if remove is not None:
            await remove(tenant, created_by, before)

    async def _change(self, id: str, tenant: str, change: Change) -> TokenRecord:
        """Read a record, change it and store it, again and again while other processes change it."""
        for _ in range(ATTEMPTS):
            old = await self.find(id, tenant=tenant)
            new = change(old)
            if new == old or await self._store.update(old, new):
                self._forget_record(id)
                return new
        raise Conflict("The token was changed by other processes; try again.")
