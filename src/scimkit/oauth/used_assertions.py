"""The assertions that clients have used, so that nobody can use them again (RFC 7523 section 3, `jti`)."""

from __future__ import annotations

from hashlib import sha256
from threading import Lock
from typing import Final

from scimkit.tokens import InvalidToken

MAX_USED: Final = 50_000
"""Maximum number of used assertions that are remembered. Further ones are refused until one of these has expired."""
MAX_USED_OF_CLIENT: Final = 1000


class UsedAssertions:
    """Remembers the `jti` of each used assertion until the assertion expires. It keeps digests, in bounded memory."""

    def __init__(self, limit: int = MAX_USED, limit_of_client: int = MAX_USED_OF_CLIENT) -> None:
        self._limit = limit
        self._limit_of_client = limit_of_client
        self._lock = Lock()
        self._used: dict[str, dict[bytes, float]] = {}
        self._count = 0

    def __len__(self) -> int:
        """Return the number of assertions that are remembered."""
        return self._count

    def add(self, client_id: str, jti: str, until: float, now: float) -> None:
        """Remember an assertion.

        Raises:
            InvalidToken: The assertion was used before, or too many assertions are remembered.
        """
        digest = sha256(jti.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            if self._is_full(client_id):
                self._forget(now)
            used = self._used.setdefault(client_id, {})
            if used.get(digest, 0.0) > now:
                raise InvalidToken("the assertion was used before (jti)")
            if self._is_full(client_id):
                raise InvalidToken("too many assertions are in use; reuse access tokens until they expire")
            self._count += digest not in used
            used[digest] = until

    def _is_full(self, client_id: str) -> bool:
        """Report whether no further assertion of a client can be remembered."""
        return self._count >= self._limit or len(self._used.get(client_id, ())) >= self._limit_of_client

    def _forget(self, now: float) -> None:
        """Forget the assertions that have expired."""
        kept = {
            client: left
            for client, used in self._used.items()
            if (left := {digest: until for digest, until in used.items() if until > now})
        }
        self._used = kept
        self._count = sum(len(each) for each in kept.values())
