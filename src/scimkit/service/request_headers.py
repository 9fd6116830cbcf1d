"""Request headers as every adapter reads them: one value for a name, the same from each server.

Source: RFC 9110 sections 5.2 and 5.3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from scimkit.errors import BadRequest
from scimkit.service.locations import check_host

_SINGLE: Final = frozenset({
    "authorization", "client-request-id", "content-length", "content-location", "content-range", "content-type", "date",
    "expect", "from", "host", "if-modified-since", "if-range", "if-unmodified-since", "max-forwards",
    "proxy-authorization", "range", "referer", "user-agent", "x-request-id",
})  # fmt: skip
"""Headers whose value is no list: a second line has no meaning (RFC 9110 section 5.3)."""


def read_headers(pairs: Collection[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of an ASGI scope by lower-case name; the lines of a list header are joined by commas.

    Raises: BadRequest if a header that is no list comes twice, or Host is not `host[:port]`.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
    return check_headers(headers if len(headers) == len(pairs) else _joined(pairs))


def _joined(pairs: Collection[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of a request that has a name more than once."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in headers:
            if name in _SINGLE:
                raise _twice(name)
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def check_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return headers in which a server joined repeated lines with commas, as WSGI servers and Django do.

    Raises: BadRequest if a header that is no list came twice, or Host is not `host[:port]`.
    """
    authorization = headers.get("authorization")
    if authorization is not None and "," in authorization and authorization[:7].lower() == "bearer ":
        raise _twice("authorization")
    if "," in headers.get("content-type", ""):
        raise _twice("content-type")
    if "," in headers.get("content-length", ""):
        raise _twice("content-length")
    host = headers.get("host")
    if host:
        check_host(host)
    return headers


def declared_length(headers: Mapping[str, str]) -> int | None:
    """Return the Content-Length; None without one, or if it is no number."""
    length = headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal()):
        return None
    return int(length) if len(length) <= 18 else 10**18


def _twice(name: str) -> BadRequest:
    return BadRequest(f"The {name.title()} header must be sent once.")
