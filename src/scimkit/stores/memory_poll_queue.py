"""`MemoryPollQueue`: a poll queue in memory. It never does I/O, and its tokens are lost with the process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from threading import Lock

from scimkit.events.outbox import milliseconds
from scimkit.events.poll_queue import QueuedTokens
from scimkit.uuid7 import to_milliseconds


class MemoryPollQueue:
    """A `PollQueue` in memory, for tests and demonstrations."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: defaultdict[str, dict[str, tuple[int, str]]] = defaultdict(dict)

    def add(self, stream: str, jti: str, token: str) -> None:
        with self._lock:
            self._streams[stream].setdefault(jti, (milliseconds(), token))

    def first(self, stream: str, count: int, max_bytes: int) -> QueuedTokens:
        with self._lock:
            waiting = self._streams.get(stream, {})
            found: dict[str, str] = {}
            size = 0
            for jti, (_, token) in waiting.items():
                size += len(token)
                if len(found) == count or (found and size > max_bytes):
                    break
                found[jti] = token
            return QueuedTokens(found, len(found) < len(waiting))

    def remove(self, stream: str, jtis: Collection[str]) -> int:
        with self._lock:
            waiting = self._streams.get(stream, {})
            return sum(waiting.pop(each, None) is not None for each in set(jtis))

    def purge(self, stream: str, older_than: datetime) -> int:
        before = to_milliseconds(older_than)
        with self._lock:
            waiting = self._streams.get(stream, {})
            gone = [jti for jti, (added, _) in waiting.items() if added < before]
            for each in gone:
                del waiting[each]
            return len(gone)
