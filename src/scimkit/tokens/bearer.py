"""The bearer token in the Authorization header (RFC 6750 section 2.1). Tokens in other places are ignored.

This module does not verify tokens.
"""

from __future__ import annotations

import re
from typing import Final

from scimkit.errors import Unauthorized

_BEARER: Final = re.compile(r"(?:Bearer|[Bb][Ee][Aa][Rr][Ee][Rr]) +([A-Za-z0-9\-._~+/]++=*+) *\Z")
_MALFORMED: Final = 'Bearer realm="scim", error="invalid_request"'


def bearer_token(header: str | None) -> str:
    """Return the token of an Authorization header. The scheme is compared without regard to case.

    Raises:
        Unauthorized: The header is missing, has another scheme, or does not have exactly one token.
    """
    if not header:
        raise Unauthorized()
    found = _BEARER.match(header)
    if found is None:
        scheme = header.split(" ", 1)[0].lower()
        raise Unauthorized(challenge=_MALFORMED) if scheme == "bearer" else Unauthorized()
    return found[1]
