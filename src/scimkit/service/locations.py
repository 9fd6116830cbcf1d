"""The URL of the SCIM endpoint as the client sees it, from mount path, Host header and proxy headers.

This module only reads and joins strings. It does not resolve host names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from scimkit.errors import BadRequest

_IN_PATHS: Final = "/:@!$&'()*+,;=~"
_HOST: Final = re.compile(
    r"(?:\[[0-9A-Fa-f:.]{2,45}\]|\[[vV][0-9A-Fa-f]+\.[\w.~!$&'()*+;=:-]+\]|(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+)"
    r"(?::[0-9]{0,5})?\Z",
    re.ASCII,
)
"""`host[:port]` of RFC 3986 section 3.2.2, without commas, because servers join two Host lines with a comma."""
_LONGEST_HOST: Final = 300
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9\-]++\Z")


def relative_path(path: str, prefix: str) -> str:
    """Return the path below the endpoint, or a path that matches no route if it is outside the endpoint."""
    if not prefix:
        return path
    if path == prefix or path.startswith(prefix + "/"):
        return path[len(prefix) :]
    return "/ / "


def path_segment(id: str) -> str:
    """Return an id as a path segment of a URL, percent-encoded where RFC 3986 requires that."""
    return id if _UNRESERVED.match(id) else quote(id, safe="")


def encoded_path(path: str) -> str:
    """Return a path for use in a URL. `path` is text that is not percent-encoded."""
    return quote(path, safe=_IN_PATHS)


@lru_cache(maxsize=32)  # the cached texts are short, because a longer text raises
def check_host(host: str) -> str:
    """Return the host if a URL can contain it.

    Raises:
        BadRequest: The text is not `host[:port]` of RFC 3986.
    """
    if len(host) > _LONGEST_HOST or _HOST.match(host) is None:
        raise BadRequest("The Host header must be one host with an optional port.")
    return host


def check_proxies(trust_forwarded: int) -> int:
    """Return the number of trusted proxies.

    Raises:
        ValueError: `trust_forwarded` is not a non-negative integer.
    """
    if type(trust_forwarded) is not int or trust_forwarded < 0:
        raise ValueError("trust_forwarded must be the number of proxies in front of the service, such as 1")
    return trust_forwarded


def base_url(*, scheme: str, host: str, root: str, headers: Mapping[str, str], proxies: int = 0) -> str:
    """Return the URL of the endpoint, without a slash at its end.

    Each proxy in front of the service sets `X-Forwarded-Proto`, `-Host` and `-Prefix`, or appends a value to them. The
    last `proxies` values of each header therefore come from trusted proxies, and the first of these values applies.
    Values before them come from the client and are ignored.

    Args:
        scheme: The scheme of the request, as the server sees it.
        host: The host of the request, as the server sees it.
        root: The path of the endpoint, as text that is not percent-encoded.
        headers: The headers by lower-case name.
        proxies: The number of trusted proxies.

    Raises:
        BadRequest: A forwarded host or scheme cannot be part of a URL.
    """
    path = quote(root, safe=_IN_PATHS)
    if proxies:
        scheme = forwarded_value(headers, "x-forwarded-proto", proxies) or scheme
        if scheme not in ("http", "https"):
            raise BadRequest("The X-Forwarded-Proto header must be http or https.")
        forwarded = forwarded_value(headers, "x-forwarded-host", proxies)
        host = check_host(forwarded) if forwarded else host
        prefix = quote(forwarded_value(headers, "x-forwarded-prefix", proxies).rstrip("/"), safe=_IN_PATHS + "%")
        path = prefix + path
    return f"{scheme}://{host}{path}"


def forwarded_value(headers: Mapping[str, str], name: str, proxies: int) -> str:
    """Return the value that the outermost trusted proxy set."""
    values = headers.get(name, "").split(",")
    return values[-min(proxies, len(values))].strip()
