"""The port of accepted requests: requests that a client wants to be answered later (RFC 9967 section 2.5.1).

A service adds a request before it answers 202. A worker processes the request, and tells its outcome. The tests in
`scimkit.testing.contract.request_queue` check a queue. This module does no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """An accepted request in a queue."""

    txn: str
    """The id of the request, which the client knows from the header `Set-Txn`."""
    tenant: str
    """The tenant of the request."""
    payload: bytes = field(repr=False)
    """The request as JSON."""
    attempts: int = 0
    """The number of claims, with the present one."""
    results: bytes | None = field(default=None, repr=False)
    """The outcomes as JSON once the request is processed, or None."""
    claim: str = field(default="", repr=False)
    """The claim of a worker."""


class RequestQueue(Protocol):
    """A queue of accepted requests. Any number of processes may use it at once. Its methods return when they are done.

    Each method raises `Unavailable` if the database failed.
    """

    blocking: bool
    """True if a call may wait for a disk or a network."""

    def add(self, request: PendingRequest, most: int) -> bool:
        """Add a request, and return when it is stored.

        Args:
            request: The request.
            most: The largest number of requests of the tenant. Concurrent calls may exceed it by their number.

        Returns:
            False if the tenant has that many requests already.
        """
        ...

    def claim(self, lease: float) -> PendingRequest | None:
        """Claim the oldest request that is due, or return None. No other worker gets it before the lease ends.

        Args:
            lease: Seconds until other workers may claim the request.
        """
        ...

    def note(self, request: PendingRequest, results: bytes) -> bool:
        """Store the outcomes of a claimed request. Return False if another worker has the request."""
        ...

    def release(self, request: PendingRequest, delay: float) -> None:
        """Give a claimed request back. It is due again after `delay` seconds."""
        ...

    def finish(self, request: PendingRequest) -> None:
        """Remove a claimed request."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOutcome:
    """The outcome of an accepted request, or of one operation of an accepted bulk request."""

    txn: str
    """The value of `Set-Txn`; for an operation of a bulk request, with `:` and its index."""
    tenant: str
    uri: str
    """The path of the resource, or of its endpoint if the resource was not created."""
    payload: Mapping[str, Any] = field(repr=False)
    """An operation of a bulk response (RFC 7644 section 3.7.3)."""
    time: datetime
    """The time at which the request was processed, in UTC."""
