"""The messages of push delivery (RFC 8935), and what the responses of receivers mean. This module sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from scimkit.delivery.messages import Message, Reply, check_status
from scimkit.delivery.retries import DeliveryFailed, Undeliverable
from scimkit.delivery.security_events.issuer import SecurityEventToken
from scimkit.documents import parse_object
from scimkit.errors import InvalidSyntax

Authorization: TypeAlias = str | Callable[[], str] | None
"""The value of the `Authorization` header, or a function that returns the present value."""

CONTENT_TYPE: Final = "application/secevent+jwt"
MAX_DESCRIPTION: Final = 200
"""The largest number of characters of a receiver's description that the outbox keeps."""
_PERMANENT: Final = frozenset({"invalid_request", "invalid_issuer", "invalid_audience"})
"""Errors that another attempt cannot repair.

The other errors of RFC 8935 section 2.4 end when an administrator or a key set catches up.
"""


def push_message(token: SecurityEventToken, authorization: Authorization) -> Message:
    """Return the request that transmits a token (RFC 8935 section 2.1)."""
    headers = {"content-type": CONTENT_TYPE, "accept": "application/json"}
    value = authorization() if callable(authorization) else authorization
    if value:
        headers["authorization"] = value
    return Message(token.text.encode(), headers)


def check_push(reply: Reply, message: Message) -> None:
    """Check that a receiver has accepted a token (RFC 8935 sections 2.2 and 2.3).

    Raises:
        Undeliverable: The receiver refuses the token, and would refuse it again.
        DeliveryFailed: Another attempt may succeed.
    """
    error, description = set_error(reply.body) if reply.status == 400 else ("", "")
    if not error:
        check_status(reply)
        return
    secret = message.headers.get("authorization", "").rpartition(" ")[2]
    if secret and secret in description:
        description = ""
    detail = f"HTTP 400 {error}: {description}" if description else f"HTTP 400 {error}"
    if error in _PERMANENT:
        raise Undeliverable(detail)
    raise DeliveryFailed(detail, retry_after=reply.retry_after)


def set_error(body: bytes) -> tuple[str, str]:
    """Return `err` and `description` of a response, or empty texts. Unprintable characters are left out."""
    try:
        members = parse_object(body)
    except InvalidSyntax:
        return "", ""
    return shown(members.get("err"), 64), shown(members.get("description"), MAX_DESCRIPTION)


def shown(text: object, length: int) -> str:
    """Return the beginning of a text that another party wrote, for logs. Anything but a text is empty."""
    return "".join(filter(str.isprintable, text[:length])) if isinstance(text, str) else ""
