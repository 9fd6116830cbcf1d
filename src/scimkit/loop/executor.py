"""Threads for a blocking store under an event loop: as many as the store has connections, with bounded queues.

Every wait has an end: a full queue raises Unavailable at once, and so does a request whose deadline passes, even if its
thread still waits for the database. The threads are daemons, so that a thread that hangs does not keep the process.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final, TypeVar, cast

from scimkit.errors import Unavailable

Result = TypeVar("Result")

DEFAULT_SIZE: Final = 10
"""Threads for a store that does not say how many connections it has."""
_WAITING_PER_THREAD: Final = 16


class _Job:
    """Work with its lane: `key` names the resource that it writes, and is empty for a read."""

    __slots__ = ("begun", "context", "future", "key", "loop", "work")

    def __init__(self, work: Callable[[], Any], key: str, loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.key = key
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.context = copy_context()
        self.begun = False

    def run(self) -> None:
        """Do the work and hand the outcome to the loop, if somebody waits for it still."""
        try:
            outcome, error = self.context.run(self.work), None
        except BaseException as raised:  # the loop raises it where it is awaited
            outcome, error = None, raised
        try:
            self.loop.call_soon_threadsafe(self._settle, outcome, error)
        except RuntimeError:  # the loop was closed: nobody waits
            return

    def _settle(self, outcome: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(outcome)
        else:
            self.future.set_exception(error)


class Executor:
    """Runs blocking work in at most `size` threads.

    Reads and writes wait in queues of their own. Writes take at most three quarters of the threads, and the writes of
    one resource at most a quarter: a locked row, or a write lock of SQLite held from outside, leaves threads for all
    other requests.
    """

    def __init__(self, size: int | None = None) -> None:
        self.size: int = max(2, size or DEFAULT_SIZE)
        self._writers = max(1, self.size * 3 // 4)
        self._writers_of_one = max(1, self.size // 4)
        self._longest = self.size * _WAITING_PER_THREAD
        self._lock = Lock()
        self._reads: deque[_Job] = deque()
        self._writes: deque[_Job] = deque()
        self._waiting_of: Counter[str] = Counter()
        self._running_of: Counter[str] = Counter()
        self._running = 0
        self._running_writes = 0
        self._idle = 0
        self._ready: SimpleQueue[_Job] = SimpleQueue()

    @property
    def full(self) -> bool:
        """Whether the next read, or the next write, is refused."""
        return max(len(self._reads), len(self._writes)) >= self._longest

    async def run(self, work: Callable[[], Result], deadline: float, key: str = "") -> Result:
        """Return the result of work in a thread. `key` names the resource that the work writes.

        Raises: Unavailable when the queue is full, or `deadline`, a reading of `time.monotonic()`, has passed.
        """
        loop = asyncio.get_running_loop()
        job = _Job(work, key, loop)
        self._submit(job)
        timer = loop.call_later(max(0.0, deadline - monotonic()), self._expire, job)
        try:
            return cast(Result, await job.future)
        finally:
            timer.cancel()
            if not job.begun:
                self._withdraw(job)

    def _submit(self, job: _Job) -> None:
        with self._lock:
            if self._may_run(job):
                self._begin(job)
                return
            queue = self._writes if job.key else self._reads
            if len(queue) >= self._longest or (self._waiting_of[job.key] >= self._longest // 2 and job.key):
                raise Unavailable()
            queue.append(job)
            if job.key:
                self._waiting_of[job.key] += 1

    def _may_run(self, job: _Job) -> bool:
        if self._running >= self.size:
            return False
        return not job.key or (
            self._running_writes < self._writers and self._running_of[job.key] < self._writers_of_one
        )

    def _begin(self, job: _Job) -> None:
        """Hand a job to a thread. The caller holds the lock."""
        self._count(job)
        self._ready.put(job)
        if self._idle:
            self._idle -= 1
        else:
            Thread(target=self._work, name="scimkit-store", daemon=True).start()

    def _count(self, job: _Job) -> None:
        job.begun = True
        self._running += 1
        if job.key:
            self._running_writes += 1
            self._running_of[job.key] += 1

    def _work(self) -> None:
        """What a thread does: jobs, as long as there are some."""
        while True:
            job: _Job | None = self._ready.get()
            while job is not None:
                job.run()
                job = self._next(job)

    def _next(self, done: _Job) -> _Job | None:
        """The job that the thread of another job does next; without one the thread is idle."""
        with self._lock:
            self._running -= 1
            if done.key:
                self._running_writes -= 1
                _decrement(self._running_of, done.key)
            job = self._take()
            if job is None:
                self._idle += 1
            else:
                self._count(job)
            return job

    def _take(self) -> _Job | None:
        """Take from the queues the first job that may run: reads and writes in turn."""
        first, second = (self._reads, self._writes) if self._running_writes else (self._writes, self._reads)
        for queue in (first, second):
            for position, job in enumerate(queue):
                if self._may_run(job):
                    del queue[position]
                    if job.key:
                        _decrement(self._waiting_of, job.key)
                    return job
        return None

    def _expire(self, job: _Job) -> None:
        if not job.future.done():
            job.future.set_exception(Unavailable())

    def _withdraw(self, job: _Job) -> None:
        """Take a job that did not begin out of its queue."""
        with self._lock:
            queue = self._writes if job.key else self._reads
            if not job.begun and job in queue:
                queue.remove(job)
                if job.key:
                    _decrement(self._waiting_of, job.key)


def _decrement(counter: Counter[str], key: str) -> None:
    """Count one less; a key without any is forgotten."""
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
