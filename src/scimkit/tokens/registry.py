"""The token registry issues, verifies, rotates and revokes bearer tokens.

Each token belongs to a tenant. The store keeps only the hash of a secret. The token is shown once, when it is issued.
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
_MAX_VERIFIED_TOKENS: Final = 1024


class InvalidToken(Unauthorized):
    """401: the bearer token is not valid.

    `reason` is for the log of the host. The client does not see it.
    """

    def __init__(self, reason: str, *, token_id: str | None = None, tenant: str | None = None) -> None:
        self.reason = reason
        self.token_id = token_id
        """The id of the token, if the token was issued."""
        self.tenant = tenant
        """The tenant of the token, if the token was issued."""
        super().__init__("The bearer token is not valid.", challenge=_INVALID)


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """The stored data of a token. All times are in UTC.

    `hash` is the SHA-256 of the secret. The secret has 214 random bits, so a slow hash is not needed.
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
        """Return the status of the token at a time, for a list of tokens."""
        if self.revoked is not None:
            return "Revoked"
        return "Expired" if self.expires is not None and self.expires <= now else "Active"


class TokenStore(Protocol):
    """A store of token records. Implement this protocol to keep tokens in your own tables."""

    def add(self, record: TokenRecord) -> None:
        """Store a new record."""
        ...

    def find(self, id: str) -> TokenRecord | None:
        """Return the record with an id, or None. The record may belong to any tenant."""
        ...

    def list(self, tenant: str) -> Sequence[TokenRecord]:
        """Return the records of a tenant, in the order in which they were added."""
        ...

    def update(self, record: TokenRecord) -> None:
        """Replace the stored record that has the same id."""
        ...


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
            return [record for record in self._records.values() if record.tenant == tenant]

    def update(self, record: TokenRecord) -> None:
        self.add(record)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token. Show the text `token` to the user once; the registry does not store it."""

    token: str = field(repr=False)
    record: TokenRecord


def _utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


_VerifiedToken: TypeAlias = tuple[str, bytes, TokenRecord, Principal]
"""The id of a token, the hash of its secret, the record that verified it last, and the principal of that record."""
_UNVERIFIED: Final = Principal("", "")
"""The placeholder principal of a token that no record has verified yet."""


class _BaseRegistry:
    """The common base of the sync and the async registry.

    It creates and verifies tokens, but does not store records.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._verified_tokens: dict[bytes, _VerifiedToken] = {}
        """The parts of tokens that were valid, by the digest of their text.

        This cache only saves parsing the text. Every verification still reads the record from the store.
        """

    def _new_token(
        self, description: str, tenant: str, expires_in: timedelta | None, dialect: str | None
    ) -> IssuedToken:
        """Return a new token. The caller stores its record."""
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

    def _parse_or_recall(self, digest: bytes, token: str) -> tuple[str, bytes, TokenRecord | None, Principal]:
        """Return the parts of a token from the cache, or parse the token. Raises InvalidToken."""
        return self._verified_tokens.get(digest) or (*_id_and_hash(token), None, _UNVERIFIED)

    def _check_record(
        self, digest: bytes, read: tuple[str, bytes, TokenRecord | None, Principal], record: TokenRecord | None
    ) -> Principal:
        """Compare a token with its stored record and return the principal. Raises InvalidToken."""
        id, secret, checked, principal = read
        matches = hmac.compare_digest(secret, _NO_HASH if record is None else record.hash)
        if record is None or not matches:
            raise InvalidToken("no token with this id and secret was issued")
        if record.revoked is not None or record.expires is not None:
            status = record.status(self._clock())
            if status != "Active":
                raise InvalidToken(f"the token is {status.lower()}", token_id=record.id, tenant=record.tenant)
        if record is not checked:
            principal = Principal(record.tenant, record.id, record.description, record.dialect)
            if checked is not None or len(self._verified_tokens) < _MAX_VERIFIED_TOKENS:
                self._verified_tokens[digest] = id, secret, record, principal
        return principal


class TokenRegistry(_BaseRegistry):
    """A registry that issues, verifies, rotates and revokes tokens. It implements `SyncTokenVerifier`.

    Args:
        store: The store of the token records. The default keeps them in memory.
        clock: A function that returns the time in UTC, for tests.
    """

    is_async: Literal[False] = False

    @property
    def blocking(self) -> bool:
        """True if a verification may wait for a database. A token store with `blocking = False` never waits."""
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
        """Issue a new active token. A tenant may have several active tokens, so that a token can be rotated.

        Args:
            description: The purpose of the token, such as the name of the identity provider.
            tenant: The tenant to which the token gives access.
            expires_in: The time until the token expires. By default, the token does not expire.
            dialect: The name of the dialect for requests with this token.
        """
        issued = self._new_token(description, tenant, expires_in, dialect)
        self._store.add(issued.record)
        return issued

    def verify(self, token: str) -> Principal:
        """Return the principal of a token.

        Raises:
            InvalidToken: The token is not valid. The client gets the same response for every reason.
        """
        digest = blake2s(token.encode()).digest()
        read = self._parse_or_recall(digest, token)
        return self._check_record(digest, read, self._store.find(read[0]))

    def revoke(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Revoke a token permanently, and return its record.

        Raises:
            NotFound: The tenant has no token with this id.
        """
        record = _record_of_tenant(self._store.find(id), tenant)
        if record.revoked is None:
            record = replace(record, revoked=self._clock())
            self._store.update(record)
        return record

    def rotate(self, id: str, *, tenant: str = "default", expires_in: timedelta | None = None) -> IssuedToken:
        """Issue a token with the description and dialect of another one. Both are valid until the old one is revoked.

        Raises:
            NotFound: The tenant has no token with this id.
        """
        old = _record_of_tenant(self._store.find(id), tenant)
        return self.issue(old.description, tenant=tenant, expires_in=expires_in, dialect=old.dialect)

    def list(self, tenant: str = "default") -> Sequence[TokenRecord]:
        """Return the token records of a tenant, including revoked and expired tokens."""
        return self._store.list(tenant)


class AsyncTokenStore(Protocol):
    """A `TokenStore` with async methods."""

    async def add(self, record: TokenRecord) -> None: ...
    async def find(self, id: str) -> TokenRecord | None: ...
    async def list(self, tenant: str) -> Sequence[TokenRecord]: ...
    async def update(self, record: TokenRecord) -> None: ...


class AsyncTokenRegistry(_BaseRegistry):
    """A `TokenRegistry` with async methods. It implements `TokenVerifier` and never blocks the event loop.

    Args:
        store: The async store of the token records.
        clock: A function that returns the time in UTC, for tests.
    """

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
        """Issue a new active token, as `TokenRegistry.issue` does."""
        issued = self._new_token(description, tenant, expires_in, dialect)
        await self._store.add(issued.record)
        return issued

    async def verify(self, token: str) -> Principal:
        """Return the principal of a token.

        Raises:
            InvalidToken: The token is not valid.
        """
        digest = blake2s(token.encode()).digest()
        read = self._parse_or_recall(digest, token)
        return self._check_record(digest, read, await self._store.find(read[0]))

    async def revoke(self, id: str, *, tenant: str = "default") -> TokenRecord:
        """Revoke a token permanently, and return its record.

        Raises:
            NotFound: The tenant has no token with this id.
        """
        record = _record_of_tenant(await self._store.find(id), tenant)
        if record.revoked is None:
            record = replace(record, revoked=self._clock())
            await self._store.update(record)
        return record

    async def rotate(self, id: str, *, tenant: str = "default", expires_in: timedelta | None = None) -> IssuedToken:
        """Issue a token with the description and dialect of another one, as `TokenRegistry.rotate` does.

        Raises:
            NotFound: The tenant has no token with this id.
        """
        old = _record_of_tenant(await self._store.find(id), tenant)
        return await self.issue(old.description, tenant=tenant, expires_in=expires_in, dialect=old.dialect)

    async def list(self, tenant: str = "default") -> Sequence[TokenRecord]:
        """Return the token records of a tenant, including revoked and expired tokens."""
        return await self._store.list(tenant)


def _record_of_tenant(record: TokenRecord | None, tenant: str) -> TokenRecord:
    """Return the record if it belongs to the tenant. Raises NotFound."""
    if record is None or record.tenant != tenant:
        raise NotFound("The tenant has no token with this id.")
    return record


def _id_and_hash(token: str) -> tuple[str, bytes]:
    """Return the id of a token and the hash of its secret. Raises InvalidToken if the text cannot be a token."""
    parts = parse_token(token)
    if parts is None:
        raise InvalidToken("the text is not a token of scimkit: it is mistyped, incomplete, or from another service")
    return parts.id, _hash(parts.secret)


def _hash(secret: str) -> bytes:
    """Return the SHA-256 of a secret."""
    return sha256(secret.encode()).digest()
