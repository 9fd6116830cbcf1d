"""Signed assertions that authenticate OAuth clients (RFC 7523 section 2.2 and 3): `private_key_jwt` and federation.

An assertion is verified with the keys of a trust only if its issuer, subject and audience are exactly those of it.
"""

from __future__ import annotations

import ssl
from base64 import urlsafe_b64decode
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final

import httpx

from scimkit.documents import parse_object
from scimkit.errors import InvalidSyntax
from scimkit.oauth.async_verifier import AsyncJwtVerifier
from scimkit.oauth.claims import Claims
from scimkit.oauth.used_assertions import UsedAssertions
from scimkit.oauth.verification import MAX_TOKEN
from scimkit.oauth.verifier import JwtVerifier
from scimkit.runner import result_of
from scimkit.tokens import Client, InvalidToken, Trust

TYPES: Final = ("", "jwt", "client-authentication+jwt")
"""The accepted `typ` headers of assertions. An access token of RFC 9068 is not an assertion."""
LEEWAY: Final = 60
"""Seconds by which the clock of an issuer may differ."""
LONGEST_OWN: Final = 3600
"""Seconds that an assertion of `private_key_jwt` may still be valid."""
LONGEST_FEDERATED: Final = 7200
"""Seconds that an assertion of another issuer may still be valid. Those of Entra ID are valid for 60 to 90 minutes."""
MAX_VERIFIERS: Final = 100
"""Maximum number of trusts whose keys are kept. The trust that was used longest ago is forgotten."""
_MAX_JTI: Final = 255


class Assertions:
    """Verifies assertions of clients.

    Args:
        is_async: Whether to wait for keys on an event loop.
        allow_http: Accept key sets at a URL with `http`.
        allowed_networks: Networks from which keys may be fetched beside public addresses.
        timeout: Seconds that a fetch of keys may take.
        ssl_context: The TLS settings of fetches, or None.
        clock: A function that returns the time in UTC.
    """

    def __init__(
        self,
        *,
        is_async: bool,
        allow_http: bool,
        allowed_networks: Collection[str],
        timeout: float,
        ssl_context: ssl.SSLContext | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._options: dict[str, Any] = {
            "types": TYPES, "leeway": LEEWAY, "allow_http": allow_http, "allowed_networks": allowed_networks,
            "timeout": timeout, "clock": clock,
        }  # fmt: skip
        self._context = ssl_context
        self._kind: Callable[..., JwtVerifier | AsyncJwtVerifier] = AsyncJwtVerifier if is_async else JwtVerifier
        self._clock = clock
        self._verifiers: OrderedDict[tuple[str, str, str], JwtVerifier | AsyncJwtVerifier] = OrderedDict()
        self.used: UsedAssertions = UsedAssertions()
        """The assertions of `private_key_jwt` that were used."""

    async def check(self, client: Client, assertion: str) -> None:
        """Check that an assertion authenticates a client.

        Raises:
            InvalidToken: The assertion is not valid, belongs to no trust of the client, or was used before.
            Unavailable: The keys of the issuer cannot be fetched now.
        """
        unverified = unverified_claims(assertion)
        trusts = [each for each in client.trusts if _is_named(each, unverified)]
        if not trusts:
            raise InvalidToken("no trust of the client has the issuer, subject and audience of the assertion")
        refusal = InvalidToken("")
        for trust in trusts:
            try:
                claims = await result_of(self._verifier(trust).claims(assertion))
            except InvalidToken as error:
                refusal = error
            else:
                self._check_life(client, claims)
                return
        raise refusal

    def _check_life(self, client: Client, claims: Claims) -> None:
        """Check that verified claims end soon, and that an own assertion of a client is new. Raises InvalidToken."""
        now, is_own = self._clock().timestamp(), claims["iss"] == client.id
        until = claims["exp"]
        if until > now + LEEWAY + (LONGEST_OWN if is_own else LONGEST_FEDERATED):
            raise InvalidToken("the assertion is valid for too long (exp)")
        if is_own:
            jti = claims.get("jti")
            if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
                raise InvalidToken(f"the assertion needs a jti of 1 to {_MAX_JTI} characters")
            self.used.add(client.id, jti, float(until + LEEWAY), now)

    def _verifier(self, trust: Trust) -> JwtVerifier | AsyncJwtVerifier:
        """Return the verifier of the assertions of a trust, with the keys that were fetched before."""
        name = trust.issuer, trust.audience, trust.jwks
        found = self._verifiers.pop(name, None)
        if found is None:
            jwks: Any = parse_object(trust.jwks.encode()) if trust.jwks[:1] == "{" else trust.jwks
            if self._context is None and isinstance(jwks, str):
                self._context = httpx.create_ssl_context()
            found = self._kind(
                issuer=trust.issuer, audience=trust.audience, jwks=jwks, ssl_context=self._context, **self._options
            )
        self._verifiers[name] = found
        while len(self._verifiers) > MAX_VERIFIERS:
            self._verifiers.popitem(last=False)
        return found


def unverified_claims(assertion: str) -> Claims:
    """Return the claims of an assertion whose signature is not verified. Raises InvalidToken."""
    segments = assertion.split(".") if len(assertion) <= MAX_TOKEN else []
    if len(segments) != 3:
        raise InvalidToken("the assertion is not a signed JSON Web Token, or is too long")
    try:
        return parse_object(urlsafe_b64decode(segments[1] + "=" * (-len(segments[1]) % 4)))
    except (InvalidSyntax, ValueError):
        raise InvalidToken("the assertion is not a JSON Web Token") from None


def _is_named(trust: Trust, claims: Claims) -> bool:
    """Report whether claims have exactly the issuer, the subject and the only audience of a trust."""
    audience = claims.get("aud")
    return (claims.get("iss"), claims.get("sub")) == (trust.issuer, trust.subject) and audience in (
        trust.audience,
        [trust.audience],
    )
