"""`EventPush`: a handler for `deliver` that pushes security event tokens to a receiver (RFC 8935)."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from types import TracebackType

from scimkit.delivery.connections import Connection
from scimkit.delivery.messages import Target
from scimkit.delivery.security_events.issuer import SecurityEventIssuer
from scimkit.delivery.security_events.push_messages import Authorization, check_push, push_message
from scimkit.delivery.security_events.streams import EventStream
from scimkit.events.pending_requests import RequestOutcome
from scimkit.events.resource_events import ResourceEvent


class EventPush:
    """Pushes the security events of one stream to a URL. A status of 2xx means that the receiver has the token.

        with EventPush("https://siem.example.com/events", issuer, stream, authorization="Bearer ...") as push:
            deliver(store.outbox, push)

    Args:
        url: The URL of the receiver.
        issuer: The issuer that signs the tokens.
        stream: The stream. Events that the stream does not carry are passed over.
        authorization: The value of the `Authorization` header, such as `Bearer ...`, or a function that returns it.
        allow_http: Accept a URL with `http`, for tests on one machine.
        allowed_networks: Networks such as `10.0.0.0/8` to which the push may connect. Public addresses are always
            allowed. Loopback, private and link-local addresses are refused otherwise.
        timeout: Seconds that connecting, sending, or waiting for a part of the response may take.
        ssl_context: The TLS settings, for a receiver with a certificate of your own authority.

    Raises:
        ValueError: The URL, a network or the feed of the stream is not valid.
    """

    def __init__(
        self,
        url: str,
        issuer: SecurityEventIssuer,
        stream: EventStream,
        *,
        authorization: Authorization = None,
        allow_http: bool = False,
        allowed_networks: Sequence[str] = (),
        timeout: float = 10.0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        issuer.check(stream)
        self._issuer = issuer
        self._stream = stream
        self._authorization = authorization
        self._target = Target(url, "push stream", allow_http=allow_http, allowed_networks=allowed_networks)
        self._connection = Connection(self._target, timeout, ssl_context, reads_body=True)

    def __repr__(self) -> str:
        return f"EventPush({self._target!r}, stream={self._stream.id!r})"

    def __call__(self, event: ResourceEvent | RequestOutcome) -> None:
        """Send the token of an event, if the stream carries the event.

        Raises:
            DeliveryFailed: The receiver could not be reached, has a forbidden address, or did not accept the token.
            Undeliverable: The receiver refuses the token for good, or the resource type is not known.
        """
        token = self._issuer.token(event, self._stream)
        if token is not None:
            message = push_message(token, self._authorization)
            check_push(self._connection.post(message), message)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __enter__(self) -> EventPush:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
