"""`AsyncWebhook`: a handler for `async_deliver` that sends events by the Standard Webhooks specification."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from types import TracebackType

from scimkit.delivery.addresses import checked_addresses
from scimkit.delivery.messages import Target, check_status, client_options, failed, httpx
from scimkit.delivery.retries import DeliveryFailed
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
        self._target = Target(url, secrets, allow_http=allow_http, allowed_networks=allowed_networks)
        self._timeout = timeout
        self._client = httpx.AsyncClient(**client_options(timeout, ssl_context))

    def __repr__(self) -> str:
        return f"AsyncWebhook({self._target!r})"

    async def __call__(self, event: ResourceEvent) -> None:
        """Send an event.

        Raises:
            DeliveryFailed: The receiver could not be reached, has a forbidden address, or did not accept the event.
        """
        try:
            async with asyncio.timeout(self._timeout):
                await self._deliver(event)
        except TimeoutError as error:
            raise failed(error) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> AsyncWebhook:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _deliver(self, event: ResourceEvent) -> None:
        """Resolve the host, check its addresses, and send an event to the first address that accepts connections."""
        target = self._target
        try:
            found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise DeliveryFailed("The host of the webhook could not be resolved.") from None
        problem: DeliveryFailed | None = None
        for address in checked_addresses(found, target.networks):
            try:
                return await self._send(event, address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = failed(error)
            except (httpx.HTTPError, OSError) as error:
                raise failed(error) from None
        assert problem is not None  # the host has an address
        raise problem

    async def _send(self, event: ResourceEvent, address: str) -> None:
        """Send an event to an address of the host. The body of the response is not read."""
        async with self._client.stream(**self._target.arguments(event, address)) as response:
            check_status(response)
