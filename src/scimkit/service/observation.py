"""The port of observers: objects that watch requests from their beginning to their end.

`scimkit.telemetry` implements the port. A service without an observer pays nothing for it. This module does no I/O.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from scimkit.errors import ScimError
from scimkit.service.http import Request, Response
from scimkit.service.request_context import RequestContext
from scimkit.tokens import Principal


class RequestObserver(Protocol):
    """An object that watches the requests of a service. Its methods must not block and must not raise."""

    def watching(self, request: Request) -> AbstractContextManager[object]:
        """Return a context in which the service works on a request.

        The service enters a context to verify a token, and another one to handle the request. `Request.observation`
        joins the two.
        """
        ...

    def end(
        self,
        request: Request,
        response: Response,
        call: RequestContext | None,
        principal: Principal | None,
        error: ScimError | None,
    ) -> None:
        """Note the response to a request.

        A request whose deadline passed in a queue may end twice.

        Args:
            request: The request.
            response: The response.
            call: The context of the request, or None if the request was refused before it was read.
            principal: The principal of the token, if it is known.
            error: The error that the response reports, or None.
        """
        ...

    def note_part(self, request: Request, response: Response, call: RequestContext, error: ScimError | None) -> None:
        """Note the response to one operation of a bulk request. The arguments are those of `end`."""
        ...
