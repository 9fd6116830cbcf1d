"""The HTTP requests of deliveries, and what their responses mean, for both colors. This module sends nothing."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

try:
    import httpx as httpx  # the modules of both colors import it from here
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("webhooks need httpx: pip install 'scimkit[webhooks]'") from _missing

from scimkit.delivery.addresses import Network, read_networks
from scimkit.delivery.retries import DeliveryFailed

MAX_RETRY_AFTER: Final = 24 * 3600
"""The largest number of seconds that a `Retry-After` header may ask for."""
MAX_REPLY: Final = 4096
"""The largest number of bytes of a response body that are read, if the body is read at all."""
_PORTS: Final = {"https": 443, "http": 80}


class Target:
    """The URL of a receiver. The path is not in its representation.

    Args:
        url: The URL of the receiver.
        kind: The name of the delivery in messages, such as `webhook`.
        allow_http: Accept a URL with `http`.
        allowed_networks: Networks such as `10.0.0.0/8` to which the delivery may connect.

    Raises:
        ValueError: The URL or a network is not valid.
    """

    def __init__(self, url: str, kind: str, *, allow_http: bool, allowed_networks: Sequence[str]) -> None:
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL:
            raise ValueError(f"the URL of a {kind} must be valid") from None
        if self._url.scheme != "https" and not (allow_http and self._url.scheme == "http"):
            raise ValueError(f"the URL of a {kind} must begin with https://, or http:// if allow_http is true")
        if not self._url.host:
            raise ValueError(f"the URL of a {kind} must name a host")
        if self._url.userinfo:
            raise ValueError(f"the URL of a {kind} must not contain a user name or password; use a secret")
        self.networks: tuple[Network, ...] = read_networks(allowed_networks)
        self.host: str = self._url.raw_host.decode("ascii").strip("[]")
        self.port: int = self._url.port or _PORTS[self._url.scheme]

    def __repr__(self) -> str:
        return f"{self._url.scheme}://{self._url.netloc.decode('ascii')}"

    def arguments(self, message: Message, address: str) -> dict[str, Any]:
        """Return the arguments of an httpx request that connects to an address of the host.

        The URL names the address, so that nothing resolves the name again (DNS rebinding). The `Host` header and TLS
        name the host.
        """
        return {
            "method": "POST",
            "url": self._url.copy_with(host=address),
            "content": message.body,
            "headers": {"host": self._url.netloc.decode("ascii"), "user-agent": "scimkit", **message.headers},
            "extensions": {"sni_hostname": self.host},
        }


@dataclass(frozen=True, slots=True)
class Message:
    """The body and the headers of a request."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The response of a receiver."""

    status: int
    retry_after: float = 0.0
    """Seconds of the `Retry-After` header. A date or a missing header is 0."""
    body: bytes = field(default=b"", repr=False)
    """The first bytes of the body. Empty if the body was not read."""

    @property
    def is_success(self) -> bool:
        """True for a status of 2xx."""
        return 200 <= self.status <= 299


def reply_of(response: httpx.Response, body: bytes = b"") -> Reply:
    """Return the reply of a response."""
    return Reply(response.status_code, _retry_after(response), body)


def check_status(reply: Reply) -> None:
    """Check that a receiver has accepted an event.

    Raises:
        DeliveryFailed: The status is not 2xx. A redirect is not followed.
    """
    if not reply.is_success:
        hint = "; redirects are not followed" if 300 <= reply.status <= 399 else ""
        raise DeliveryFailed(f"HTTP {reply.status}{hint}", retry_after=reply.retry_after)


def failed(error: httpx.HTTPError | OSError) -> DeliveryFailed:
    """Return the failure of a connection. Its detail has no part of the URL."""
    return DeliveryFailed(f"The receiver could not be reached ({type(error).__name__}).")


def client_options(timeout: float, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Return the options of an httpx client: no redirects, and no proxy or credentials of the environment."""
    options: dict[str, Any] = {"timeout": timeout, "follow_redirects": False, "trust_env": False}
    return options if context is None else options | {"verify": context}


def _retry_after(response: httpx.Response) -> float:
    """Return the seconds of a `Retry-After` header. A date or a missing header is 0."""
    value = response.headers.get("retry-after", "")
    return float(min(int(value), MAX_RETRY_AFTER)) if value.isascii() and value.isdigit() and len(value) < 10 else 0.0
