"""The ASGI adapter: reads a bounded body, calls the service, writes the response. No framework.

Mount `ScimApp` under any path of a FastAPI, Starlette or Django application, or serve it alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, Final, TypeAlias, TypeVar

from scimkit.errors import PayloadTooLarge
from scimkit.runner import run_sync
from scimkit.service import Request, Response, ScimService
from scimkit.service.http import WITH_BODY, error_response
from scimkit.service.locations import base_url, relative_path

AsgiScope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

Result = TypeVar("Result")

_LONGEST_NUMBER: Final = 18


class ScimApp:
    """An ASGI 3 application that serves a `ScimService`.

    `prefix` is the path the endpoint has inside this application when nothing mounts it. `public_url`
    is the endpoint's URL as clients see it, and wins over all else; `trust_forwarded` reads
    `X-Forwarded-Proto`, `-Host` and `-Prefix` (only behind a proxy that sets them).
    """

    def __init__(
        self, service: ScimService, *, prefix: str = "", public_url: str | None = None, trust_forwarded: bool = False
    ) -> None:
        self.service = service
        self._prefix = prefix.rstrip("/")
        self._public_url = public_url.rstrip("/") if public_url else None
        self._trust_forwarded = trust_forwarded

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one connection: http, or the lifespan of the server."""
        if scope["type"] == "http":
            await self._write(await self._respond(scope, receive), scope["method"], send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            raise RuntimeError(f"SCIM is served over HTTP, not {scope['type']}")

    async def _respond(self, scope: AsgiScope, receive: Receive) -> Response:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        method, path, root = scope["method"], scope["path"], scope.get("root_path", "").rstrip("/")
        if root and (path == root or path.startswith(f"{root}/")):
            path = path.removeprefix(root)
        body = b""
        if method in WITH_BODY:
            read = await _read(receive, headers, self.service.limits.body)
            if read is None:
                return error_response(
                    PayloadTooLarge(f"The request body is larger than {self.service.limits.body} bytes.")
                )
            body = read
        url = self._public_url or base_url(
            scheme=scope.get("scheme", "http"),
            host=headers.get("host") or _server(scope),
            root=root + self._prefix,
            headers=headers if self._trust_forwarded else {},
        )
        query = scope.get("query_string", b"").decode("latin-1")
        request = Request(method, relative_path(path, self._prefix), query, headers, body, url)
        return await self._run(lambda: self.service.handle(request))

    async def _run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The result of work of the service: in a thread, if its store may block."""
        if self.service.blocking:
            return await asyncio.to_thread(lambda: run_sync(work()))
        return await work()

    async def _write(self, response: Response, method: str, send: Send) -> None:
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        if response.status != 204 and response.more is None:
            headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        part = b"" if method == "HEAD" else response.body
        if response.more is not None and method != "HEAD":
            while part:
                await send({"type": "http.response.body", "body": part, "more_body": True})
                part = await self._run(response.more)
        await send({"type": "http.response.body", "body": part})


def _server(scope: AsgiScope) -> str:
    host, port = scope.get("server") or ("localhost", None)
    return host if port is None else f"{host}:{port}"


async def _read(receive: Receive, headers: dict[str, str], limit: int) -> bytes | None:
    """The body, or None when it is over the limit; then no more than that is read."""
    length = headers.get("content-length", "")
    if length.isdecimal() and (len(length) > _LONGEST_NUMBER or int(length) > limit):
        return None
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body if len(body) <= limit else None
    parts, size = [body], len(body)
    while message.get("more_body"):
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
