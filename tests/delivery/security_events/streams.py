"""Issuers and streams for tests, and a receiver that knows nothing but joserfc and the public keys."""

from __future__ import annotations

from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import KeySet

from scimkit.delivery.security_events import EventStream, SecurityEventIssuer
from tests.oauth.issuer import key

ISSUER = "https://help.example.org/scim/v2"
AUDIENCE = "https://siem.example.com"
LOCAL: dict[str, Any] = {"allow_http": True, "allowed_networks": ["127.0.0.0/8"]}
PREFIX = "urn:ietf:params:scim:event:"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def issuer(*kids: str, kind: str = "EC", **options: Any) -> SecurityEventIssuer:
    """Return an issuer with keys for tests."""
    keys = [key(each, kind).as_dict(private=True) for each in kids or ("set-1",)]
    return SecurityEventIssuer(ISSUER, keys, **options)


def stream(mode: Any = "notice", **options: Any) -> EventStream:
    """Return a stream of the default tenant."""
    return EventStream(**{"id": "siem", "audience": AUDIENCE, "mode": mode, **options})


def received(text: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """Verify a token as a receiver does, and return its claims (RFC 8417 section 4)."""
    header = jws.extract_compact(text.encode()).headers()
    assert header["typ"] == "secevent+jwt"
    assert header["kid"] in {each["kid"] for each in jwks["keys"]}
    token = jwt.decode(text, KeySet.import_key_set(jwks), algorithms=[header["alg"]])  # type: ignore[arg-type]
    rules: Any = {"iss": {"essential": True, "value": ISSUER}, "aud": {"essential": True, "value": AUDIENCE}}
    jwt.JWTClaimsRegistry(**rules, iat={"essential": True}, jti={"essential": True}).validate(token.claims)
    assert "sub" not in token.claims and "exp" not in token.claims
    return token.claims
