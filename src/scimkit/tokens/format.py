"""The text of a token: prefix, public id, secret and checksum.

The checksum detects a token that is mistyped or incomplete, without a look at the store. The prefix lets secret
scanners find tokens.
"""

from __future__ import annotations

import secrets
import string
import zlib
from dataclasses import dataclass, field
from typing import Final

PREFIX: Final = "scimkit_"
PATTERN: Final = r"scimkit_[0-9A-Za-z]{48}[0-9a-f]{8}"
"""A regular expression that matches tokens, for secret scanners."""

_ALPHABET: Final = string.digits + string.ascii_letters
_ID_LENGTH: Final = 12
_SECRET_LENGTH: Final = 36
_CHECK_LENGTH: Final = 8
_LENGTH: Final = len(PREFIX) + _ID_LENGTH + _SECRET_LENGTH + _CHECK_LENGTH


@dataclass(slots=True)
class TokenParts:
    """The public id of a token, and its secret of 214 random bits. The repr does not show the secret."""

    id: str
    secret: str = field(repr=False)

    def text(self) -> str:
        """Return the token as the text that the identity provider sends."""
        body = f"{PREFIX}{self.id}{self.secret}"
        return body + _checksum(body)


def new_token() -> TokenParts:
    """Return the parts of a new random token."""
    return TokenParts(random_text(_ID_LENGTH), random_text(_SECRET_LENGTH))


def parse_token(text: str) -> TokenParts | None:
    """Return the parts of a token, or None if the text cannot be a token of this library."""
    if len(text) != _LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return None
    body, check = text[:-_CHECK_LENGTH], text[-_CHECK_LENGTH:]
    if _checksum(body) != check:
        return None
    start = len(PREFIX)
    return TokenParts(body[start : start + _ID_LENGTH], body[start + _ID_LENGTH :])


def random_text(length: int) -> str:
    """Return random letters and digits. Each of them has 5.95 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    """Return the CRC-32 of a text, which detects every single mistyped character."""
    return f"{zlib.crc32(body.encode()):08x}"
