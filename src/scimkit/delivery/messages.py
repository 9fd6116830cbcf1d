"""The HTTP requests of webhooks, and what their responses mean, for both colors. This module sends nothing."""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from typing import Any, Final

try:
    import httpx as httpx  # the modules of both colors import it from here
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("webhooks need httpx: pip install 'scimkit[webhooks]'") from _missing

from scimkit.delivery.addresses import Network, read_networks
from scimkit.delivery.retries import DeliveryFailed
from scimkit.delivery.signatures import Signer
from scimkit.documents import write_json
from scimkit.events.resource_events import ResourceEvent
from scimkit.events.serialization import event_to_json

MAX_RETRY_AFTER: Final = 24 * 3600
"""The largest number of seconds that a `Retry-After` header may ask for."""
_PORTS: Final = {"https": 443, "http": 80}


class Target:
    """The receiver of a webhook and its secrets. The path and the secrets are not in its representation.

    Args:
        url: The URL of the receiver.
        secrets: One or more secrets.
        allow_http: Accept a URL with `http`.
        allowed_networks: Networks such as `10.0.0.0/8` to which the webhook may connect.

    Raises:
        ValueError: The URL, a secret or a network is not valid.
    """

    def __init__(
        self, url: str, secrets: str | Sequence[str], *, allow_http: bool, allowed_networks: Sequence[str]
    ) -> None:
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL:
            raise ValueError("the URL of a webhook must be valid") from None
        if self._url.scheme != "https" and not (allow_http and self._url.scheme == "http"):
            raise ValueError("the URL of a webhook must begin with https://, or http:// if allow_http is true")
        if not self._url.host:
            raise ValueError("the URL of a webhook must name a host")
        if self._url.userinfo:
            raise ValueError("the URL of a webhook must not contain a user name or password; use a secret")
        self.networks: tuple[Network, ...] = read_networks(allowed_networks)
        self.host: str = self._url.raw_host.decode("ascii").strip("[]")
        self.port: int = self._url.port or _PORTS[self._url.scheme]
        self._signer = Signer(secrets)

    def __repr__(self) -> str:
        return f"{self._url.scheme}://{self._url.netloc.decode('ascii')}"

    def arguments(self, event: ResourceEvent, address: str) -> dict[str, Any]:
        """Return the arguments of an httpx request that connects to an address of the host.

        The URL names the address, so that nothing resolves the name again (DNS rebinding). The `Host` header and TLS
        name the host.
        """
        body = write_json(event_to_json(event))
        timestamp = int(time.time())
        return {
            "method": "POST",
            "url": self._url.copy_with(host=address),
            "content": body,
            "headers": {
                "host": self._url.netloc.decode("ascii"),
                "content-type": "application/json",
                "user-agent": "scimkit",
                "webhook-id": event.event_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": self._signer.sign(event.event_id, timestamp, body),
            },
            "extensions": {"sni_hostname": self.host},
        }


def check_status(response: httpx.Response) -> None:
    """Check that a receiver has accepted an event.

    Raises:
        DeliveryFailed: The status is not 2xx. A redirect is not followed.
    """
    if response.is_success:
        return
    hint = "; redirects are not followed" if response.is_redirect else ""
    raise DeliveryFailed(f"HTTP {response.status_code}{hint}", retry_after=_retry_after(response))


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
