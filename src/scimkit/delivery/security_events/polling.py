"""The poll endpoint of security event tokens (RFC 8936): requests, acknowledgments and responses.

An adapter serves the endpoint on an event loop or in threads, and waits between two looks at the queue.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from itertools import islice
from threading import BoundedSemaphore
from typing import Final

from scimkit.delivery.security_events.issuer import SecurityEventIssuer
from scimkit.delivery.security_events.poll_requests import PollRefused, PollRequest, read_poll
from scimkit.delivery.security_events.push_messages import shown
from scimkit.delivery.security_events.streams import EventStream
from scimkit.documents import write_json
from scimkit.errors import ScimError
from scimkit.events.poll_queue import PollQueue
from scimkit.service.http import Request, Response

MAX_BODY: Final = 1_048_576
"""The largest number of bytes of a poll request."""
MAX_SETS: Final = 4_194_304
"""The largest number of bytes of the tokens in one response. A single token may be larger."""
MAX_WAITING: Final = 4
"""The largest number of requests that wait for tokens of one stream at once. Others are answered at once."""
SHORTEST_SECRET: Final = 32
JWKS_PATH: Final = "jwks.json"

_LOGGED: Final = 100
"""The largest number of refused tokens of one request that are logged."""

_log: Final = logging.getLogger("scimkit")


class PollStream:
    """A stream whose receiver polls, and the secrets of the receiver. The secrets are in no representation.

    Args:
        stream: The stream. Its id is the path of its endpoint.
        secrets: The bearer token of the receiver, such as `secrets.token_urlsafe(32)`. While you replace it, give both.

    Raises:
        ValueError: There is no secret, or a secret has less than 32 characters. The message contains no secret.
    """

    def __init__(self, stream: EventStream, secrets: str | Sequence[str]) -> None:
        given = [secrets] if isinstance(secrets, str) else list(secrets)
        if not given or any(len(each) < SHORTEST_SECRET for each in given):
            raise ValueError(f"the secret of a poll stream must have at least {SHORTEST_SECRET} characters")
        self.stream: EventStream = stream
        """The stream."""
        self.waiting: BoundedSemaphore = BoundedSemaphore(MAX_WAITING)
        """The places for requests that wait for tokens."""
        self._digests = [sha256(each.encode()).digest() for each in given]

    def __repr__(self) -> str:
        return f"PollStream({self.stream.id!r})"

    def accepts(self, secret: str) -> bool:
        """Report whether a text is a secret of the receiver. Only digests are compared."""
        digest = sha256(secret.encode("utf-8", "surrogatepass")).digest()
        return any(compare_digest(digest, each) for each in self._digests)


class PollEndpoint:
    """Serves streams to receivers that poll. `PollApp` of an adapter makes it an application.

    Args:
        queue: The queue to which a worker with `EventEnqueuer` adds tokens.
        streams: The streams, each with the secrets of its receiver.
        issuer: The issuer whose public keys are served at `jwks.json`, or None to serve no keys.
        longest_wait: Seconds that a request without `returnImmediately` waits for tokens.
        interval: Seconds between two looks at the queue while a request waits.
        max_events: The largest number of tokens in one response.

    Raises:
        ValueError: Two streams have the same id, or a number is out of range.
    """

    def __init__(
        self,
        queue: PollQueue,
        streams: Sequence[PollStream],
        *,
        issuer: SecurityEventIssuer | None = None,
        longest_wait: float = 20.0,
        interval: float = 1.0,
        max_events: int = 100,
    ) -> None:
        if longest_wait < 0 or interval <= 0 or max_events < 1:
            raise ValueError("longest_wait must not be negative, and interval and max_events must be positive")
        self._streams = {each.stream.id: each for each in streams}
        if len(self._streams) != len(streams) or JWKS_PATH in self._streams:
            raise ValueError(f"each stream needs an id of its own, and none may be {JWKS_PATH}")
        self._queue = queue
        self._issuer = issuer
        self._max_events = max_events
        self.longest_wait: float = longest_wait
        """Seconds that a request waits for tokens."""
        self.interval: float = interval
        """Seconds between two looks at the queue."""

    def keys(self, request: Request) -> Response | None:
        """Return the public keys if the request asks for them, and None otherwise."""
        if self._issuer is None or request.path.strip("/") != JWKS_PATH or request.method not in ("GET", "HEAD"):
            return None
        body = write_json(self._issuer.jwks)
        return Response(200, body, (("Content-Type", "application/jwk-set+json"), ("Cache-Control", "max-age=300")))

    def authenticated(self, request: Request) -> PollStream:
        """Return the stream of a request by its path and headers, before the body is read.

        Raises:
            PollRefused: The method is wrong, there is no such path, or the secret is not that of the stream.
        """
        path = request.path.strip("/")
        if not path or "/" in path:
            raise PollRefused(404, "invalid_request", "There is no such endpoint.")
        if request.method != "POST":
            raise PollRefused(405, "invalid_request", "Poll with POST.", (("Allow", "POST"),))
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        found = self._streams.get(path)
        if found is None or scheme.lower() != "bearer" or not found.accepts(secret.strip()):
            raise PollRefused(
                401,
                "authentication_failed",
                "The stream does not exist, or the bearer token is not that of its receiver.",
                (("WWW-Authenticate", "Bearer"),),
            )
        return found

    def settled(self, polled: PollStream, body: bytes) -> PollRequest:
        """Read the body of a poll request, and remove the tokens that the receiver acknowledges or refuses.

        Raises:
            PollRefused: The body is not a poll request.
            Unavailable: The database failed.
        """
        poll = read_poll(body)
        stream = polled.stream.id
        for jti, error in islice(poll.errors.items(), _LOGGED):
            _log.error(
                "the receiver of stream %s refuses the security event token %s: %s %s",
                stream, shown(jti, 64), shown(error.get("err"), 64), shown(error.get("description"), 200),
            )  # fmt: skip
        done = {*poll.acknowledged, *poll.errors}
        if done:
            self._queue.remove(stream, done)
        return poll

    def answer(self, polled: PollStream, poll: PollRequest, *, is_last: bool) -> Response | None:
        """Return the response to a poll request, or None if the request waits for tokens.

        Args:
            polled: The stream.
            poll: The request.
            is_last: True to answer without tokens if there are none.

        Raises:
            Unavailable: The database failed.
        """
        count = self._max_events if poll.max_events is None else min(poll.max_events, self._max_events)
        if count == 0:
            return _json(200, {"sets": {}})
        found = self._queue.first(polled.stream.id, count, MAX_SETS)
        if not found.tokens and not poll.returns_immediately and not is_last:
            return None
        return _json(200, {"sets": found.tokens, "moreAvailable": found.has_more})


def refusal(error: PollRefused | ScimError) -> Response:
    """Return the response for an error (RFC 8936 section 2.6)."""
    if isinstance(error, PollRefused):
        return _json(error.status, {"err": error.err, "description": error.description}, *error.headers)
    return _json(error.status, {"err": "invalid_request", "description": error.detail}, *error.headers)


def _json(status: int, document: object, *headers: tuple[str, str]) -> Response:
    common = (("Content-Type", "application/json"), ("Content-Language", "en"), ("Cache-Control", "no-store"))
    return Response(status, write_json(document), (*common, *headers))
