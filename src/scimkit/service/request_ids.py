"""Request ids, and the current request for log lines.

A request id comes from a header of the client if the header is harmless. Otherwise it is created.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from random import getrandbits
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scimkit.service.http import Request

HEADER: Final = "X-Request-Id"
_HARMLESS: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}\Z")

current_request: ContextVar[Request | None] = ContextVar("scimkit_request", default=None)
"""The request that is being served, so that a log handler can name it on every line."""


def request_id(headers: Mapping[str, str]) -> str:
    """Return `X-Request-Id` or `client-request-id` if it has 1 to 128 harmless characters, else a new id."""
    if (given := headers.get("x-request-id")) is not None and _HARMLESS.match(given):
        return given
    if (given := headers.get("client-request-id")) is not None and _HARMLESS.match(given):
        return given
    return getrandbits(64).to_bytes(8, "big").hex()  # the id is not a secret; it only has to be unique


def one_line(text: str) -> str:
    """Return text of a client for a log line, with characters that are not printable escaped."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
