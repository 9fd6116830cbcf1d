"""The WSGI form of the token endpoint. Mount `TokenApp` under `/oauth`, and it serves `/oauth/token`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scimkit.errors import ScimError
from scimkit.oauth.token_endpoint import TokenEndpoint
from scimkit.oauth.token_requests import MAX_BODY
from scimkit.runner import run_sync
from scimkit.service import Request, Response
from scimkit.service.locations import relative_path
from scimkit.wsgi import ScimApp, decoded_path, read_body

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


class TokenApp(ScimApp):
    """A WSGI application that serves a `TokenEndpoint` at `/token`.

    Args:
        endpoint: The token endpoint.
        prefix: The path before `/token`, if no framework mounts the application under a path.
        trust_forwarded: The number of proxies in front of the endpoint, as for `ScimApp`.

    Raises:
        ValueError: The endpoint needs an event loop, or `trust_forwarded` is not a number of proxies.
    """

    def __init__(self, endpoint: TokenEndpoint, *, prefix: str = "", trust_forwarded: int = 0) -> None:
        super().__init__(endpoint.service, prefix=prefix, trust_forwarded=trust_forwarded)
        self.endpoint = endpoint

    def _respond(self, environ: WSGIEnvironment) -> Response:
        """Return the response to a request."""
        endpoint = self.endpoint
        path = relative_path(decoded_path(environ.get("PATH_INFO", "")), self._prefix)
        request = Request(environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""))
        try:
            self._read_headers(environ, request)
            if request.method == "POST":
                request.body = read_body(environ, request, MAX_BODY)
            return run_sync(endpoint.handle(request))
        except ScimError as error:
            return endpoint.refuse(request, error)
