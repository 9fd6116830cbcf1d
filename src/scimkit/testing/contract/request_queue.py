"""A test suite for queues of accepted requests. Subclass `RequestQueueContract` for your queue, and pytest runs it.

class TestMyQueue(RequestQueueContract):
def make_queue(self):
return MyQueue()
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from scimkit.events.pending_requests import PendingRequest, RequestQueue
from scimkit.uuid7 import new_uuid7

_LONG = 600.0


class RequestQueueContract:
    """Tests that every `RequestQueue` must pass. A subclass implements `make_queue`."""

    def make_queue(self) -> RequestQueue:
        """Return an empty queue."""
        raise NotImplementedError

    def close(self, queue: RequestQueue) -> None:
        """Close the queue after a test."""

    @pytest.fixture
    def queue(self) -> Iterator[RequestQueue]:
        """Return the queue of a test."""
        made = self.make_queue()
        yield made
        self.close(made)

    def test_a_request_is_claimed_once(self, queue: RequestQueue) -> None:
        """A claimed request is not claimed again, until it is given back. It keeps its payload and counts claims."""
        added = _request("acme")
        assert queue.add(added, 1)
        claimed = queue.claim(_LONG)
        assert claimed is not None
        assert (claimed.txn, claimed.tenant, claimed.payload) == (added.txn, "acme", added.payload)
        assert (claimed.attempts, claimed.results) == (1, None)
        assert queue.claim(_LONG) is None
        queue.release(claimed, _LONG)
        assert queue.claim(_LONG) is None

    def test_a_lease_ends(self, queue: RequestQueue) -> None:
        """When a lease ends, another worker gets the request with its results. The first worker has lost it."""
        queue.add(_request(), 1)
        first = queue.claim(0.0)
        assert first is not None and queue.note(first, b"[1]")
        second = queue.claim(_LONG)
        assert second is not None and (second.attempts, second.results) == (2, b"[1]")
        assert not queue.note(first, b"[2]")
        queue.release(first, 0.0)
        queue.finish(first)
        assert queue.claim(_LONG) is None
        assert queue.note(second, b"[3]")
        queue.release(second, 0.0)
        third = queue.claim(_LONG)
        assert third is not None and (third.attempts, third.results) == (3, b"[3]")
        queue.finish(third)
        assert queue.add(_request(), 1)

    def test_the_requests_of_a_tenant_are_limited(self, queue: RequestQueue) -> None:
        """A tenant with many requests gets no further one. Other tenants do. A finished request does not count."""
        assert queue.add(_request("acme"), 2) and queue.add(_request("acme"), 2)
        assert not queue.add(_request("acme"), 2)
        assert queue.add(_request("Acme"), 2) and queue.add(_request("\u00e4"), 2)
        claimed = queue.claim(_LONG)
        assert claimed is not None and claimed.tenant == "acme"
        queue.finish(claimed)
        assert queue.add(_request("acme"), 2)

    def test_many_workers_share_the_requests(self, queue: RequestQueue) -> None:
        """Each request is claimed by one of the workers that claim at once."""
        added = {each.txn for each in (_request() for _ in range(16)) if queue.add(each, 99)}

        def work(_: int) -> list[str]:
            found = []
            while (claimed := queue.claim(_LONG)) is not None:
                found.append(claimed.txn)
                queue.finish(claimed)
            return found

        with ThreadPoolExecutor(4) as pool:
            claimed = [each for found in pool.map(work, range(4)) for each in found]
        while (left := queue.claim(_LONG)) is not None:  # two workers may have tried the same requests
            claimed.append(left.txn)
            queue.finish(left)
        assert sorted(claimed) == sorted(added)


def _request(tenant: str = "default") -> PendingRequest:
    """Return a new request."""
    return PendingRequest(new_uuid7(), tenant, b'{"method": "PUT"}')
