"""`AsyncConnection` sends messages to a receiver, awaited, and only to addresses that are allowed."""

from __future__ import annotations

import asyncio
import socket
import ssl

from scimkit.delivery.addresses import checked_addresses
from scimkit.delivery.messages import MAX_REPLY, Message, Reply, Target, client_options, failed, httpx, reply_of
from scimkit.delivery.retries import DeliveryFailed


class AsyncConnection:
    """The connections to one receiver, as those of `Connection`.

    Args:
        target: The receiver.
        timeout: Seconds that one delivery may take.
        ssl_context: The TLS settings, for a receiver with a certificate of your own authority.
        reads_body: True to read the first bytes of a response that is not a success.
    """

    def __init__(
        self, target: Target, timeout: float, ssl_context: ssl.SSLContext | None, *, reads_body: bool = False
    ) -> None:
        self._target = target
        self._timeout = timeout
        self._reads_body = reads_body
        self._client = httpx.AsyncClient(**client_options(timeout, ssl_context))

    async def post(self, message: Message) -> Reply:
        """Resolve the host, check its addresses, and send a message to the first address that accepts connections.

        Raises:
            DeliveryFailed: The receiver could not be reached in time, or has a forbidden address.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(message)
        except TimeoutError as error:
            raise failed(error) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _post(self, message: Message) -> Reply:
        """Send a message to the first address that accepts connections."""
        target = self._target
        try:
            found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise DeliveryFailed("The host of the receiver could not be resolved.") from None
        problem: DeliveryFailed | None = None
        for address in checked_addresses(found, target.networks):
            try:
                return await self._send(message, address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = failed(error)
            except (httpx.HTTPError, OSError) as error:
                raise failed(error) from None
        assert problem is not None  # the host has an address
        raise problem

    async def _send(self, message: Message, address: str) -> Reply:
        """Send a message to an address of the host."""
        async with self._client.stream(**self._target.arguments(message, address)) as response:
            return reply_of(response, await self._first_bytes(response))

    async def _first_bytes(self, response: httpx.Response) -> bytes:
        """Return the first bytes of the body of a failure."""
        if not self._reads_body or response.is_success:
            return b""
        body = b""
        async for part in response.aiter_raw():
            body += part
            if len(body) >= MAX_REPLY:
                break
        return body[:MAX_REPLY]
