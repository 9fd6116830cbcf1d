"""Page cursors: sealed positions that are bound to a query and a tenant, and that expire (RFC 9865).

A cursor is opaque text of unreserved URI characters. This module does not query the store.
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

_SEAL_LENGTH: Final = 16
_MAX_LENGTH: Final = 4096


@dataclass(frozen=True, slots=True)
class Cursor:
    """The position at which a page starts.

    Attributes:
        part: The number of the resource type in the search.
        position: The position of a resource in that type. The page starts after it, or ends before it if `backward` is
            set.
        count: The number of resources in each page.
        backward: Whether the page lies before the position.
    """

    part: int
    position: Position
    count: int
    backward: bool = False


class Cursors:
    """Seals and opens page cursors.

    Args:
        key: The secret key of the seal. Processes that serve the same endpoint must share it. The default is a random
            key.
        timeout: Seconds until a cursor expires.
        clock: A function that returns the time in seconds, for tests.
    """

    def __init__(
        self, key: bytes | None = None, *, timeout: int = 3600, clock: Callable[[], float] = time.time
    ) -> None:
        self._key = key or secrets.token_bytes(32)
        self._clock = clock
        self.timeout = timeout
        """Seconds until a cursor expires."""

    def seal(self, cursor: Cursor, query: str) -> str:
        """Return the text of a cursor. The text is valid for this query only."""
        content = [int(self._clock()) + self.timeout, cursor.part, cursor.position, cursor.count, cursor.backward]
        body = json.dumps(content, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._seal(body, query) + body).rstrip(b"=").decode()

    def open(self, text: str, query: str) -> Cursor:
        """Verify the seal of a cursor text and return the cursor.

        Raises:
            InvalidCursor: The text is not a cursor of this query.
            ExpiredCursor: The cursor has expired.
        """
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise InvalidCursor() from None
        body = raw[_SEAL_LENGTH:]
        if len(text) > _MAX_LENGTH or not hmac.compare_digest(raw[:_SEAL_LENGTH], self._seal(body, query)):
            raise InvalidCursor()
        expires, part, position, count, backward = json.loads(body)
        if expires < self._clock():
            raise ExpiredCursor()
        return Cursor(part, _tuples(position), count, backward)

    def _seal(self, body: bytes, query: str) -> bytes:
        """Return the seal of a cursor: a keyed hash of the cursor and its query."""
        digest = hashlib.sha256(query.encode("utf-8", "surrogatepass")).digest()
        return hmac.digest(self._key, digest + body, "sha256")[:_SEAL_LENGTH]


def _tuples(value: Any) -> Any:
    """Return a position with tuples in place of the arrays of JSON."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
