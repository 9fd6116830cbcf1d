"""Signatures of the Standard Webhooks specification: HMAC-SHA256 with the prefix `v1,`. This module does no I/O."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Sequence
from hashlib import sha256
from hmac import new
from secrets import token_bytes
from typing import Final

PREFIX: Final = "whsec_"
"""The prefix of a secret."""
MIN_BYTES: Final = 24
"""The least number of bytes of a secret, by the specification."""
_NEW_BYTES: Final = 32


def new_secret() -> str:
    """Return a new random secret, such as `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`."""
    return PREFIX + b64encode(token_bytes(_NEW_BYTES)).decode()


class Signer:
    """Signs messages with one or more secrets.

    Two secrets are valid at once while a secret is replaced: the receiver accepts a message if one signature matches.

    Args:
        secrets: The secrets, each base64 with or without the prefix `whsec_`.

    Raises:
        ValueError: No secret is given, or a secret is not base64 or too short. The message contains no secret.
    """

    def __init__(self, secrets: str | Sequence[str]) -> None:
        self._keys = [_key(each) for each in ([secrets] if isinstance(secrets, str) else secrets)]
        if not self._keys:
            raise ValueError("a webhook needs at least one secret; make one with new_secret()")

    def sign(self, message_id: str, timestamp: int, body: bytes) -> str:
        """Return the value of the header `webhook-signature`: one signature for each secret."""
        content = f"{message_id}.{timestamp}.".encode() + body
        digests = (new(key, content, sha256).digest() for key in self._keys)
        return " ".join(f"v1,{b64encode(each).decode()}" for each in digests)


def _key(secret: str) -> bytes:
    """Return the bytes of a secret."""
    try:
        key = b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (Error, ValueError):
        raise ValueError("the secret of a webhook must be base64 with the prefix whsec_") from None
    if len(key) < MIN_BYTES:
        raise ValueError(f"the secret of a webhook must have at least {MIN_BYTES} bytes; make one with new_secret()")
    return key
