"""Tokens that a host issues: kept hashed, shown once, scoped to a tenant.

This module never keeps, logs or shows a secret after it was issued.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2s, sha256
from threading import Lock
from typing import Final, Literal, Protocol, TypeAlias

from scimkit.errors import NotFound, Unauthorized
from scimkit.tokens.format import new_token, parse_token
from scimkit.tokens.verifier import Principal

TokenStatus: TypeAlias = Literal["Active", "Expired", "Revoked"]

_INVALID: Final = 'Bearer realm="scim", error="invalid_token"'
_NO_HASH: Final = b"\0" * 32
_READ_KEPT: Final = 1024


class InvalidToken(Unauthorized):
    """401 for a token that is not valid. `reason` is for the host's log; the client is not told it."""

    def __init__(self, reason: str, *, token_id: str | None = None, tenant: str | None = None) -> None:
        self.reason = reason
        self.token_id = token_id
        """The id of the token, if the token was issued once."""
        self.tenant = tenant
        """The tenant of the token, if the token was issued once."""
        super().__init__("The bearer token is not valid.", challenge=_INVALID)


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is kept of a token. Instants are in UTC.

    `hash` is the SHA-256 of the secret: the secret is 214 random bits, so that no slow hash is needed.
    """

    id: str
    tenant: str
    description: str
    hash: bytes = field(repr=False)
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    dialect: str | None = None

    def status(self, now: datetime) -> TokenStatus:
        """What an admin sees in the list of tokens."""
        if self.revoked is not None:
            return "Revoked"
        return "Expired" if self.expires is not None and self.expires <= now else "Active"


class TokenStore(Protocol):
    """Keeps token records."""

    def add(self, record: TokenRecord) -> None:
        """Keep a new record."""
        ...

    def find(self, id: str) -> TokenRecord | None:
        """The record of a token, whoever's it is."""
        ...

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        """The records of a tenant, in the order they were added."""
        ...

    def update(self, record: TokenRecord) -> None:
        """Keep another state of a record."""
        ...


class MemoryTokenStore:
    """Keeps token records in this process."""

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
            return [record for record in self._records.values() if record.tenant == tenant]

    def update(self, record: TokenRecord) -> None:
        self.add(record)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token. `token` is its text: show it once, it is kept nowhere."""

    token: str = field(repr=False)
    record: TokenRecord


def _utc_now() -> datetime:
    return datetime.now(UTC)


_Read: TypeAlias = tuple[str, bytes, TokenRecord, Principal]
"""The id and the hash of the secret of a token, the record it was last held against, and whom that says it is of."""
_NOBODY: Final = Principal("", "")


class _Verifier:
    """What both colors of registry share: tokens are made and verified, a store keeps their records."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._read: dict[bytes, _Read] = {}
        """Tokens that were valid, by the digest of their text.

        It spares reading the text again, and nothing else: whether the token is valid, the store is always asked.
        """

    def _made(self, description: str, tenant: str, expires_in: timedelta | None, dialect: str | None) -> IssuedToken:
        """Return a new token, which is not kept yet."""
        parts, now = new_token(), self._clock()
        record = TokenRecord(
            id=parts.id,
            tenant=tenant,
            description=description,
            hash=_hash(parts.secret),
            created=now,
            expires=None if expires_in is None else now + expires_in,
            dialect=dialect,
        )
        return IssuedToken(parts.text(), record)

    def _recall(self, digest: bytes, token: str) -> tuple[str, bytes, TokenRecord | None, Principal]:
        """Return the parts of a token, read now or before. Raises InvalidToken."""
        return self._read.get(digest) or (*_parts(token), None, _NOBODY)

    def _accept(
        self, digest: bytes, read: tuple[str, bytes, TokenRecord | None, Principal], record: TokenRecord | None
    ) -> Principal:
        """Hold a token against the record that the store has. Raises InvalidToken."""
        id, secret, checked, principal = read
        matches = hmac.compare_digest(secret, _NO_HASH if record is None else record.hash)
        if record is None or not matches:
            raise InvalidToken("no such token was issued")
        if record.revoked is not None or record.expires is not None:
            status = record.status(self._clock())
            if status != "Active":
                raise InvalidToken(f"the token is {status.lower()}", token_id=record.id, tenant=record.tenant)
        if record is not checked:
            principal = Principal(record.tenant, record.id, record.description, record.dialect)
            if checked is not None or len(self._read) < _READ_KEPT:
                self._read[digest] = id, secret, record, principal
        return principal


class TokenRegistry(_Verifier):
    """Issues, verifies, rotates and revokes tokens. A `SyncTokenVerifier`."""

    is_async: Literal[False] = False

    @property
    def blocking(self) -> bool:
        """Whether a verification may wait for a database: unless the store of the tokens says that it never waits."""
        return getattr(self._store, "blocking", True)

    def __init__(self, store: TokenStore | None = None, *, clock: Callable[[], datetime] = _utc_now) -> None:
        super().__init__(clock)
        self._store = MemoryTokenStore() if store is None else store

    def issue(
        self,
        description: str,
        *,
        tenant: str = "default",
        expires_in: timedelta | None = None,
        dialect: str | None = None,
    ) -> IssuedToken:
        """Return a new active token of a tenant. A tenant may have several, so that one can be rotated."""
        issued = self._made(description, tenant, expires_in, dialect)
        self._store.add(issued.record)
        return issued

    def verify(self, token: str) -> Principal:
        """Return whom a token belongs to.

        Raises:
            InvalidToken: The token is not valid. The client is told the same whatever the reason.
        """
        digest = blake2s(token.encode()).digest()
        read = self._recall(digest, token)
        return self._accept(digest, read, self._store.find(read[0]))

    def revoke(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Make a token invalid for good. Raises NotFound if the tenant has no such token."""
        record = _of_tenant(self._store.find(id), tenant)
        if record.revoked is None:
            record = replace(record, revoked=self._clock())
            self._store.update(record)
        return record

    def rotate(self, id: str, *, tenant: str = "default", expires_in: timedelta | None = None) -> IssuedToken:
        """Return another token like this one. Both are valid until the old one is revoked.

        Raises:
            NotFound: The tenant has no such token.
        """
        old = _of_tenant(self._store.find(id), tenant)
        return self.issue(old.description, tenant=tenant, expires_in=expires_in, dialect=old.dialect)

    def list(self, tenant: str = "default") -> Sequence[TokenRecord]:
        """Return the tokens of a tenant, revoked and expired ones too."""
        return self._store.list(tenant)


class AsyncTokenStore(Protocol):
    """A `TokenStore` whose methods are awaited."""

    async def add(self, record: TokenRecord) -> None: ...
    async def find(self, id: str) -> TokenRecord | None: ...
    async def list(self, tenant: str) -> Sequence[TokenRecord]: ...
    async def update(self, record: TokenRecord) -> None: ...


class AsyncTokenRegistry(_Verifier):
    """A `TokenRegistry` whose methods are awaited. A `TokenVerifier` that never blocks its event loop."""

    is_async: Literal[True] = True

    def __init__(self, store: AsyncTokenStore, *, clock: Callable[[], datetime] = _utc_now) -> None:
        super().__init__(clock)
        self._store = store

    async def issue(
        self,
        description: str,
        *,
        tenant: str = "default",
        expires_in: timedelta | None = None,
        dialect: str | None = None,
    ) -> IssuedToken:
        """Return what `TokenRegistry.issue` returns."""
        issued = self._made(description, tenant, expires_in, dialect)
        await self._store.add(issued.record)
        return issued

    async def verify(self, token: str) -> Principal:
        """Return what `TokenRegistry.verify` returns. Raises InvalidToken."""
        digest = blake2s(token.encode()).digest()
        read = self._recall(digest, token)
        return self._accept(digest, read, await self._store.find(read[0]))

    async def revoke(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Make a token invalid for good. Raises NotFound if the tenant has no such token."""
        record = _of_tenant(await self._store.find(id), tenant)
        if record.revoked is None:
            record = replace(record, revoked=self._clock())
            await self._store.update(record)
        return record

    async def rotate(self, id: str, *, tenant: str = "default", expires_in: timedelta | None = None) -> IssuedToken:
        """Return what `TokenRegistry.rotate` returns. Raises NotFound if the tenant has no such token."""
        old = _of_tenant(await self._store.find(id), tenant)
        return await self.issue(old.description, tenant=tenant, expires_in=expires_in, dialect=old.dialect)

    async def list(self, tenant: str = "default") -> Sequence[TokenRecord]:
        """Return the tokens of a tenant, revoked and expired ones too."""
        return await self._store.list(tenant)


def _of_tenant(record: TokenRecord | None, tenant: str) -> TokenRecord:
    if record is None or record.tenant != tenant:
        raise NotFound("This token does not exist.")
    return record


def _parts(token: str) -> tuple[str, bytes]:
    """The id of a token, and the hash of its secret. Raises: InvalidToken."""
    parts = parse_token(token)
    if parts is None:
        raise InvalidToken("the text is no token of this service: mistyped, cut off, or another service's")
    return parts.id, _hash(parts.secret)


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
