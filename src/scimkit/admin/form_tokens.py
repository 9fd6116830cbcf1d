"""Tokens in forms, and the check of their origin: only forms of the page itself change anything.

This module does no I/O.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from secrets import token_bytes, token_urlsafe
from typing import Final
from urllib.parse import urlsplit

from scimkit.admin.administrators import Administrator
from scimkit.errors import Forbidden
from scimkit.service import Request

_OWN_SITES: Final = frozenset({"same-origin", "none"})
_LONGEST: Final = 200


class WrongOrigin(Forbidden):
    """A valid form came from another origin than that of the page."""


class FormTokens:
    """Issues and checks the tokens of forms. A token belongs to one administrator, tenant and session.

    Args:
        key: The secret that all processes of a service share. The default is random, for one process.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = hmac.digest(key or token_bytes(32), b"scimkit admin form", "sha256")

    def issue(self, administrator: Administrator) -> str:
        """Return a token for the forms of one page."""
        salt = token_urlsafe(12)
        return f"{salt}.{self._signature(salt, administrator)}"

    def check(self, token: str, administrator: Administrator, request: Request) -> None:
        """Check that a form was sent by a page of this service to the same administrator.

        Raises:
            Forbidden: The token of the form is not valid.
            WrongOrigin: The token is valid, and the form came from another origin.
        """
        salt, _, signature = token[:_LONGEST].partition(".")
        expected = self._signature(salt, administrator)
        is_valid = hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode())
        if not is_valid:
            raise Forbidden("The form is not valid any more.")
        if not _is_own_origin(request):
            raise WrongOrigin("The form came from another origin.")

    def _signature(self, salt: str, administrator: Administrator) -> str:
        parts = (salt, administrator.name, administrator.tenant, administrator.session)
        signed = b"".join(len(each).to_bytes(8, "big") + each for each in (part.encode() for part in parts))
        return hmac.new(self._key, signed, sha256).hexdigest()


def _is_own_origin(request: Request) -> bool:
    """Report whether the browser sent the form from a page of the same origin.

    The origin is `null` under the referrer policy of the page. Browsers then send `Sec-Fetch-Site` over HTTPS.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in _OWN_SITES
    origin = request.headers.get("origin", "null")
    return origin == "null" or urlsplit(origin).netloc.lower() == urlsplit(request.base_url).netloc.lower()
