"""The ASGI form of the token endpoint. Mount `TokenApp` under `/oauth`, and it serves `/oauth/token`."""

from __future__ import annotations

from typing import Final

from scimkit.asgi import AsgiScope, Receive, ScimApp, read_body
from scimkit.errors import PayloadTooLarge, ScimError
from scimkit.loop.executor import Executor
from scimkit.oauth.token_endpoint import TokenEndpoint
from scimkit.oauth.token_requests import MAX_BODY
from scimkit.runner import run_sync
from scimkit.service import Response

_THREADS: Final = 8
"""Number of threads for all token requests. A source takes at most a quarter of them.

An issuer whose keys arrive slowly therefore delays neither the SCIM requests nor the clients of other sources.
"""


class TokenApp(ScimApp):
    """An ASGI 3 application that serves a `TokenEndpoint` at `/token`.

    Args:
        endpoint: The token endpoint.
        prefix: The path before `/token`, if no framework mounts the application under a path.
        trust_forwarded: The number of proxies in front of the endpoint, as for `ScimApp`.

    Raises:
        ValueError: `trust_forwarded` is not a number of proxies.
    """

    def __init__(self, endpoint: TokenEndpoint, *, prefix: str = "", trust_forwarded: int = 0) -> None:
        super().__init__(endpoint.service, prefix=prefix, trust_forwarded=trust_forwarded)
        self.endpoint = endpoint
        self._threads = Executor(_THREADS)

    async def _respond(self, scope: AsgiScope, receive: Receive) -> Response:
        """Return the response to a request."""
        endpoint, request = self.endpoint, self._request_without_headers(scope)
        try:
            self._read_headers(scope, request)
            if request.method == "POST":
                body = await read_body(receive, request, MAX_BODY)
                if body is None:
                    raise PayloadTooLarge(f"The request body is larger than {MAX_BODY} bytes.")
                request.body = body
            if endpoint.is_async:
                return await endpoint.handle(request)
            return await self._threads.run(
                lambda: run_sync(endpoint.handle(request)), request.deadline or 0.0, request.source or "unknown"
            )
        except ScimError as error:
            return endpoint.refuse(request, error)
