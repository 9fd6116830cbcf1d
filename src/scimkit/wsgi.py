"""The WSGI adapter serves a `ScimService` over a sync store without a web framework.

It verifies the token, reads a body up to the limit, calls the service and sends the response. Mount `ScimApp` under any
path of a Flask or Django application, or serve it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING

from scimkit.errors import InvalidSyntax, NotFound, PayloadTooLarge, ScimError
from scimkit.runner import run_sync
from scimkit.service import Request, Response, ScimService
from scimkit.service.health import health, live
from scimkit.service.http import WITH_BODY, error_response
from scimkit.service.locations import base_url, check_proxies, relative_path
from scimkit.service.request_headers import check_headers, declared_length
from scimkit.service.sources import client_source

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


class ScimApp:
    """A WSGI application that serves a `ScimService` over a sync store.

    Args:
        service: The service to serve, with a sync store and a sync token verifier.
        prefix: The path of the endpoint inside this application, if no framework mounts the application under a path.
        public_url: The URL of the endpoint as clients see it. It takes precedence over the headers of requests.
        trust_forwarded: The number of proxies in front of the service that set `X-Forwarded-Proto`, `-Host` and
            `-Prefix`, and append the client to `X-Forwarded-For`. Values from before these proxies are ignored.

    Raises:
        ValueError: The service needs an event loop, or `trust_forwarded` is not a number of proxies.
    """

    def __init__(
        self, service: ScimService, *, prefix: str = "", public_url: str | None = None, trust_forwarded: int = 0
    ) -> None:
        if service.is_async:
            raise ValueError("WSGI needs a sync store and a sync token verifier; serve this service with scimkit.asgi")
        self.service = service
        self._prefix = prefix.rstrip("/")
        self._public_url = public_url.rstrip("/") if public_url else None
        self._proxies = check_proxies(trust_forwarded)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        response = self._respond(environ)
        return start(environ, start_response, response)

    def _respond(self, environ: WSGIEnvironment) -> Response:
        """Return the response to a request."""
        service = self.service
        request = Request(
            environ["REQUEST_METHOD"],
            relative_path(decoded_path(environ.get("PATH_INFO", "")), self._prefix),
            environ.get("QUERY_STRING", ""),
            deadline=monotonic() + service.limits.deadline,
        )
        try:
            self._read_headers(environ, request)
            if request.method in WITH_BODY:
                refused = run_sync(service.authenticate(request, recalls=True))
                if refused is not None:
                    return refused
                request.body = read_body(environ, request, service.limits.body)
        except ScimError as error:
            return service.refuse(request, error)
        return run_sync(service.handle(request))

    def _read_headers(self, environ: WSGIEnvironment, request: Request) -> None:
        """Read the headers into the request. Raises BadRequest if a header is ambiguous."""
        headers = request.headers = headers_of(environ)
        request.source = client_source(environ.get("REMOTE_ADDR"), headers, self._proxies)
        request.base_url = self._public_url or base_url(
            scheme=environ.get("wsgi.url_scheme", "http"),
            host=headers.get("host") or f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}",
            root=decoded_path(environ.get("SCRIPT_NAME", "")).rstrip("/") + self._prefix,
            headers=headers,
            proxies=self._proxies,
        )


class HealthApp:
    """A WSGI application that answers `/healthz` and `/readyz` probes for a `ScimService`, below any mount path."""

    def __init__(self, service: ScimService) -> None:
        self.service = service

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one probe."""
        path = environ.get("PATH_INFO", "") or environ.get("SCRIPT_NAME", "")
        name = path.rsplit("/", 1)[-1]
        if name == "readyz":
            response = health(self.service).response()
        else:
            response = live() if name == "healthz" else error_response(NotFound())
        return start(environ, start_response, response)


def start(environ: WSGIEnvironment, start_response: StartResponse, response: Response) -> Iterable[bytes]:
    """Start the response and return its body."""
    headers = list(response.headers)
    if response.status != 204 and response.more is None:
        headers.append(("Content-Length", str(len(response.body))))
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    if environ["REQUEST_METHOD"] == "HEAD":
        return []
    return [response.body] if response.more is None else response.parts()


def decoded_path(path: str) -> str:
    """Return a path as text. WSGI passes the bytes of a path as latin-1 (PEP 3333)."""
    return path.encode("latin-1").decode("utf-8", "replace")


def headers_of(environ: WSGIEnvironment) -> dict[str, str]:
    """Return the headers by lower-case name. Raises BadRequest if a header is ambiguous."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    if environ.get("CONTENT_LENGTH"):
        headers["content-length"] = environ["CONTENT_LENGTH"]
    return check_headers(headers)


def read_body(environ: WSGIEnvironment, request: Request, limit: int) -> bytes:
    """Return the body. No more than the limit is read.

    Raises PayloadTooLarge, or InvalidSyntax if the body ends before its length or its last chunk.
    """
    length, stream = declared_length(request.headers), environ["wsgi.input"]
    if length is None and not environ.get("wsgi.input_terminated"):
        return b""
    if length is not None and length > limit:
        raise PayloadTooLarge(f"The request body is larger than {limit} bytes.")
    parts, size = [], 0
    while length is None or size < length:
        try:
            part = stream.read(65536 if length is None else length - size)
        except Exception:  # servers raise exceptions of their own if the connection or the chunked coding breaks
            raise InvalidSyntax("The request body ended too early.") from None
        if not part:
            break
        size += len(part)
        if size > limit:
            raise PayloadTooLarge(f"The request body is larger than {limit} bytes.")
        parts.append(part)
    if length is not None and size < length:
        raise InvalidSyntax("The request body ended too early.")
    return b"".join(parts)
