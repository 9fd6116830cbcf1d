"""`PollApp` serves the poll endpoint of security events on an event loop (RFC 8936)."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from scimkit.asgi import (
    AsgiScope,
    ClientDisconnected,
    Receive,
    Send,
    read_body,
    send_whole,
    serve_lifespan,
)
from scimkit.delivery.security_events.poll_requests import PollRefused, PollRequest
from scimkit.delivery.security_events.polling import MAX_BODY, PollEndpoint, PollStream, refusal
from scimkit.errors import InternalError, PayloadTooLarge, ScimError
from scimkit.service import Request, Response
from scimkit.service.locations import relative_path
from scimkit.service.request_headers import read_headers

_log: Final = logging.getLogger("scimkit")


class PollApp:
    """An ASGI 3 application that serves a `PollEndpoint`. The queue is used in threads.

    Args:
        endpoint: The endpoint.
        prefix: The path of the endpoint inside this application, if no framework mounts the application under a path.
    """

    def __init__(self, endpoint: PollEndpoint, *, prefix: str = "") -> None:
        self.endpoint = endpoint
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection: an HTTP request, or the lifespan of the server."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
            return
        try:
            response = await self._respond(scope, receive)
        except ClientDisconnected:
            return
        await send_whole(response, scope["method"], send)

    async def _respond(self, scope: AsgiScope, receive: Receive) -> Response:
        """Return the response to a request. Raises ClientDisconnected."""
        path, root = scope["path"], scope.get("root_path", "").rstrip("/")
        if root and (path == root or path.startswith(f"{root}/")):
            path = path.removeprefix(root)
        request = Request(scope["method"], relative_path(path, self._prefix))
        try:
            request.headers = read_headers(scope["headers"])
            keys = self.endpoint.keys(request)
            if keys is not None:
                return keys
            polled = self.endpoint.authenticated(request)
            body = await read_body(receive, request, MAX_BODY)
            if body is None:
                raise PayloadTooLarge(f"The request body is larger than {MAX_BODY} bytes.")
            poll = await asyncio.to_thread(self.endpoint.settled, polled, body)
            return await self._answer(polled, poll, receive)
        except (PollRefused, ScimError) as error:
            return refusal(error)
        except ClientDisconnected:
            raise
        except Exception:
            _log.exception("a poll request failed")
            return refusal(InternalError())

    async def _answer(self, polled: PollStream, poll: PollRequest, receive: Receive) -> Response:
        """Return the tokens, and wait for some if the request waits. Raises ClientDisconnected."""
        endpoint = self.endpoint
        may_wait = not poll.returns_immediately and polled.waiting.acquire(blocking=False)
        gone = asyncio.ensure_future(receive())
        try:
            ends = time.monotonic() + (endpoint.longest_wait if may_wait else 0.0)
            while True:
                is_last = time.monotonic() >= ends
                response = await asyncio.to_thread(endpoint.answer, polled, poll, is_last=is_last)
                if response is not None:
                    return response
                await asyncio.wait({gone}, timeout=min(endpoint.interval, max(ends - time.monotonic(), 0.0)))
                if gone.done():
                    raise ClientDisconnected
        finally:
            gone.cancel()
            if may_wait:
                polled.waiting.release()
