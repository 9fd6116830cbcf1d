"""The tokens that a process has seen. The module keeps digests, never a token."""

from __future__ import annotations

from hashlib import blake2s
from typing import Final

_MAX_OF_A_GENERATION: Final = 10_000


def digest_of(token: str) -> bytes:
    """Return the digest under which a token is remembered."""
    return blake2s(token.encode()).digest()


class SeenTokens:
    """The digests of valid tokens, in two generations. A full generation replaces the older one."""

    __slots__ = ("_newer", "_older")

    def __init__(self) -> None:
        self._newer: dict[bytes, None] = {}
        self._older: dict[bytes, None] = {}

    def __contains__(self, digest: bytes) -> bool:
        """Report whether this process has seen the token before."""
        return digest in self._newer or digest in self._older

    def add(self, digest: bytes) -> None:
        """Remember a valid token."""
        if digest in self._newer:
            return
        if len(self._newer) >= _MAX_OF_A_GENERATION:
            self._older, self._newer = self._newer, {}
        self._newer[digest] = None
