"""The text of a token: prefix, public id, secret, checksum.

This module never looks anything up. A mistyped or cut-off token is told by its checksum alone, and
secret scanners find the prefix.
"""

from __future__ import annotations

import secrets
import string
import zlib
from dataclasses import dataclass, field
from typing import Final

PREFIX: Final = "scimkit_"
PATTERN: Final = r"scimkit_[0-9A-Za-z]{48}[0-9a-f]{8}"
"""A regular expression for secret scanners."""

_ALPHABET: Final = string.digits + string.ascii_letters
_ID_LENGTH: Final = 12
_SECRET_LENGTH: Final = 36
_CHECK_LENGTH: Final = 8
_LENGTH: Final = len(PREFIX) + _ID_LENGTH + _SECRET_LENGTH + _CHECK_LENGTH


@dataclass(slots=True)
class TokenParts:
    """The id that a token is looked up by, and its secret, 214 random bits that no repr shows."""

    id: str
    secret: str = field(repr=False)

    def text(self) -> str:
        """The token as its owner keeps it."""
        body = f"{PREFIX}{self.id}{self.secret}"
        return body + _checksum(body)


def new_token() -> TokenParts:
    """A token that nobody had before."""
    return TokenParts(_random(_ID_LENGTH), _random(_SECRET_LENGTH))


def parse_token(text: str) -> TokenParts | None:
    """The parts of a token; None when it cannot be one that was ever issued."""
    if len(text) != _LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return None
    body, check = text[:-_CHECK_LENGTH], text[-_CHECK_LENGTH:]
    if _checksum(body) != check:
        return None
    start = len(PREFIX)
    return TokenParts(body[start : start + _ID_LENGTH], body[start + _ID_LENGTH :])


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    """CRC-32: it catches every single mistyped character."""
    return f"{zlib.crc32(body.encode()):08x}"
