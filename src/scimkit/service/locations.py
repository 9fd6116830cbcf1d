"""Where the SCIM endpoint is, as the client sees it: mount paths, the Host header, and proxies.

This module only reads and joins strings; it never resolves a name.
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
"""`host[:port]` of RFC 3986 section 3.2.2, without the comma: servers join two Host lines with one."""
_LONGEST_HOST: Final = 300


def relative_path(path: str, prefix: str) -> str:
    """The path below the endpoint; a path outside it leads nowhere."""
    if not prefix:
        return path
    if path == prefix or path.startswith(prefix + "/"):
        return path[len(prefix) :]
    return "/ / "


def path_segment(id: str) -> str:
    """Return an id as a segment of a URL's path, percent-encoded where RFC 3986 asks for it."""
    if id.isascii() and id.replace("-", "").isalnum():
        return id
    return quote(id, safe="")


def encoded_path(path: str) -> str:
    """Return a path as it stands in a URL. `path` is text, not percent-encoded."""
    return quote(path, safe=_IN_PATHS)


@lru_cache(maxsize=32)  # of texts that are short, since a longer one raises
def check_host(host: str) -> str:
    """Return a host that a URL can have. Raises: BadRequest if it is not `host[:port]` of RFC 3986."""
    if len(host) > _LONGEST_HOST or _HOST.match(host) is None:
        raise BadRequest("The Host header must be one host with an optional port.")
    return host


def check_proxies(trust_forwarded: int) -> int:
    """Return the number of proxies that a host trusts. Raises: ValueError if it is not a number of proxies."""
    if type(trust_forwarded) is not int or trust_forwarded < 0:
        raise ValueError("trust_forwarded is the number of proxies in front of the service, such as 1")
    return trust_forwarded


def base_url(*, scheme: str, host: str, root: str, headers: Mapping[str, str], proxies: int = 0) -> str:
    """Return the endpoint's URL, without a slash at its end. `root` is a path as text, not percent-encoded.

    Each proxy in front of the service appends a value to `X-Forwarded-Proto`, `-Host` and `-Prefix`, or sets it. So the
    last `proxies` values of each header come from trusted proxies, and the first of those counts. Values before them
    come from the client and are ignored.
    Raises: BadRequest if a forwarded host or scheme cannot stand in a URL.
    """
    path = quote(root, safe=_IN_PATHS)
    if proxies:
        scheme = _forwarded(headers, "x-forwarded-proto", proxies) or scheme
        if scheme not in ("http", "https"):
            raise BadRequest("The X-Forwarded-Proto header must be http or https.")
        forwarded = _forwarded(headers, "x-forwarded-host", proxies)
        host = check_host(forwarded) if forwarded else host
        prefix = quote(_forwarded(headers, "x-forwarded-prefix", proxies).rstrip("/"), safe=_IN_PATHS + "%")
        path = prefix + path
    return f"{scheme}://{host}{path}"


def _forwarded(headers: Mapping[str, str], name: str, proxies: int) -> str:
    """The value that the outermost trusted proxy set."""
    values = headers.get(name, "").split(",")
    return values[-min(proxies, len(values))].strip()
