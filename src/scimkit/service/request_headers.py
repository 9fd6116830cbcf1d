"""Request headers, read the same way by every adapter: one value for each name.

Source: RFC 9110 sections 5.2 and 5.3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from scimkit.errors import BadRequest
from scimkit.service.locations import check_host

_SINGLE_VALUED: Final = frozenset({
    "authorization", "client-request-id", "content-length", "content-location", "content-range", "content-type", "date",
    "expect", "from", "host", "if-modified-since", "if-range", "if-unmodified-since", "max-forwards",
    "proxy-authorization", "range", "referer", "user-agent", "x-request-id",
})  # fmt: skip
"""Headers whose value is not a list. A second header line with the same name has no meaning (RFC 9110 section 5.3)."""


def read_headers(pairs: Collection[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of an ASGI scope by lower-case name. The lines of a list header are joined with commas.

    Raises:
        BadRequest: A header that is not a list occurs twice, or Host is not `host[:port]`.
    """
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
    return check_headers(headers if len(headers) == len(pairs) else _joined(pairs))


def _joined(pairs: Collection[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of a request in which a name occurs more than once."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in headers:
            if name in _SINGLE_VALUED:
                raise _repeated_header_error(name)
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def check_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers after a check. WSGI servers and Django have joined repeated lines with commas already.

    Raises:
        BadRequest: A header that is not a list occurred twice, or Host is not `host[:port]`.
    """
    authorization = headers.get("authorization")
    if authorization is not None and "," in authorization and authorization[:7].lower() == "bearer ":
        raise _repeated_header_error("authorization")
    if "," in headers.get("content-type", ""):
        raise _repeated_header_error("content-type")
    if "," in headers.get("content-length", ""):
        raise _repeated_header_error("content-length")
    host = headers.get("host")
    if host:
        check_host(host)
    return headers


def declared_length(headers: Mapping[str, str]) -> int | None:
    """Return the Content-Length, or None if the header is absent or not a number."""
    length = headers.get("content-length", "")
    if not (length.isascii() and length.isdecimal()):
        return None
    return int(length) if len(length) <= 18 else 10**18


def _repeated_header_error(name: str) -> BadRequest:
    """Return the error for a header that occurs twice."""
    return BadRequest(f"The {name.title()} header must be sent once.")
