"""The WSGI adapter: reads a bounded body, calls the service, writes the response. No framework.

Mount `ScimApp` under any path of a Flask or Django application, or serve it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from scimkit.errors import PayloadTooLarge
from scimkit.runner import run_sync
from scimkit.service import Request, Response, ScimService
from scimkit.service.http import error_response
from scimkit.service.locations import base_url, relative_path

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_LONGEST_NUMBER: Final = 18


class ScimApp:
    """A WSGI application that serves a `ScimService` over a sync store.

    `prefix`, `public_url` and `trust_forwarded` are those of `scimkit.asgi.ScimApp`.
    Raises: ValueError when the service can be served on an event loop only.
    """

    def __init__(
        self, service: ScimService, *, prefix: str = "", public_url: str | None = None, trust_forwarded: bool = False
    ) -> None:
        if service.is_async:
            raise ValueError("WSGI takes a sync store and a sync token verifier; serve this service with scimkit.asgi")
        self.service = service
        self._prefix = prefix.rstrip("/")
        self._public_url = public_url.rstrip("/") if public_url else None
        self._trust_forwarded = trust_forwarded

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        response = self._respond(environ)
        status = f"{response.status} {HTTPStatus(response.status).phrase}"
        headers = list(response.headers)
        if response.status != 204 and response.more is None:
            headers.append(("Content-Length", str(len(response.body))))
        start_response(status, headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            return []
        return [response.body] if response.more is None else response.parts()

    def _respond(self, environ: WSGIEnvironment) -> Response:
        limit = self.service.limits.body
        body = _read(environ, limit)
        if body is None:
            return error_response(PayloadTooLarge(f"The request body is larger than {limit} bytes."))
        headers = _headers(environ)
        request = Request(
            method=environ["REQUEST_METHOD"],
            path=relative_path(_text(environ.get("PATH_INFO", "")), self._prefix),
            query=environ.get("QUERY_STRING", ""),
            headers=headers,
            body=body,
            base_url=self._public_url
            or base_url(
                scheme=environ.get("wsgi.url_scheme", "http"),
                host=headers.get("host") or f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}",
                root=_text(environ.get("SCRIPT_NAME", "")).rstrip("/") + self._prefix,
                headers=headers if self._trust_forwarded else {},
            ),
        )
        return run_sync(self.service.handle(request))


def _text(path: str) -> str:
    """A path as text; WSGI carries its bytes as latin-1 (PEP 3333)."""
    return path.encode("latin-1").decode("utf-8", "replace")


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    return headers


def _read(environ: WSGIEnvironment, limit: int) -> bytes | None:
    """The body, or None when it is over the limit; then no more than that is read."""
    length: Any = environ.get("CONTENT_LENGTH") or ""
    stream = environ["wsgi.input"]
    if length.isdecimal():
        return None if len(length) > _LONGEST_NUMBER or int(length) > limit else stream.read(int(length))
    if not environ.get("wsgi.input_terminated"):
        return b""
    parts, size = [], 0
    while part := stream.read(65536):
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)
