"""The keys of an issuer (RFC 7517): which keys are usable, how long they are kept, and when to fetch them again.

This module fetches nothing and verifies no signature.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final, TypeAlias

try:
    from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("JSON Web Tokens need joserfc and httpx: pip install 'scimkit[oauth]'") from _missing

from scimkit.documents import parse_object
from scimkit.errors import InvalidSyntax, Unavailable
from scimkit.tokens import InvalidToken

Key: TypeAlias = RSAKey | ECKey | OKPKey | OctKey

KEY_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),
    **dict.fromkeys(("HS256", "HS384", "HS512"), "oct"),
}
"""The type of the key that each algorithm needs (RFC 7518 section 3.1, RFC 9864)."""
MAX_KEYS: Final = 100
"""Maximum number of keys of an issuer that are kept."""

KEY_CLASSES: Final[Mapping[str, type[Key]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey, "oct": OctKey}
"""The class of joserfc for each type of a key."""
_PUBLIC: Final = frozenset({"kty", "kid", "alg", "n", "e", "crv", "x", "y"})
"""The members of a key that are read. The private part of a key is never read."""
_SMALLEST_RSA_KEY: Final = 2048
_RETRY_WITHOUT_KEYS: Final = 5.0
"""Seconds between two attempts to fetch the first keys."""

_log = logging.getLogger("scimkit")


class KeysUnavailable(Exception):
    """The keys could not be fetched. The message says why, without any part of the response."""


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A key of an issuer.

    Attributes:
        kid: The id of the key, or None.
        kind: The type of the key, such as `RSA`.
        algorithm: The only algorithm of the key, or None if the key has no `alg`.
        issuer: The issuer to which Entra ID limits the key, or None.
        key: The key in the form of joserfc.
    """

    kid: str | None
    kind: str
    algorithm: str | None
    issuer: str | None
    key: Key = field(repr=False)


def read_keys(document: Mapping[str, Any], algorithms: Collection[str]) -> tuple[SigningKey, ...]:
    """Return the keys of a key set that can verify signatures of the algorithms. Other keys are left out.

    Raises:
        KeysUnavailable: The document is not a key set, or has no usable key or more than `MAX_KEYS`.
    """
    listed = document.get("keys")
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise KeysUnavailable(f"the document is not a JSON Web Key Set with at most {MAX_KEYS} keys")
    kinds = {KEY_TYPES[each] for each in algorithms}
    found = tuple(key for each in listed if (key := _read_key(each, algorithms, kinds)) is not None)
    if not found:
        raise KeysUnavailable("the key set has no key for the accepted algorithms")
    return found


def _read_key(value: Any, algorithms: Collection[str], kinds: Collection[str]) -> SigningKey | None:
    """Return a key, or None if the key cannot verify a signature of the algorithms."""
    if not isinstance(value, dict) or value.get("use", "sig") != "sig":
        return None
    kind, kid, algorithm, uses = (value.get(name) for name in ("kty", "kid", "alg", "key_ops"))
    if not isinstance(kind, str) or kind not in kinds or not isinstance(kid, str | None):
        return None
    if algorithm is not None and (algorithm not in algorithms or KEY_TYPES[algorithm] != kind):
        return None
    if uses is not None and not (isinstance(uses, list) and "verify" in uses):
        return None
    members = {name: each for name, each in value.items() if name in _PUBLIC or (name == "k" and kind == "oct")}
    try:
        key = KEY_CLASSES[kind].import_key(members)
        size = getattr(key.raw_value, "key_size", 0)  # joserfc reads the numbers of a key here, not before
        if kind == "RSA" and size < _SMALLEST_RSA_KEY:
            return None
    except Exception:  # joserfc and cryptography raise many types for a malformed key
        return None
    issuer = value.get("issuer")
    return SigningKey(kid, kind, algorithm, issuer if isinstance(issuer, str) else None, key)


class KeyCache:
    """The keys of an issuer, and the time of the next fetch.

    Args:
        algorithms: The accepted algorithms.
        keys: Keys that are never fetched, or None.
        max_age: Seconds after which keys are fetched again.
        interval: Least number of seconds between two fetches.
        clock: A function that returns a time in seconds, such as `time.monotonic`.
    """

    def __init__(
        self,
        algorithms: Collection[str],
        keys: tuple[SigningKey, ...] | None,
        *,
        max_age: float,
        interval: float,
        clock: Callable[[], float],
    ) -> None:
        self._algorithms = algorithms
        self._keys = keys
        self._is_fixed = keys is not None
        self._max_age = max_age
        self._interval = interval
        self._clock = clock
        self._old_at = 0.0
        self._next_fetch = 0.0
        self._has_failed = False

    @property
    def is_old(self) -> bool:
        """True if the keys have to be fetched again because of their age. Old keys stay in use until then."""
        return not self._is_fixed and self._clock() >= self._old_at

    @property
    def may_fetch(self) -> bool:
        """True if the last fetch is long enough ago."""
        return not self._is_fixed and self._clock() >= self._next_fetch

    def find(self, kid: str | None, algorithm: str) -> SigningKey | None:
        """Return the key with an id for an algorithm.

        Without an id, the result is the only key for the algorithm, or None if the issuer has several.
        """
        kind = KEY_TYPES[algorithm]
        found = [
            each
            for each in self._keys or ()
            if each.kind == kind and each.algorithm in (None, algorithm) and (kid is None or each.kid == kid)
        ]
        return found[0] if found and (kid is not None or len(found) == 1) else None

    def begin(self) -> None:
        """Note that a fetch begins."""
        pause = self._interval if self._keys is not None else min(self._interval, _RETRY_WITHOUT_KEYS)
        self._next_fetch = self._clock() + pause

    def keep(self, body: bytes) -> None:
        """Replace the keys by those of a response. If the response cannot be read, the old keys stay."""
        try:
            self._keys = read_keys(parse_object(body), self._algorithms)
        except InvalidSyntax:
            self.note_failure("the response is not a JSON object")
        except KeysUnavailable as error:
            self.note_failure(str(error))
        else:
            self._has_failed = False
            self._old_at = self._clock() + self._max_age
            self._next_fetch = self._clock() + self._interval

    def note_failure(self, reason: str) -> None:
        """Log that a fetch failed. The old keys stay."""
        self._has_failed = True
        kept = "no key is known" if self._keys is None else "the earlier keys stay in use"
        _log.warning("the keys of an issuer of access tokens were not fetched: %s; %s", reason, kept)

    def missing(self) -> InvalidToken | Unavailable:
        """Return the error for a token whose key is unknown.

        The error is 503 if the issuer could not be asked, because the token may be valid.
        """
        if self._keys is None or self._has_failed:
            return Unavailable(max(1, ceil(self._next_fetch - self._clock())))
        return InvalidToken("the issuer has no key with the id and the algorithm that the token names")
