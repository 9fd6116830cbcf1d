"""Private keys that sign security event tokens with asymmetric algorithms. This module does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

try:
    from joserfc import jws
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("security events need joserfc and httpx: pip install 'scimkit[oauth]'") from _missing

from scimkit.documents import write_json
from scimkit.oauth.key_sets import KEY_CLASSES, KEY_TYPES, Key

TOKEN_TYPE: Final = "secevent+jwt"
"""The `typ` of a security event token (RFC 8417 section 2.3)."""

_DEFAULT_ALGORITHMS: Final[Mapping[str, str]] = {"RSA": "RS256", "OKP": "Ed25519"}
_ALGORITHM_OF_CURVE: Final[Mapping[str, str]] = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_SMALLEST_RSA_KEY: Final = 2048


class TokenSigner:
    """Signs tokens with a private key, which is in no representation.

    Args:
        jwk: The private key as a JSON Web Key (RFC 7517). Its `alg` chooses the algorithm. Its `kid` is the id of the
            key; without one, the id is the thumbprint of the key (RFC 7638).

    Raises:
        ValueError: The key is not a private RSA, EC or OKP key, or does not fit its algorithm. The message has no part
            of the key.
    """

    def __init__(self, jwk: Mapping[str, Any]) -> None:
        kind = str(jwk.get("kty"))
        if kind not in ("RSA", "EC", "OKP") or "d" not in jwk:
            raise ValueError("a key that signs security events must be a private RSA, EC or OKP key as a JWK")
        try:
            self._key: Key = KEY_CLASSES[kind].import_key(dict(jwk))
            size = getattr(self._key.raw_value, "key_size", 0)
            thumbprint = self._key.thumbprint()
        except Exception:  # joserfc and cryptography raise many types for a malformed key
            raise ValueError("a key that signs security events cannot be read as a JWK") from None
        if kind == "RSA" and size < _SMALLEST_RSA_KEY:
            raise ValueError(f"an RSA key that signs security events needs at least {_SMALLEST_RSA_KEY} bits")
        usual = _DEFAULT_ALGORITHMS.get(kind) or _ALGORITHM_OF_CURVE.get(str(jwk.get("crv")))
        algorithm = str(jwk.get("alg") or usual)
        if algorithm not in KEY_TYPES or KEY_TYPES[algorithm] != kind:
            raise ValueError("the algorithm of a key that signs security events does not fit the key")
        self.kid: str = str(jwk.get("kid") or thumbprint)
        self._algorithm = str(algorithm)
        self._header = {"alg": self._algorithm, "kid": self.kid, "typ": TOKEN_TYPE}
        self._registry = jws.JWSRegistry(algorithms=[self._algorithm])
        self.sign({})  # a curve that does not fit the algorithm fails here

    def __repr__(self) -> str:
        return f"TokenSigner(kid={self.kid!r})"

    @property
    def public_jwk(self) -> dict[str, Any]:
        """The public key as a JWK, for receivers."""
        public: dict[str, Any] = {**self._key.as_dict(private=False)}
        return {**public, "kid": self.kid, "alg": self._algorithm, "use": "sig"}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the signed token of claims, in compact form (RFC 7515 section 7.1)."""
        try:
            return jws.serialize_compact(self._header, write_json(claims), self._key, registry=self._registry)
        except Exception:
            raise ValueError("the algorithm of a key that signs security events does not fit the key") from None
