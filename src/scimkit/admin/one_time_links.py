"""One-time links to the admin page, for a host without accounts of its own, such as `scimkit serve --admin`.

A link works once and starts a session, which a signed cookie keeps. Secrets are kept as hashes only. The host says
how the use of a link is recorded, so that several processes can share links.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from secrets import token_urlsafe
from time import time
from typing import Any, Final

from scimkit.admin.administrators import Administrator

COOKIE: Final = "scimkit_admin"
SESSION_LIFETIME: Final = timedelta(hours=8)
"""The time after which a session ends."""
_LINK_LIFETIME: Final = timedelta(hours=1)


class OneTimeLinks:
    """Issues links to the admin page, and the sessions that they start.

    Args:
        key: The secret that signs sessions. All processes of a service share it.
        claim: A function that records the use of a link by its hash. It returns False if the link was used before. The
            default remembers the uses in this process.
    """

    def __init__(self, key: bytes | None = None, *, claim: Callable[[str], bool] | None = None) -> None:
        self._key = hmac.digest(key or token_urlsafe(32).encode(), b"scimkit admin session", "sha256")
        self._used: dict[str, object] = {}
        self._claim = claim or self._claim_here

    def issue(self, name: str, *, tenant: str = "default") -> str:
        """Return the code of a new link for an administrator. The path of the link is `enter/CODE` below the page."""
        expires = int(time() + _LINK_LIFETIME.total_seconds())
        return self._signed("link", token_urlsafe(24), name, tenant, str(expires))

    def redeem(self, code: str) -> str | None:
        """Return the value of the cookie of a new session, or None if a link is not valid or was used before."""
        parts = self._verified("link", code)
        if parts is None or not self._claim(sha256(code.encode()).hexdigest()):
            return None
        _, name, tenant, _ = parts
        expires = int((datetime.now(UTC) + SESSION_LIFETIME).timestamp())
        return self._signed("session", token_urlsafe(24), name, tenant, str(expires))

    def authorize(self, request: Any) -> Administrator | None:
        """Return the administrator of the session of a request, or None.

        Args:
            request: An ASGI scope, a WSGI environ or a Django request.
        """
        parts = self._verified("session", _cookie_of(request))
        return None if parts is None else Administrator(parts[1], parts[2], session=parts[0])

    def _signed(self, purpose: str, *parts: str) -> str:
        text = ".".join(urlsafe_b64encode(each.encode()).decode().rstrip("=") for each in parts)
        return f"{text}.{self._signature(purpose, text)}"

    def _verified(self, purpose: str, code: str) -> list[str] | None:
        """Return the parts of a signed text, or None if the signature is wrong or the time is over."""
        text, _, signature = code.rpartition(".")
        expected = self._signature(purpose, text)
        if not hmac.compare_digest(signature.encode("utf-8", "replace"), expected.encode()):
            return None
        parts = [urlsafe_b64decode(each + "=" * (-len(each) % 4)).decode() for each in text.split(".")]
        return parts if int(parts[-1]) > time() else None

    def _signature(self, purpose: str, text: str) -> str:
        return hmac.new(self._key, f"{purpose} {text}".encode("utf-8", "replace"), sha256).hexdigest()

    def _claim_here(self, digest: str) -> bool:
        claim = object()
        return self._used.setdefault(digest, claim) is claim


def session_cookie(value: str, path: str, *, is_secure: bool) -> str:
    """Return the `Set-Cookie` header of a session."""
    secure = "; Secure" if is_secure else ""
    seconds = int(SESSION_LIFETIME.total_seconds())
    return f"{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"


def _cookie_of(request: Any) -> str:
    """Return the cookie of a session from a request of a host, or an empty text."""
    if not isinstance(request, Mapping):
        request = request.META
    if "headers" in request:
        header = "; ".join(value.decode("latin-1") for name, value in request["headers"] if name == b"cookie")
    else:
        header = request.get("HTTP_COOKIE", "")
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value
