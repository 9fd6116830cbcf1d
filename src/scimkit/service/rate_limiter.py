"""Refuse requests of tenants and tokens that send too many, and count the refusals for the provisioning log.

The limiter remembers for a moment that a token was refused. It refuses further requests with the token without a
look-up, a count or a thread. This module keeps digests of tokens, and never a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2s
from math import ceil
from threading import Lock
from time import monotonic
from typing import Final, NamedTuple
from urllib.parse import quote

from scimkit.errors import TooManyRequests
from scimkit.service.rate_limits import RateLimits
from scimkit.service.request_counts import RequestCounts
from scimkit.tokens import Principal

_MAX_TOKENS: Final = 10_000
"""Maximum number of tokens that are remembered. The token that was remembered first is forgotten."""
_LOG_INTERVAL: Final = 60.0
"""Number of seconds between two entries of the provisioning log for one token."""
_CONNECTIONS: Final = 10
"""Number of connections that are assumed for a store that does not report it."""
_BUSY: Final = 1
"""Number of seconds in `Retry-After` if too many requests of a tenant run at once."""


class RateLimited(TooManyRequests):
    """429: the tenant or the token of a request sends too many requests."""

    def __init__(self, retry_after: int, detail: str, principal: Principal, refusals: int) -> None:
        super().__init__(retry_after, detail)
        self.principal = principal
        """The principal whose request was refused."""
        self.refusals = refusals
        """The number of refused requests that the provisioning log must get now. 0 if an entry is not due."""


class _RememberedToken(NamedTuple):
    """A token that was verified, and the time until which its requests are refused."""

    principal: Principal
    refused_until: float = 0.0
    detail: str = ""


class _Refusals:
    """The refused requests of a token since the last entry of the provisioning log."""

    __slots__ = ("count", "logged", "principal")

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.count = 0
        self.logged = -_LOG_INTERVAL


class RateLimiter:
    """Applies the rate limits of a service.

    Args:
        options: The limits.
        is_async: Whether the service needs an event loop.
        connections: The number of connections of the store, or None.

    Raises:
        ModuleNotFoundError: The extra `limits` is not installed.
    """

    def __init__(self, options: RateLimits, *, is_async: bool, connections: int | None) -> None:
        self.blocking: bool = options.url != "memory://" and not is_async
        """True if `count` may block its thread while it waits for Redis."""
        self.concurrent: int = options.concurrent or max(1, (connections or _CONNECTIONS) // 2)
        """Maximum number of requests of a tenant that are handled at once."""
        self._options = options
        self._counts = RequestCounts(options.url, options.prefix, is_async=is_async)
        self._lock = Lock()
        self._tokens: dict[bytes, _RememberedToken] = {}
        self._refusals: dict[tuple[str, str], _Refusals] = {}
        self._running: dict[str, int] = {}

    def principal_of(self, headers: Mapping[str, str]) -> Principal | None:
        """Return the principal of a token that this process has verified before, or None."""
        known = self._tokens.get(_digest(headers))
        return None if known is None else known.principal

    def check(self, headers: Mapping[str, str]) -> None:
        """Check that the token of a request was not refused a moment ago. This method does no I/O.

        Raises:
            RateLimited: The token was refused, and its time to wait is not over.
        """
        known = self._tokens.get(_digest(headers))
        if known is not None and known.refused_until:
            seconds = known.refused_until - monotonic()
            if seconds > 0:
                raise self._refusal(known.principal, seconds, known.detail)

    async def count(self, headers: Mapping[str, str], principal: Principal) -> None:
        """Count a request with a valid token.

        Raises:
            RateLimited: The token or its tenant has sent too many requests.
        """
        tenant, options = quote(principal.tenant, safe=""), self._options
        rate = options.rate_of_token(principal.tenant)
        if rate is not None:
            seconds = await self._counts.count(*_window(rate, options), "token", tenant, principal.token_id)
            if seconds:
                raise self._over_limit(
                    headers, principal, seconds,
                    f"Too many requests: this token may send {rate:g} a second. Try again later.",
                )  # fmt: skip
        rate = options.rate_of_tenant(principal.tenant)
        if rate is not None:
            seconds = await self._counts.count(*_window(rate, options), "tenant", tenant)
            if seconds:
                raise self._over_limit(
                    headers, principal, seconds,
                    f"Too many requests: this tenant may send {rate:g} a second. Try again later.",
                )  # fmt: skip
        known = self._tokens.get(_digest(headers))
        if known is None or known.principal != principal:
            self._remember(headers, _RememberedToken(principal))

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._counts.close()

    def enter(self, principal: Principal) -> None:
        """Count a request as running.

        Raises:
            RateLimited: Too many requests of the tenant are running.
        """
        with self._lock:
            running = self._running.get(principal.tenant, 0)
            if running < self.concurrent:
                self._running[principal.tenant] = running + 1
                return
        raise self.busy(principal)

    def leave(self, principal: Principal) -> None:
        """Count a request as no longer running."""
        with self._lock:
            running = self._running[principal.tenant] - 1
            if running:
                self._running[principal.tenant] = running
            else:
                del self._running[principal.tenant]

    def busy(self, principal: Principal) -> RateLimited:
        """Return the error for a request of a tenant that has too many requests at once."""
        return self._refusal(principal, _BUSY, "Too many requests of this tenant run at once. Try again later.")

    def due_refusals(self, principal: Principal) -> int:
        """Return the number of refused requests of a token that no entry has yet, if an entry is due."""
        found = self._refusals.get((principal.tenant, principal.token_id))
        if found is None or monotonic() - found.logged < _LOG_INTERVAL:
            return 0
        with self._lock:
            self._refusals.pop((principal.tenant, principal.token_id), None)
            return found.count

    def all_refusals(self) -> list[tuple[Principal, int]]:
        """Return the principals with refused requests that no entry has yet, and forget the requests."""
        with self._lock:
            found = [(each.principal, each.count) for each in self._refusals.values() if each.count]
            self._refusals.clear()
        return found

    def _over_limit(self, headers: Mapping[str, str], principal: Principal, seconds: float, detail: str) -> RateLimited:
        """Remember that a token is refused for some seconds, and return the error."""
        self._remember(headers, _RememberedToken(principal, monotonic() + seconds, detail))
        return self._refusal(principal, seconds, detail)

    def _refusal(self, principal: Principal, seconds: float, detail: str) -> RateLimited:
        """Count a refused request, and return its error."""
        key, now, due = (principal.tenant, principal.token_id), monotonic(), 0
        with self._lock:
            refusals = self._refusals.get(key)
            if refusals is None:
                while len(self._refusals) >= _MAX_TOKENS:
                    del self._refusals[next(iter(self._refusals))]
                refusals = self._refusals[key] = _Refusals(principal)
            refusals.count += 1
            if now - refusals.logged >= _LOG_INTERVAL:
                due, refusals.count, refusals.logged = refusals.count, 0, now
        return RateLimited(max(1, ceil(seconds)), detail, principal, due)

    def _remember(self, headers: Mapping[str, str], token: _RememberedToken) -> None:
        """Remember a token."""
        digest = _digest(headers)
        with self._lock:
            while digest not in self._tokens and len(self._tokens) >= _MAX_TOKENS:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[digest] = token


def _window(rate: float, options: RateLimits) -> tuple[int, int]:
    """Return the number of requests of a window, and its length in seconds."""
    return max(1, round(rate * options.window)), options.window


def _digest(headers: Mapping[str, str]) -> bytes:
    """Return the digest of the Authorization header."""
    return blake2s(headers.get("authorization", "").encode()).digest()
