"""`Connection` sends messages to a receiver, and only to addresses that are allowed."""

from __future__ import annotations

import socket
import ssl
import time

from scimkit.delivery.addresses import checked_addresses
from scimkit.delivery.messages import MAX_REPLY, Message, Reply, Target, client_options, failed, httpx, reply_of
from scimkit.delivery.retries import DeliveryFailed


class Connection:
    """The connections to one receiver.

    Args:
        target: The receiver.
        timeout: Seconds that connecting, sending, or waiting for a part of the response may take.
        ssl_context: The TLS settings, for a receiver with a certificate of your own authority.
        reads_body: True to read the first bytes of a response that is not a success.
    """

    def __init__(
        self, target: Target, timeout: float, ssl_context: ssl.SSLContext | None, *, reads_body: bool = False
    ) -> None:
        self._target = target
        self._timeout = timeout
        self._reads_body = reads_body
        self._client = httpx.Client(**client_options(timeout, ssl_context))

    def post(self, message: Message) -> Reply:
        """Resolve the host, check its addresses, and send a message to the first address that accepts connections.

        Raises:
            DeliveryFailed: The receiver could not be reached, or has a forbidden address.
        """
        target = self._target
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise DeliveryFailed("The host of the receiver could not be resolved.") from None
        problem: DeliveryFailed | None = None
        for address in checked_addresses(found, target.networks):
            try:
                return self._send(message, address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = failed(error)
            except (httpx.HTTPError, OSError) as error:
                raise failed(error) from None
        assert problem is not None  # the host has an address
        raise problem

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(self, message: Message, address: str) -> Reply:
        """Send a message to an address of the host."""
        with self._client.stream(**self._target.arguments(message, address)) as response:
            return reply_of(response, self._first_bytes(response))

    def _first_bytes(self, response: httpx.Response) -> bytes:
        """Return the first bytes of the body of a failure. A slow body is cut off."""
        if not self._reads_body or response.is_success:
            return b""
        body, ends = b"", time.monotonic() + self._timeout
        for part in response.iter_raw():
            body += part
            if len(body) >= MAX_REPLY or time.monotonic() >= ends:
                break
        return body[:MAX_REPLY]
