"""The source of a request: the address of the client, for the count of failed attempts.

This module only reads texts. It does not resolve host names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from scimkit.service.locations import forwarded_value

_LONGEST_ADDRESS: Final = 64
_WITH_PORT: Final = re.compile(r"(?:\[([^\]]*)\](?::[0-9]+)?|([0-9.]+):[0-9]+)\Z")


def client_source(address: Any, headers: Mapping[str, str], proxies: int) -> str:
    """Return the source of a request, or an empty text if the address of the client is not known.

    An IPv6 source is the network of 64 bits, because one client may use every address of its network.

    Args:
        address: The address of the peer, as the server sees it.
        headers: The headers by lower-case name.
        proxies: The number of trusted proxies. The outermost of them appended the client to `X-Forwarded-For`.
            Values before that come from the client and are ignored.
    """
    forwarded = forwarded_value(headers, "x-forwarded-for", proxies) if proxies else ""
    text = forwarded or address
    return _network(text) if isinstance(text, str) and len(text) <= _LONGEST_ADDRESS else ""


@lru_cache(maxsize=1024)
def _network(text: str) -> str:
    """Return an IPv4 address, the /64 network of an IPv6 address, or an empty text for any other text."""
    found = _WITH_PORT.match(text)
    try:
        address = ip_address(found[1] or found[2] or "" if found else text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is None:
            return str(ip_network((int(address), 64), strict=False))
        address = mapped
    return str(address)
