"""Cursors: sealed positions, bound to a query and a tenant, that expire (RFC 9865).

A cursor is opaque and made of unreserved characters. This module never queries anything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from scimkit.errors import ExpiredCursor, InvalidCursor
from scimkit.stores.paging import Position

_SEAL: Final = 16
_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page starts: after, or if `backward` before, a position in the n-th type of the search.

    `count` is how many resources the pages have.
    """

    part: int
    position: Position
    count: int
    backward: bool = False


class Cursors:
    """Seals and opens cursors. `key` must be shared by the processes that serve one endpoint."""

    def __init__(
        self, key: bytes | None = None, *, timeout: int = 3600, clock: Callable[[], float] = time.time
    ) -> None:
        self._key = key or secrets.token_bytes(32)
        self._clock = clock
        self.timeout = timeout
        """Seconds that a cursor is valid."""

    def seal(self, cursor: Cursor, query: str) -> str:
        """The text of a cursor, valid for this query alone."""
        content = [int(self._clock()) + self.timeout, cursor.part, cursor.position, cursor.count, cursor.backward]
        body = json.dumps(content, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._seal(body, query) + body).rstrip(b"=").decode()

    def open(self, text: str, query: str) -> Cursor:
        """The cursor of a text. Raises: InvalidCursor, ExpiredCursor."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise InvalidCursor() from None
        body = raw[_SEAL:]
        if len(text) > _LONGEST or not hmac.compare_digest(raw[:_SEAL], self._seal(body, query)):
            raise InvalidCursor()
        expires, part, position, count, backward = json.loads(body)
        if expires < self._clock():
            raise ExpiredCursor()
        return Cursor(part, _tuples(position), count, backward)

    def _seal(self, body: bytes, query: str) -> bytes:
        digest = hashlib.sha256(query.encode("utf-8", "surrogatepass")).digest()
        return hmac.digest(self._key, digest + body, "sha256")[:_SEAL]


def _tuples(value: Any) -> Any:
    """A position as it was: JSON has arrays for tuples."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
