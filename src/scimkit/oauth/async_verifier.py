"""`AsyncJwtVerifier`: verifies access tokens of an OAuth authorization server on an event loop."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Collection, Container, Mapping
from datetime import datetime
from inspect import isawaitable
from typing import Any, Literal

from scimkit.oauth.claims import AsyncTenantRule, Claims, ScopeRule
from scimkit.oauth.fetching import fetch, tls_settings
from scimkit.oauth.key_sets import KeysUnavailable, SigningKey
from scimkit.oauth.verification import ACCESS_TOKEN, ALGORITHMS, BaseJwtVerifier, UnverifiedToken
from scimkit.tokens import Principal


class AsyncJwtVerifier(BaseJwtVerifier):
    """A `JwtVerifier` with an async `verify`. It implements `TokenVerifier` and never blocks the event loop.

    Args:
        issuer: The accepted `iss`, or a container of several.
        audience: The accepted `aud`, or several.
        jwks: The URL of the key set of the issuer, or the key set itself.
        tenant: The name of the claim with the tenant, or a function of the claims, which may be async.
        scopes: What a token permits, as in `JwtVerifier`.
        types: The accepted `typ` headers.
        algorithms: The accepted `alg` headers.
        dialect: The name of the dialect of requests with these tokens.
        leeway: Seconds by which the clock of the issuer may differ, at most 300.
        max_age: Seconds after which the keys are fetched again, beside the requests.
        timeout: Seconds that a fetch of the keys may take in all.
        allow_http: Accept a URL with `http`, for tests on one machine.
        allowed_networks: None to fetch the keys from any address. A collection fetches them from public addresses only,
            and from networks such as `10.0.0.0/8` in it. Use it if another person than you entered the URL.
        ssl_context: The TLS settings, for an issuer with a certificate of your own authority.
        clock: A function that returns the time in UTC, for tests.
        monotonic: A function that returns the seconds of a steady clock, for tests.

    Raises:
        ValueError: An argument is not valid.
    """

    is_async: Literal[True] = True

    def __init__(
        self,
        *,
        issuer: str | Container[str],
        audience: str | Collection[str],
        jwks: str | Mapping[str, Any],
        tenant: AsyncTenantRule | None = None,
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
        self._fetching: asyncio.Task[None] | None = None

    async def verify(self, token: str) -> Principal:
        """Return the principal of an access token, as `JwtVerifier.verify` does."""
        read = self._recall(token)
        refusal = self._verify(read, await self._key_of(read))
        tenant = self._tenant_of(read.claims)
        return self._principal(read, await tenant if isawaitable(tenant) else tenant, refusal)

    async def claims(self, token: str) -> Claims:
        """Return the claims of a token, as `JwtVerifier.claims` does."""
        read = self._read(token)
        return self._claims(read, await self._key_of(read))

    async def _key_of(self, read: UnverifiedToken) -> SigningKey:
        """Return the key of a token, after a fetch if one is due. Raises InvalidToken or Unavailable."""
        key = self._cache.find(read.kid, read.algorithm)
        if key is None or self._cache.is_old:
            await self._refresh(may_wait=key is None)
            key = self._cache.find(read.kid, read.algorithm)
        if key is None:
            raise self._cache.missing()
        return key

    async def _refresh(self, *, may_wait: bool) -> None:
        """Fetch the keys if the last fetch is long enough ago. Requests share one fetch.

        A request that knows the key of its token does not wait. A request that ends early does not end the fetch.
        """
        loop = asyncio.get_running_loop()
        task = self._fetching
        if self._url is None:
            return
        if task is None or task.done() or task.get_loop() is not loop:
            if not self._cache.may_fetch:
                return
            self._cache.begin()
            task = self._fetching = loop.create_task(self._fetch(self._url))
        if may_wait:
            await asyncio.shield(task)

    async def _fetch(self, url: str) -> None:
        """Fetch the keys and keep them, or log why this failed."""
        try:
            self._cache.keep(await fetch(url, self._timeout, self._context, self._networks))
        except KeysUnavailable as error:
            self._cache.note_failure(str(error))
