"""`PollApp` serves the poll endpoint of security events in threads (RFC 8936)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from scimkit.delivery.security_events.poll_requests import PollRefused, PollRequest
from scimkit.delivery.security_events.polling import MAX_BODY, PollEndpoint, PollStream, refusal
from scimkit.errors import InternalError, ScimError
from scimkit.service import Request, Response
from scimkit.service.locations import relative_path
from scimkit.wsgi import decoded_path, headers_of, read_body, start

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_log: Final = logging.getLogger("scimkit")


class PollApp:
    """A WSGI application that serves a `PollEndpoint`. A request that waits for tokens holds its thread.

    Args:
        endpoint: The endpoint.
        prefix: The path of the endpoint inside this application, if no framework mounts the application under a path.
    """

    def __init__(self, endpoint: PollEndpoint, *, prefix: str = "") -> None:
        self.endpoint = endpoint
        self._prefix = prefix.rstrip("/")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        return start(environ, start_response, self._respond(environ))

    def _respond(self, environ: WSGIEnvironment) -> Response:
        """Return the response to a request."""
        path = relative_path(decoded_path(environ.get("PATH_INFO", "")), self._prefix)
        request = Request(environ["REQUEST_METHOD"], path)
        try:
            request.headers = headers_of(environ)
            keys = self.endpoint.keys(request)
            if keys is not None:
                return keys
            polled = self.endpoint.authenticated(request)
            poll = self.endpoint.settled(polled, read_body(environ, request, MAX_BODY))
            return self._answer(polled, poll)
        except (PollRefused, ScimError) as error:
            return refusal(error)
        except Exception:
            _log.exception("a poll request failed")
            return refusal(InternalError())

    def _answer(self, polled: PollStream, poll: PollRequest) -> Response:
        """Return the tokens, and wait for some if the request waits."""
        endpoint = self.endpoint
        may_wait = not poll.returns_immediately and polled.waiting.acquire(blocking=False)
        try:
            ends = time.monotonic() + (endpoint.longest_wait if may_wait else 0.0)
            while True:
                response = endpoint.answer(polled, poll, is_last=time.monotonic() >= ends)
                if response is not None:
                    return response
                time.sleep(min(endpoint.interval, max(ends - time.monotonic(), 0.0)))
        finally:
            if may_wait:
                polled.waiting.release()
