"""The ASGI adapter serves a `ScimService` without a web framework.

It verifies the token, reads a body up to the limit, calls the service and sends the response. Mount `ScimApp` under any
path of a FastAPI, Starlette or Django application, or serve it alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from time import monotonic
from typing import Any, Final, TypeAlias

from scimkit.errors import NotFound, PayloadTooLarge, ScimError
from scimkit.loop import loop_service
from scimkit.loop.health import probe_of
from scimkit.service import Request, Response, ScimService
from scimkit.service.http import WITH_BODY, error_response
from scimkit.service.locations import base_url, check_proxies, relative_path
from scimkit.service.request_headers import declared_length, read_headers
from scimkit.service.sources import client_source

AsgiScope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_log: Final = logging.getLogger("scimkit")

_DISCONNECT: Final = "http.disconnect"
_READ_AHEAD: Final = 65536
"""Number of bytes of a body that a server reads ahead of the application."""


class ClientDisconnected(Exception):
    """The client disconnected before its body ended, so the request is dropped without a response."""


class ScimApp:
    """An ASGI 3 application that serves a `ScimService`.

    Args:
        service: The service to serve.
        prefix: The path of the endpoint inside this application, if no framework mounts the application under a path.
        public_url: The URL of the endpoint as clients see it. It takes precedence over the headers of requests.
        trust_forwarded: The number of proxies in front of the service that set `X-Forwarded-Proto`, `-Host` and
            `-Prefix`, and append the client to `X-Forwarded-For`. Values from before these proxies are ignored.

    Raises:
        ValueError: `trust_forwarded` is not a number of proxies.
    """

    def __init__(
        self, service: ScimService, *, prefix: str = "", public_url: str | None = None, trust_forwarded: int = 0
    ) -> None:
        self.service = service
        self._on_loop = loop_service(service)
        self._prefix = prefix.rstrip("/")
        self._public_url = public_url.rstrip("/") if public_url else None
        self._proxies = check_proxies(trust_forwarded)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection: an HTTP request, or the lifespan of the server."""
        if scope["type"] == "http":
            try:
                response = await self._respond(scope, receive)
            except ClientDisconnected:
                return
            await self._write(response, scope["method"], receive, send)
        elif scope["type"] == "lifespan":
            await serve_lifespan(receive, send, self._on_loop.flushed)
        else:
            raise RuntimeError(f"SCIM is served over HTTP, not {scope['type']}")

    async def _respond(self, scope: AsgiScope, receive: Receive) -> Response:
        """Return the response to an HTTP request."""
        service, request = self.service, self._request_without_headers(scope)
        try:
            self._read_headers(scope, request)
        except ScimError as error:
            return service.refuse(request, error)
        if request.method not in WITH_BODY:
            return await self._on_loop.handled(request)
        return await self._respond_to_body(request, receive)

    async def _respond_to_body(self, request: Request, receive: Receive) -> Response:
        """Verify the token, then read the body and return the response.

        If the verification needs a thread, a short body that has already arrived is handled in that same thread.
        """
        service, first = self.service, None
        if service.blocking and service.verification_blocks and _may_have_arrived(request, service.limits.body):
            first = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
            if first.done() and len(first.result().get("body", b"")) == declared_length(request.headers):
                request.body = first.result().get("body", b"")
                return await self._on_loop.handled(request)
        refused = await self._on_loop.authenticated(request)
        if refused is not None:
            if first is not None:
                first.cancel()
            return refused
        body = await read_body(receive, request, service.limits.body, first)
        if body is None:
            return service.refuse(
                request, PayloadTooLarge(f"The request body is larger than {service.limits.body} bytes.")
            )
        request.body = body
        return await self._on_loop.handled(request)

    def _request_without_headers(self, scope: AsgiScope) -> Request:
        """Return the request with method, path and query, but without its headers."""
        path, root = scope["path"], scope.get("root_path", "").rstrip("/")
        if root and (path == root or path.startswith(f"{root}/")):
            path = path.removeprefix(root)
        query = scope.get("query_string", b"").decode("latin-1")
        deadline = monotonic() + self.service.limits.deadline
        return Request(scope["method"], relative_path(path, self._prefix), query, deadline=deadline)

    def _read_headers(self, scope: AsgiScope, request: Request) -> None:
        """Read the headers into the request. Raises BadRequest if a header is ambiguous."""
        headers = request.headers = read_headers(scope["headers"])
        request.source = client_source((scope.get("client") or ("",))[0], headers, self._proxies)
        request.base_url = self._public_url or base_url(
            scheme=scope.get("scheme", "http"),
            host=headers.get("host") or _server(scope),
            root=scope.get("root_path", "").rstrip("/") + self._prefix,
            headers=headers,
            proxies=self._proxies,
        )

    async def _write(self, response: Response, method: str, receive: Receive, send: Send) -> None:
        """Send the response."""
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        if response.status != 204 and response.more is None:
            headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        if response.more is None or method == "HEAD":
            await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})
        else:
            await self._stream(response.body, response.more, receive, send)

    async def _stream(
        self, part: bytes, more: Callable[[], Coroutine[Any, Any, bytes]], receive: Receive, send: Send
    ) -> None:
        """Send the parts of a body until the last part, or until the client disconnects."""
        gone = asyncio.ensure_future(_until_disconnect(receive))
        try:
            while part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
                await asyncio.sleep(0)  # lets the event loop notice a disconnect
                if gone.done():
                    return
                part = await self._on_loop.next_part(more)
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()


class HealthApp:
    """An ASGI application that answers `/healthz` and `/readyz` probes for a `ScimService`, below any mount path."""

    def __init__(self, service: ScimService) -> None:
        self.service = service

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one probe."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send)
            return
        probe = probe_of(scope["path"])
        response = error_response(NotFound()) if probe is None else await probe(self.service)
        await send_whole(response, scope["method"], send)


async def send_whole(response: Response, method: str, send: Send) -> None:
    """Send a response whose body has one part."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else response.body})


def _server(scope: AsgiScope) -> str:
    """Return the host and port of the server, for requests without a Host header."""
    host, port = scope.get("server") or ("localhost", None)
    return host if port is None else f"{host}:{port}"


def _may_have_arrived(request: Request, limit: int) -> bool:
    """Report whether the body may have arrived with the headers. A client that expects 100 has not sent it yet."""
    length = declared_length(request.headers)
    return length is not None and length <= min(_READ_AHEAD, limit) and "expect" not in request.headers


async def read_body(
    receive: Receive, request: Request, limit: int, first: Awaitable[Message] | None = None
) -> bytes | None:
    """Return the body, or None if it is larger than the limit. No more than the limit is read.

    Raises ClientDisconnected if the client disconnects before the body ends.
    """
    length = declared_length(request.headers)
    if length is not None and length > limit:
        return None
    parts, size, more = [], 0, True
    while more:
        message = await (first or receive())
        first = None
        if message["type"] == _DISCONNECT:
            raise ClientDisconnected
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _until_disconnect(receive: Receive) -> None:
    """Return when the client disconnects. A request without a body sends one message before that."""
    for _ in range(2):
        if (await receive())["type"] == _DISCONNECT:
            return
    await asyncio.get_running_loop().create_future()


async def serve_lifespan(
    receive: Receive, send: Send, at_shutdown: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Answer the lifespan messages of the server until it shuts down. An error at the shutdown is logged."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown" and at_shutdown is not None:
            try:
                await at_shutdown()
            except Exception:
                _log.exception("the shutdown of the service failed")
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
