"""The port of a poll queue: signed security event tokens that wait until a receiver acknowledges them.

A worker adds tokens, and the poll endpoint returns and removes them (RFC 8936). The tests in
`scimkit.testing.contract.poll_queue` check a queue. This module does no I/O.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class QueuedTokens:
    """The oldest tokens of a stream."""

    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    """The tokens in compact form by their `jti`, the oldest first."""
    has_more: bool = False
    """True if the stream has more tokens."""


class PollQueue(Protocol):
    """A queue of tokens for each stream. Any number of processes may use it at once.

    The methods return when they are done. An adapter on an event loop calls them in a thread.
    """

    def add(self, stream: str, jti: str, token: str) -> None:
        """Add a token at the end of a stream. Do nothing if the stream has a token with this `jti`.

        Raises:
            Unavailable: The database failed.
        """
        ...

    def first(self, stream: str, count: int, max_bytes: int) -> QueuedTokens:
        """Return the oldest tokens of a stream, without removing them.

        Args:
            stream: The id of the stream.
            count: The largest number of tokens.
            max_bytes: The largest size of the tokens together. The first token is returned at any size.

        Raises:
            Unavailable: The database failed.
        """
        ...

    def remove(self, stream: str, jtis: Collection[str]) -> int:
        """Remove tokens from a stream, and return their number. Unknown tokens are ignored.

        Raises:
            Unavailable: The database failed.
        """
        ...

    def purge(self, stream: str, older_than: datetime) -> int:
        """Remove the tokens of a stream that were added before a time, and return their number.

        Args:
            stream: The id of the stream.
            older_than: The time, with a time zone.

        Raises:
            Unavailable: The database failed.
        """
        ...
