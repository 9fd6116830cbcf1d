"""Request ids: from the client's header if that is sane, else made. The present request, for log lines."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scimkit.service.http import Request

HEADER: Final = "X-Request-Id"
_SANE: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}\Z")

current_request: ContextVar[Request | None] = ContextVar("scimkit_request", default=None)
"""The request that is being served, so that a log handler can name it on every line."""


def request_id(headers: Mapping[str, str]) -> str:
    """Return `X-Request-Id` or `client-request-id` if it has 1 to 128 harmless characters; else a new id."""
    for name in ("x-request-id", "client-request-id"):
        given = headers.get(name)
        if given is not None and _SANE.match(given):
            return given
    return secrets.token_hex(8)


def one_line(text: str) -> str:
    """Return text of a client for a log line: characters that are not printable are escaped."""
    return text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
