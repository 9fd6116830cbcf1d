"""The common part of the sync and the async verifier: the checks of a token, in their order.

This module fetches no key and does not wait.
"""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from joserfc import jws
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwt import JWTClaimsRegistry

from scimkit.delivery.addresses import read_networks
from scimkit.documents import parse_object
from scimkit.errors import InvalidSyntax
from scimkit.oauth.claims import (
    DEFAULT_TENANT,
    AsyncTenantRule,
    Claims,
    ScopeMap,
    ScopeRule,
    audiences_of,
    checked_tenant,
    client_of,
    principal_of,
)
from scimkit.oauth.fetching import checked_url
from scimkit.oauth.key_sets import KEY_TYPES, KeyCache, KeysUnavailable, SigningKey, read_keys
from scimkit.tokens import InvalidToken, Principal
from scimkit.tokens.seen import SeenTokens, digest_of

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
"""The algorithms that a verifier accepts by default. All of them are asymmetric."""
ACCESS_TOKEN: Final = ("at+jwt", "application/at+jwt")
"""The types of access tokens (RFC 9068 section 2.1)."""
MAX_LEEWAY: Final = 300
MAX_TOKEN: Final = 16_384
"""Maximum number of characters of a token."""

_MAX_HEADER: Final = 4096
_MAX_VERIFIED: Final = 256
"""Number of tokens whose signature is not verified again while the key stays the same."""
_SIGNED: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
"""The form of a signed token: a header, a payload and a signature (RFC 7515 section 7.1)."""


class UnverifiedToken(NamedTuple):
    """A token whose header is accepted and whose issuer is known, but whose signature is not verified."""

    text: str
    algorithm: str
    kid: str | None
    claims: dict[str, Any]


class BaseJwtVerifier:
    """The common base of the sync and the async verifier. See `JwtVerifier` for the arguments."""

    def __init__(
        self,
        *,
        issuer: str | Container[str],
        audience: str | Collection[str],
        jwks: str | Mapping[str, Any],
        tenant: AsyncTenantRule | None,
        scopes: ScopeRule | None,
        types: Collection[str],
        algorithms: Collection[str],
        dialect: str | None,
        leeway: int,
        max_age: float,
        allow_http: bool,
        allowed_networks: Collection[str] | None,
        clock: Callable[[], datetime] | None,
        monotonic: Callable[[], float],
    ) -> None:
        self._issuers: Container[str] = frozenset((issuer,)) if isinstance(issuer, str) else issuer
        self._audiences = frozenset((audience,) if isinstance(audience, str) else audience)
        if not self._audiences or "" in self._audiences or issuer == "":
            raise ValueError("issuer and audience must not be empty")
        self._types = frozenset(each.lower() for each in ((types,) if isinstance(types, str) else types))
        if not self._types:
            raise ValueError("types must name a type, such as at+jwt")
        self._algorithms = _checked_algorithms(algorithms, is_fetched=isinstance(jwks, str))
        if not 0 <= leeway <= MAX_LEEWAY:
            raise ValueError(f"leeway must be from 0 to {MAX_LEEWAY} seconds")
        self._leeway = leeway
        self._networks = None if allowed_networks is None else read_networks(allowed_networks)
        self._url: str | None = checked_url(jwks, allow_http) if isinstance(jwks, str) else None
        try:
            keys = None if isinstance(jwks, str) else read_keys(jwks, self._algorithms)
        except KeysUnavailable as error:
            raise ValueError(f"jwks: {error}") from None
        self._cache = KeyCache(self._algorithms, keys, max_age=max_age, interval=60.0, clock=monotonic)
        self._tenant = tenant
        self._scopes = ScopeMap(scopes)
        self._dialect = dialect
        self._now: Callable[[], float] = time.time if clock is None else lambda: clock().timestamp()
        self._registry = jws.JWSRegistry(algorithms=self._algorithms, strict_check_header=False)
        self._registry.max_header_length = _MAX_HEADER
        self._seen = SeenTokens()
        self._verified: dict[bytes, tuple[UnverifiedToken, SigningKey]] = {}
        """The tokens whose signature was right, with their key. A key that is fetched again is another object."""

    @property
    def authentication_schemes(self) -> Sequence[Mapping[str, Any]]:
        """The entry of `authenticationSchemes` that the ServiceProviderConfig shows (RFC 7643 section 5)."""
        return (ACCESS_TOKENS,)

    def is_known(self, token: str) -> bool:
        """Report whether this process has verified a token before."""
        return digest_of(token) in self._seen

    def is_well_formed(self, token: str) -> bool:
        """Report whether a text is a token of the issuer in form. The signature is not verified."""
        try:
            self._read(token)
        except InvalidToken:
            return False
        return True

    def _read(self, token: str) -> UnverifiedToken:
        """Return the parts of a token. Raises InvalidToken if its header or its issuer is not accepted."""
        segments = token.split(".") if len(token) <= MAX_TOKEN and _SIGNED.match(token) else [""]
        if len(segments[0]) > _MAX_HEADER or not segments[0]:
            raise InvalidToken("the text is not a signed JSON Web Token, or is too long")
        header = _object(segments[0])
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "")
        if algorithm not in self._algorithms:
            raise InvalidToken("the algorithm of the token is not accepted")
        if "crit" in header or "b64" in header:
            raise InvalidToken("the token demands an extension (crit) that is not supported")
        if not isinstance(kind, str) or kind.lower() not in self._types:
            raise InvalidToken("the type (typ) of the token is not accepted")
        if not isinstance(kid, str | None):
            raise InvalidToken("the id of the key (kid) must be a text")
        claims = _object(segments[1])
        self._check_issuer(claims)
        return UnverifiedToken(token, algorithm, kid, claims)

    def _recall(self, token: str) -> UnverifiedToken:
        """Return the parts of a token that was verified before, or read the token. Raises InvalidToken."""
        known = self._verified.get(digest_of(token))
        if known is None:
            return self._read(token)
        self._check_issuer(known[0].claims)
        return known[0]

    def _check_issuer(self, claims: Claims) -> None:
        """Check the issuer of a token. Raises InvalidToken if the issuer is not accepted, or no longer."""
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or issuer not in self._issuers:
            raise InvalidToken("the issuer (iss) of the token is not accepted")

    def _verify(self, token: UnverifiedToken, key: SigningKey) -> str | None:
        """Verify the signature, the audience and the times of a token.

        Returns:
            The reason why a token that the issuer made for this service is not valid now, or None.

        Raises:
            InvalidToken: The token is not of the issuer, or is for another service.
        """
        digest = digest_of(token.text)
        known = self._verified.get(digest)
        if known is None or known[1] is not key:
            self._verify_signature(token, key)
            if len(self._verified) >= _MAX_VERIFIED:
                self._verified = {}
            self._verified[digest] = token, key
        return self._refusal_of(token.claims)

    def _refusal_of(self, claims: Claims) -> str | None:
        """Return the reason why claims are not valid at this time, or None."""
        times = JWTClaimsRegistry(now=int(self._now()), leeway=self._leeway, exp={"essential": True})
        try:
            times.validate({name: claims[name] for name in ("exp", "nbf", "iat") if name in claims})
        except ExpiredTokenError:
            return "the token is expired"
        except JoseError:
            return "the token has no expiry, or is not valid yet: exp, nbf or iat"
        return None

    def _claims(self, token: UnverifiedToken, key: SigningKey) -> Claims:
        """Return the claims of a token after all checks. Nothing of the token is kept. Raises InvalidToken."""
        self._verify_signature(token, key)
        refusal = self._refusal_of(token.claims)
        if refusal is not None:
            raise InvalidToken(refusal)
        return token.claims

    def _verify_signature(self, token: UnverifiedToken, key: SigningKey) -> None:
        """Verify the signature and the audience of a token. Raises InvalidToken."""
        try:
            jws.deserialize_compact(token.text, key.key, registry=self._registry)
        except (JoseError, ValueError):
            raise InvalidToken("the signature of the token is not valid") from None
        claims = token.claims
        if key.issuer is not None and not _may_sign(key.issuer, claims):
            raise InvalidToken("the key of the token belongs to another tenant of the issuer")
        if not self._audiences.intersection(audiences_of(claims)):
            raise InvalidToken("the token is for another audience (aud)")

    def _tenant_of(self, claims: Claims) -> Any:
        """Return the tenant of a token, not checked. The result may be awaitable if the rule is async."""
        rule = self._tenant
        if rule is None:
            return DEFAULT_TENANT
        return claims.get(rule) if isinstance(rule, str) else rule(claims)

    def _principal(self, token: UnverifiedToken, tenant: object, refusal: str | None) -> Principal:
        """Return the principal of a verified token. Raises InvalidToken if there is a reason to refuse the token."""
        client, found = client_of(token.claims), checked_tenant(tenant)
        if refusal is not None:
            raise InvalidToken(refusal, token_id=client, tenant=found)
        self._seen.add(digest_of(token.text))
        return principal_of(client, found, self._dialect, self._scopes.scopes(token.claims))


ACCESS_TOKENS: Final[Mapping[str, Any]] = {
    "type": "oauth2",
    "name": "OAuth 2.0 Access Token (JWT)",
    "description": "Access tokens of an OAuth 2.0 authorization server, as JSON Web Tokens (RFC 9068).",
    "specUri": "https://www.rfc-editor.org/info/rfc9068",
    "primary": True,
}


def _checked_algorithms(algorithms: Collection[str], *, is_fetched: bool) -> tuple[str, ...]:
    """Return the accepted algorithms. Raises ValueError if they are unknown or could be confused."""
    found = (algorithms,) if isinstance(algorithms, str) else tuple(algorithms)
    unknown = [each for each in found if each not in KEY_TYPES]
    if unknown or not found:
        raise ValueError(f"algorithms must be some of {', '.join(KEY_TYPES)}")
    kinds = {KEY_TYPES[each] for each in found}
    if "oct" in kinds and (is_fetched or len(kinds) > 1):
        raise ValueError("HMAC algorithms need a key set of your own, and no other algorithm beside them")
    return found


def _object(segment: str) -> dict[str, Any]:
    """Return the JSON object of a segment of a token. Raises InvalidToken."""
    try:
        return parse_object(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (InvalidSyntax, ValueError):
        raise InvalidToken("the text is not a JSON Web Token") from None


def _may_sign(key_issuer: str, claims: Claims) -> bool:
    """Report whether Entra ID lets a key sign tokens of an issuer.

    Entra ID writes the issuer of a key into its key set. A key of all tenants has `{tenantid}` there. A token of
    version 1.0 has another issuer than its key, but the same tenant.
    """
    issuer, tenant = claims.get("iss"), claims.get("tid")
    if "{tenantid}" in key_issuer or key_issuer == issuer:
        return True
    return isinstance(tenant, str) and len(tenant) >= 32 and tenant in str(issuer) and tenant in key_issuer
