"""The count of failed attempts to authenticate, for each source of requests.

After too many failed attempts, requests of a source are refused before any look-up of their token. A token that this
process has seen before is still verified. So is one unknown token now and then, because a process that has just started
knows no token. This module never sees a store of tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import ceil
from threading import Lock
from time import monotonic
from typing import Any, Final

from scimkit.errors import TooManyRequests, Unauthorized
from scimkit.tokens import bearer_token

MAX_SOURCES: Final = 10_000
"""Maximum number of sources whose failed attempts are kept. The source whose last failure is oldest is forgotten."""

_DETAIL: Final = "Too many requests without a valid bearer token came from this address; try again later."


class _Failures:
    """The times of the last failed attempts of a source, and the time of the next look-up of an unknown token."""

    __slots__ = ("next_look_up", "times")

    def __init__(self, limit: int) -> None:
        self.times: deque[float] = deque(maxlen=limit)
        self.next_look_up = 0.0


class FailedAttempts:
    """Counts failed attempts in memory, and refuses sources that have too many.

    Args:
        limit: The number of failed attempts within the window from which a source is refused. 0 means no limit.
        window: The number of seconds for which a failed attempt counts.
        verifier: The verifier of tokens. Its methods `is_known` and `is_well_formed` are optional. Without them, no
            token is known and every token is well-formed.
        clock: A function that returns a time in seconds, such as `time.monotonic`.
    """

    def __init__(self, limit: int, window: float, verifier: Any = None, clock: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._window = window
        self._interval = window / max(limit, 1)
        self._is_known: Callable[[str], bool] = getattr(verifier, "is_known", lambda _: False)
        self._is_well_formed: Callable[[str], bool] = getattr(verifier, "is_well_formed", lambda _: True)
        self._clock = clock
        self._lock = Lock()
        self._sources: dict[str, _Failures] = {}

    def __contains__(self, source: str) -> bool:
        """Report whether a source may have failed attempts, so that `check` is needed."""
        return source in self._sources

    def __len__(self) -> int:
        """Return the number of sources that are kept."""
        return len(self._sources)

    def check(self, source: str, authorization: str | None) -> None:
        """Check that a request of a source may be verified.

        Args:
            source: The source of the request.
            authorization: The Authorization header of the request, or None.

        Raises:
            TooManyRequests: The source has too many failed attempts.
        """
        with self._lock:
            failures = self._sources.get(source)
            now = self._clock()
            if failures is None or not self._is_refused(failures, now):
                return
            token = _token_of(authorization)
            if token is not None and self._is_known(token):
                return
            until = failures.times[0] + self._window
            if token is not None and self._is_well_formed(token):
                if failures.next_look_up <= now:
                    failures.next_look_up = now + self._interval
                    return
                until = min(until, failures.next_look_up)
        raise TooManyRequests(max(1, ceil(until - now)), _DETAIL)

    def add(self, source: str) -> bool:
        """Count a failed attempt, and return True if the source is refused from now on."""
        if self._limit <= 0 or not source:
            return False
        with self._lock:
            now = self._clock()
            failures = self._sources.pop(source, None) or _Failures(self._limit)
            was_refused = self._is_refused(failures, now)
            failures.times.append(now)
            self._sources[source] = failures
            if len(self._sources) > MAX_SOURCES:
                del self._sources[next(iter(self._sources))]
            begins = not was_refused and self._is_refused(failures, now)
            if begins:
                failures.next_look_up = now + self._interval
            return begins

    def _is_refused(self, failures: _Failures, now: float) -> bool:
        """Report whether the last failed attempts, as many as the limit, were all within the window."""
        return len(failures.times) == self._limit and now - failures.times[0] < self._window


def _token_of(authorization: str | None) -> str | None:
    """Return the token of an Authorization header, or None if the header has no token."""
    try:
        return bearer_token(authorization)
    except Unauthorized:
        return None
