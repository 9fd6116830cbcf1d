"""Where the SCIM endpoint is, as the client sees it: mount paths and proxies.

This module only joins strings; it never resolves anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_IN_PATHS: Final = "/:@!$&'()*+,;=~"


def relative_path(path: str, prefix: str) -> str:
    """The path below the endpoint; a path outside it leads nowhere."""
    if not prefix:
        return path
    if path == prefix or path.startswith(prefix + "/"):
        return path[len(prefix) :]
    return "/ / "


def base_url(*, scheme: str, host: str, root: str, headers: Mapping[str, str]) -> str:
    """The endpoint's URL, without a slash at its end. `root` is a path as text, not percent-encoded.

    `headers` holds the request's headers if its proxy is trusted, and is empty otherwise: then
    `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix` win, each by its first value.
    """
    path = quote(root, safe=_IN_PATHS)
    if headers:
        scheme = _first(headers, "x-forwarded-proto") or scheme
        host = _first(headers, "x-forwarded-host") or host
        path = _first(headers, "x-forwarded-prefix").rstrip("/") + path
    return f"{scheme}://{host}{path}"


def _first(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "").split(",")[0].strip()
