"""`AsyncWebhook`: a handler for `async_deliver` that sends events by the Standard Webhooks specification."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from types import TracebackType

from scimkit.delivery.async_connections import AsyncConnection
from scimkit.delivery.messages import Target, check_status
from scimkit.delivery.signatures import Signer
from scimkit.delivery.webhook_messages import signed_message
from scimkit.events.resource_events import ResourceEvent


class AsyncWebhook:
    """Sends events to a URL, awaited. Otherwise as `Webhook`.

    Args:
        url: The URL of the receiver.
        secrets: The secret that signs the messages, from `new_secret`. While you replace a secret, give both.
        allow_http: Accept a URL with `http`, for tests on one machine.
        allowed_networks: Networks such as `10.0.0.0/8` to which the webhook may connect.
        timeout: Seconds that one delivery may take.
        ssl_context: The TLS settings, for a receiver with a certificate of your own authority.

    Raises:
        ValueError: The URL, a secret or a network is not valid.
    """

    def __init__(
        self,
        url: str,
        secrets: str | Sequence[str],
        *,
        allow_http: bool = False,
        allowed_networks: Sequence[str] = (),
        timeout: float = 10.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._target = Target(url, "webhook", allow_http=allow_http, allowed_networks=allowed_networks)
        self._signer = Signer(secrets)
        self._connection = AsyncConnection(self._target, timeout, ssl_context)

    def __repr__(self) -> str:
        return f"AsyncWebhook({self._target!r})"

    async def __call__(self, event: ResourceEvent) -> None:
        """Send an event.

        Raises:
            DeliveryFailed: The receiver could not be reached, has a forbidden address, or did not accept the event.
        """
        check_status(await self._connection.post(signed_message(event, self._signer)))

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def __aenter__(self) -> AsyncWebhook:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
