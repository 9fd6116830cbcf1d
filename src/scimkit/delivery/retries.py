"""The outcome of an attempt to deliver an event: when to try again, and when to give up. This module does no I/O."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from random import uniform
from typing import Final

from scimkit.events.outbox import OutboxEntry

_log: Final = logging.getLogger("scimkit")


class DeliveryFailed(Exception):
    """A handler could not deliver an event, and the event should be tried again.

    Args:
        detail: The reason, which the outbox stores and `scimkit events list` shows. It must not contain a secret.
        retry_after: The least number of seconds before the next attempt.
    """

    def __init__(self, detail: str, *, retry_after: float = 0.0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


class Undeliverable(Exception):
    """A handler can never deliver an event, which becomes a dead letter at once.

    Args:
        detail: The reason, which the outbox stores. It must not contain a secret.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The attempts to deliver one event: exponential backoff with jitter, and a dead letter at the end.

    The default makes 12 attempts within about two days.
    """

    tries: int = 12
    """The number of attempts. An event that fails as often becomes a dead letter."""
    first_delay: float = 5.0
    """Seconds before the second attempt."""
    factor: float = 3.0
    """The factor by which each delay is longer than the one before."""
    longest_delay: float = 12 * 3600.0
    """The longest delay in seconds."""

    def __post_init__(self) -> None:
        if self.tries < 1 or self.first_delay < 0 or self.factor < 1 or self.longest_delay < 0:
            raise ValueError("a retry policy must have at least 1 try, a factor of at least 1 and no negative delay")

    def delay(self, attempts: int) -> float:
        """Return the seconds before the next attempt, after a number of failed attempts.

        The delay is random, between half of the backoff and all of it, so that workers do not retry at the same time.
        """
        backoff = self.first_delay
        for _ in range(attempts - 1):
            backoff = min(backoff * self.factor, self.longest_delay)
        return uniform(0.5, 1.0) * min(backoff, self.longest_delay)


@dataclass(frozen=True, slots=True)
class Failure:
    """The outcome of an attempt that failed. `delay` is None for a dead letter."""

    detail: str
    delay: float | None


def failure_of(error: Exception, entry: OutboxEntry, policy: RetryPolicy) -> Failure:
    """Return what becomes of an entry after its handler raised an exception, and log the exception.

    The text of an exception may contain a secret. The outbox therefore stores the name of its class only, except for
    `DeliveryFailed` and `Undeliverable`.
    """
    attempts = entry.attempts + 1
    delay: float | None = policy.delay(attempts)
    detail = type(error).__name__
    if isinstance(error, Undeliverable):
        detail, delay = error.detail, None
    elif isinstance(error, DeliveryFailed):
        detail = error.detail
        delay = min(max(policy.delay(attempts), error.retry_after), policy.longest_delay)
    else:
        _log.error("a handler failed to deliver event %s", entry.event_id, exc_info=error)
    if attempts >= policy.tries:
        delay = None
    if delay is None:
        _log.error("event %s is a dead letter after %d attempts: %s", entry.event_id, attempts, detail)
    else:
        _log.warning("event %s was not delivered; next attempt in %.0f s: %s", entry.event_id, delay, detail)
    return Failure(detail, delay)


def check_worker_options(batch: int, lease: float, poll: float) -> None:
    """Check the options of a worker.

    Raises:
        ValueError: An option is out of range.
    """
    if batch < 1 or lease <= 0 or poll <= 0:
        raise ValueError("batch must be at least 1, and lease and poll must be more than 0 seconds")


def jittered(poll: float) -> float:
    """Return a random delay near `poll`, so that workers do not ask the database at the same time."""
    return poll * uniform(0.5, 1.5)
