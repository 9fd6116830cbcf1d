"""The common part of the sync and the async token registry: new tokens, verification, and the tokens seen before.

This module does not call a store.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from time import monotonic
from typing import Final, TypeAlias

from scimkit.errors import NotFound, Unauthorized
from scimkit.tokens.checks import TokenCheck
from scimkit.tokens.format import new_token, parse_token
from scimkit.tokens.records import MINUTE, IssuedToken, TokenRecord
from scimkit.tokens.scopes import check_scopes, effective_scopes
from scimkit.tokens.seen import SeenTokens, digest_of
from scimkit.tokens.verifier import Principal

_log = logging.getLogger("scimkit")

_INVALID: Final = 'Bearer realm="scim", error="invalid_token"'
_NO_HASH: Final = b"\0" * 32
_MAX_VERIFIED_TOKENS: Final = 1024
_MAX_WRITTEN_USES: Final = 10_000
_HINT_LENGTH: Final = 4
_LONGEST_CACHE: Final = timedelta(minutes=5)


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


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


_VerifiedToken: TypeAlias = tuple[str, bytes, TokenRecord, Principal]
"""The id of a token, the hash of its secret, the record that verified it last, and the principal of that record."""
_UNVERIFIED: Final = Principal("", "")
"""The placeholder principal of a token that no record has verified yet."""


class BaseRegistry:
    """The common base of the sync and the async registry.

    It creates and verifies tokens, but does not store records.
    """

    def __init__(self, clock: Callable[[], datetime], cache: timedelta | None = None) -> None:
        if cache is not None and not timedelta(0) < cache <= _LONGEST_CACHE:
            raise ValueError("cache must be longer than 0 seconds and at most 5 minutes")
        self._clock = clock
        self._cache_seconds = 0.0 if cache is None else cache.total_seconds()
        self._recent: dict[str, tuple[float, TokenRecord]] = {}
        """The records that were read within the time of the cache, by the id of the token, with the end of the time."""
        self._verified_tokens: dict[bytes, _VerifiedToken] = {}
        """The parts of tokens that were valid, by the digest of their text.

        This cache only saves parsing the text. Every verification still reads the record from the store.
        """
        self._seen = SeenTokens()
        """The tokens that this process issued or verified."""
        self._written: dict[str, datetime] = {}
        """The minute that this process last tried to write as `last_used`, by the id of the token."""

    @property
    def token_store(self) -> object:
        """The store of the token records."""
        raise NotImplementedError

    def is_known(self, token: str) -> bool:
        """Report whether this process has issued or verified a token before."""
        return digest_of(token) in self._seen

    def is_well_formed(self, token: str) -> bool:
        """Report whether a text has the form of a token, without a look at the store."""
        return parse_token(token) is not None

    def _new_token(
        self,
        description: str,
        *,
        tenant: str,
        expires_in: timedelta | None,
        dialect: str | None,
        scopes: Iterable[str],
        created_by: str | None,
        active: bool = True,
        rotated_from: str | None = None,
    ) -> IssuedToken:
        """Return a new token. The caller stores its record."""
        parts, now = new_token(), self._clock()
        text = parts.text()
        record = TokenRecord(
            id=parts.id,
            tenant=tenant,
            description=description,
            hash=_hash(parts.secret),
            created=now,
            expires=None if expires_in is None else now + expires_in,
            dialect=dialect,
            created_by=created_by,
            active=active,
            scopes=check_scopes(scopes),
            hint=text[-_HINT_LENGTH:],
            rotated_from=rotated_from,
        )
        self._seen.add(digest_of(text))
        return IssuedToken(text, record)

    def _successor(
        self, old: TokenRecord, *, expires_in: timedelta | None, created_by: str | None = None
    ) -> IssuedToken:
        """Return a new token with the description, dialect, scopes and activity of an old one."""
        return self._new_token(
            old.description,
            tenant=old.tenant,
            expires_in=expires_in,
            dialect=old.dialect,
            scopes=old.scopes,
            created_by=created_by,
            active=old.active,
            rotated_from=old.id,
        )

    def _parse_or_recall(self, digest: bytes, token: str) -> tuple[str, bytes, TokenRecord | None, Principal]:
        """Return the parts of a token from the cache, or parse the token. Raises InvalidToken."""
        return self._verified_tokens.get(digest) or (*_id_and_hash(token), None, _UNVERIFIED)

    def recall(self, token: str) -> tuple[Principal, TokenCheck] | None:
        """Verify a token by the record that verified it last, without a look at the store.

        The caller must have the check made before the request reads or writes anything. The result is None if the token
        must be verified by `verify`: it was not valid before or is not now, or the time of its last use is due.
        """
        digest = digest_of(token)
        read = self._verified_tokens.get(digest)
        if read is None or self._cache_seconds:
            return None
        record, now = read[2], self._clock()
        last, minute = record.last_used, now.replace(second=0, microsecond=0)
        if (last is None or now - last >= MINUTE) and self._written.get(record.id) != minute:
            return None
        try:
            principal, _ = self._check_record(digest, read, record)
        except InvalidToken:
            return None
        return principal, TokenCheck(record, self.token_store)

    def _recall_record(self, id: str) -> TokenRecord | None:
        """Return the record of a token if it was read within the time of the cache."""
        found = self._recent.get(id)
        if found is None or found[0] <= monotonic():
            return None
        return found[1]

    def _keep_record(self, record: TokenRecord | None) -> None:
        """Keep a record for the time of the cache, if there is a cache."""
        if record is None or not self._cache_seconds:
            return
        if len(self._recent) >= _MAX_VERIFIED_TOKENS:
            self._recent = {}
        self._recent[record.id] = monotonic() + self._cache_seconds, record

    def _forget_record(self, id: str) -> None:
        """Read the record of a token anew at its next verification."""
        self._recent.pop(id, None)

    def _check_record(
        self, digest: bytes, read: tuple[str, bytes, TokenRecord | None, Principal], record: TokenRecord | None
    ) -> tuple[Principal, datetime | None]:
        """Compare a token with its stored record. Return the principal, and the time to write as last use or None.

        Raises InvalidToken.
        """
        id, secret, checked, principal = read
        matches = hmac.compare_digest(secret, _NO_HASH if record is None else record.hash)
        if record is None or not matches:
            raise InvalidToken("no token with this id and secret was issued")
        now = self._clock()
        if not record.active or record.revoked is not None or record.expires is not None:
            status = record.status(now)
            if status != "Active":
                raise InvalidToken(f"the token is {status.lower()}", token_id=record.id, tenant=record.tenant)
        if record is not checked:
            scopes = effective_scopes(record.scopes)
            principal = Principal(record.tenant, record.id, record.description, record.dialect, scopes)
            if checked is not None or len(self._verified_tokens) < _MAX_VERIFIED_TOKENS:
                self._verified_tokens[digest] = id, secret, record, principal
            self._seen.add(digest)
        last = record.last_used
        return principal, None if last is not None and now - last < MINUTE else self._use_to_write(record.id, now)

    def _use_to_write(self, id: str, now: datetime) -> datetime | None:
        """Return the minute to write as `last_used`, or None if this process has tried to write it."""
        minute = now.replace(second=0, microsecond=0)
        if self._written.get(id) == minute:
            return None
        if len(self._written) >= _MAX_WRITTEN_USES:
            self._written = {}
        self._written[id] = minute
        return minute


def record_of_tenant(record: TokenRecord | None, tenant: str) -> TokenRecord:
    """Return the record if it belongs to the tenant.

    Raises:
        NotFound: The tenant has no token with this id.
    """
    if record is None or record.tenant != tenant:
        raise NotFound("The tenant has no token with this id.")
    return record


def log_unwritten_use(id: str, error: Exception) -> None:
    """Log that the time of last use could not be written. The verification succeeds all the same."""
    _log.info("the last use of the token %s was not written: %s", id, type(error).__name__)


def _id_and_hash(token: str) -> tuple[str, bytes]:
    """Return the id of a token and the hash of its secret. Raises InvalidToken if the text cannot be a token."""
    parts = parse_token(token)
    if parts is None:
        raise InvalidToken("the text is not a token of scimkit: it is mistyped, incomplete, or from another service")
    return parts.id, _hash(parts.secret)


def _hash(secret: str) -> bytes:
    """Return the SHA-256 of a secret."""
    return sha256(secret.encode()).digest()
