"""`JwtVerifier`: verifies access tokens of an OAuth authorization server, for services without an event loop."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Collection, Container, Mapping
from datetime import datetime
from threading import Lock
from typing import Any, Literal

from scimkit.oauth.claims import Claims, ScopeRule, TenantRule
from scimkit.oauth.fetching import fetch_in_thread, tls_settings
from scimkit.oauth.key_sets import KeysUnavailable, SigningKey
from scimkit.oauth.verification import ACCESS_TOKEN, ALGORITHMS, BaseJwtVerifier, UnverifiedToken
from scimkit.tokens import Principal


class JwtVerifier(BaseJwtVerifier):
    """Verifies access tokens that are JSON Web Tokens (RFC 9068), as a `SyncTokenVerifier`.

        JwtVerifier(
            issuer="https://login.example.org",
            audience="https://help.example.org/scim/v2",
            jwks="https://login.example.org/keys",
        )

    A token is accepted if its type, issuer, audience, expiry and signature are right. Keys are only those of `jwks`.
    The headers `jku`, `x5u`, `jwk` and `x5c` of a token have no effect. The `token_id` of the principal is the id of
    the client, because the token itself changes every hour.

    Args:
        issuer: The accepted `iss`, exactly as in the token. A container of texts accepts several, such as a set.
        audience: The accepted `aud`: an identifier of your service, or several.
        jwks: The URL of the key set of the issuer, or the key set itself as a dict with `keys` (RFC 7517).
        tenant: The name of the claim with the tenant, or a function of the claims that returns the tenant. The function
            returns None to refuse the token. By default, all tokens belong to the tenant `default`.
        scopes: What a token permits: a dict from values of `scope`, `scp` and `roles` to token scopes, the same token
            scopes for every token, or a function of the claims. By default, a value such as `write:User` is a token
            scope, and other values permit nothing.
        types: The accepted `typ` headers, compared without regard to case. `""` stands for a token without `typ`.
        algorithms: The accepted `alg` headers. HMAC is possible only with a key set of your own.
        dialect: The name of the dialect of requests with these tokens.
        leeway: Seconds by which the clock of the issuer may differ, at most 300.
        max_age: Seconds after which the keys are fetched again. If the fetch fails, the earlier keys stay in use.
        timeout: Seconds that a fetch of the keys may take in all.
        allow_http: Accept a URL with `http`, for tests on one machine.
        allowed_networks: None to fetch the keys from any address. A collection fetches them from public addresses only,
            and from networks such as `10.0.0.0/8` in it. Use it if another person than you entered the URL.
        ssl_context: The TLS settings, for an issuer with a certificate of your own authority.
        clock: A function that returns the time in UTC, for tests.
        monotonic: A function that returns the seconds of a steady clock, for tests.

    Raises:
        ValueError: An argument is not valid, such as an empty audience or a key set without a usable key.
    """

    is_async: Literal[False] = False

    def __init__(
        self,
        *,
        issuer: str | Container[str],
        audience: str | Collection[str],
        jwks: str | Mapping[str, Any],
        tenant: TenantRule | None = None,
        scopes: ScopeRule | None = None,
        types: Collection[str] = ACCESS_TOKEN,
        algorithms: Collection[str] = ALGORITHMS,
        dialect: str | None = None,
        leeway: int = 60,
        max_age: float = 3600.0,
        timeout: float = 5.0,
        allow_http: bool = False,
        allowed_networks: Collection[str] | None = None,
        ssl_context: ssl.SSLContext | None = None,
        clock: Callable[[], datetime] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            issuer=issuer, audience=audience, jwks=jwks, tenant=tenant, scopes=scopes, types=types,
            algorithms=algorithms, dialect=dialect, leeway=leeway, max_age=max_age, allow_http=allow_http,
            allowed_networks=allowed_networks, clock=clock, monotonic=monotonic,
        )  # fmt: skip
        self._timeout = timeout
        self._context = tls_settings(self._url, ssl_context)
        self._lock = Lock()

    @property
    def blocking(self) -> bool:
        """True if a verification may wait for the keys of the issuer."""
        return self._url is not None

    def verify(self, token: str) -> Principal:
        """Return the principal of an access token.

        Raises:
            InvalidToken: The token is not valid.
            Unavailable: The key of the token is unknown, and the issuer cannot be asked.
        """
        read = self._recall(token)
        refusal = self._verify(read, self._key_of(read))
        return self._principal(read, self._tenant_of(read.claims), refusal)

    def claims(self, token: str) -> Claims:
        """Return the claims of a token with a right type, issuer, audience, expiry and signature.

        `TokenEndpoint` uses it for assertions of clients, which need not name a client and a tenant as tokens do.

        Raises:
            InvalidToken: The token is not valid.
            Unavailable: The key of the token is unknown, and the issuer cannot be asked.
        """
        read = self._read(token)
        return self._claims(read, self._key_of(read))

    def _key_of(self, read: UnverifiedToken) -> SigningKey:
        """Return the key of a token, after a fetch if one is due. Raises InvalidToken or Unavailable."""
        key = self._cache.find(read.kid, read.algorithm)
        if key is None or self._cache.is_old:
            self._refresh(may_wait=key is None)
            key = self._cache.find(read.kid, read.algorithm)
        if key is None:
            raise self._cache.missing()
        return key

    def _refresh(self, *, may_wait: bool) -> None:
        """Fetch the keys if the last fetch is long enough ago. One thread fetches.

        A thread that knows the key of its token does not wait for another one that fetches.
        """
        if self._url is None or not self._lock.acquire(timeout=self._timeout + 1 if may_wait else 0):
            return
        try:
            if self._cache.may_fetch:
                self._cache.begin()
                self._cache.keep(fetch_in_thread(self._url, self._timeout, self._context, self._networks))
        except KeysUnavailable as error:
            self._cache.note_failure(str(error))
        finally:
            self._lock.release()
