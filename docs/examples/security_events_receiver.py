from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import KeySet

seen: set[str] = set()  # in an application: a table with a unique column


def receive(token: str, keys: KeySet, issuer: str, audience: str) -> dict[str, Any] | None:
    """Return the claims of a new token, or None if the token came before. Raises JoseError for a wrong token."""
    if jws.extract_compact(token.encode()).headers().get("typ") != "secevent+jwt":
        raise ValueError("not a security event token")
    claims = jwt.decode(token, keys, algorithms=["ES256"]).claims
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": audience}
    ).validate(claims)
    if claims["jti"] in seen:
        return None
    seen.add(claims["jti"])
    return claims
