"""`MemoryRequestQueue`: accepted requests in memory. It never does I/O, and its requests are lost with the process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from uuid import uuid4

from scimkit.events.outbox import milliseconds
from scimkit.events.pending_requests import PendingRequest


@dataclass(slots=True)
class _Entry:
    request: PendingRequest
    due: int


class MemoryRequestQueue:
    """A `RequestQueue` in memory, for a `MemoryStore`, whose resources are lost with the process too."""

    blocking: bool = False

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[str, _Entry] = {}

    def add(self, request: PendingRequest, most: int) -> bool:
        with self._lock:
            if sum(each.request.tenant == request.tenant for each in self._entries.values()) >= most:
                return False
            self._entries[request.txn] = _Entry(request, milliseconds())
            return True

    def claim(self, lease: float) -> PendingRequest | None:
        with self._lock:
            now = milliseconds()
            for each in self._entries.values():
                if each.due <= now:
                    each.due = now + int(lease * 1000)
                    each.request = replace(each.request, attempts=each.request.attempts + 1, claim=uuid4().hex)
                    return each.request
            return None

    def note(self, request: PendingRequest, results: bytes) -> bool:
        with self._lock:
            entry = self._claimed(request)
            if entry is not None:
                entry.request = replace(entry.request, results=results)
            return entry is not None

    def release(self, request: PendingRequest, delay: float) -> None:
        with self._lock:
            entry = self._claimed(request)
            if entry is not None:
                entry.due = milliseconds() + int(delay * 1000)
                entry.request = replace(entry.request, claim="")

    def finish(self, request: PendingRequest) -> None:
        with self._lock:
            if self._claimed(request) is not None:
                del self._entries[request.txn]

    def _claimed(self, request: PendingRequest) -> _Entry | None:
        entry = self._entries.get(request.txn)
        return entry if entry is not None and request.claim and entry.request.claim == request.claim else None
