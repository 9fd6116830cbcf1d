"""The Authorization header: one bearer token, from nowhere else (RFC 6750 section 2.1).

This module never verifies a token.
"""

from __future__ import annotations

import re
from typing import Final

from scimkit.errors import Unauthorized

_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9\-._~+/]+=*) *\Z")
_MALFORMED: Final = 'Bearer realm="scim", error="invalid_request"'


def bearer_token(header: str | None) -> str:
    """The token of an Authorization header; the scheme's case does not matter.

    Raises: Unauthorized when there is no header, another scheme, or not exactly one token.
    """
    if not header:
        raise Unauthorized()
    found = _BEARER.match(header)
    if found is None:
        scheme = header.split(" ", 1)[0].lower()
        raise Unauthorized(challenge=_MALFORMED) if scheme == "bearer" else Unauthorized()
    return found[1]
