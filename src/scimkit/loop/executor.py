"""Threads with bounded queues for a blocking store under an event loop. The store's connections limit the threads.

Every wait ends. If a queue is full, a request gets Unavailable at once. If the deadline of a request passes, the
request gets Unavailable too, even if its thread still waits for the database. The threads are daemon threads, so a
thread that hangs does not keep the process alive.
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
"""Number of threads for a store that does not report how many connections it has."""
_WAITING_JOBS_PER_THREAD: Final = 16


class _Job:
    """A unit of work for a thread. `key` identifies the resource that the work writes, and is empty for a read."""

    __slots__ = ("begun", "context", "future", "key", "loop", "work")

    def __init__(self, work: Callable[[], Any], key: str, loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.key = key
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.context = copy_context()
        self.begun = False

    def run(self) -> None:
        """Do the work and pass the result to the event loop."""
        try:
            outcome, error = self.context.run(self.work), None
        except BaseException as raised:  # the future raises the error where it is awaited
            outcome, error = None, raised
        try:
            self.loop.call_soon_threadsafe(self._settle, outcome, error)
        except RuntimeError:  # the loop is closed, so nothing awaits the result
            return

    def _settle(self, outcome: Any, error: BaseException | None) -> None:
        """Set the result of the future, unless the deadline has passed or the waiting request was cancelled."""
        if self.future.done():
            return
        if error is None:
            self.future.set_result(outcome)
        else:
            self.future.set_exception(error)


class Executor:
    """Runs blocking work in at most `size` threads, and at least two.

    Reads and writes have separate queues. Writes take at most three quarters of the threads. Writes of one resource
    take at most one quarter. A locked row, or a write lock of SQLite that another process holds, therefore leaves
    threads for all other requests.
    """

    def __init__(self, size: int | None = None) -> None:
        self.size: int = max(2, size or DEFAULT_SIZE)
        self._max_writes = max(1, self.size * 3 // 4)
        self._max_writes_by_key = max(1, self.size // 4)
        self._queue_limit = self.size * _WAITING_JOBS_PER_THREAD
        self._lock = Lock()
        self._reads: deque[_Job] = deque()
        self._writes: deque[_Job] = deque()
        self._waiting_by_key: Counter[str] = Counter()
        self._running_by_key: Counter[str] = Counter()
        self._running = 0
        self._running_writes = 0
        self._idle = 0
        self._ready: SimpleQueue[_Job] = SimpleQueue()

    @property
    def full(self) -> bool:
        """True if the executor refuses the next read or the next write."""
        return max(len(self._reads), len(self._writes)) >= self._queue_limit

    async def run(self, work: Callable[[], Result], deadline: float, key: str = "") -> Result:
        """Run work in a thread and return its result.

        Args:
            work: The function to run.
            deadline: The reading of `time.monotonic()` until which to wait for the result.
            key: The resource that the work writes. Empty for a read.

        Raises:
            Unavailable: The queue is full, or the deadline has passed.
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
        """Start a job, or append it to its queue. Raises Unavailable if the queue is full."""
        with self._lock:
            if self._may_run(job):
                self._begin(job)
                return
            queue = self._writes if job.key else self._reads
            if len(queue) >= self._queue_limit or (self._waiting_by_key[job.key] >= self._queue_limit // 2 and job.key):
                raise Unavailable()
            queue.append(job)
            if job.key:
                self._waiting_by_key[job.key] += 1

    def _may_run(self, job: _Job) -> bool:
        """Report whether a thread is free for a job."""
        if self._running >= self.size:
            return False
        return not job.key or (
            self._running_writes < self._max_writes and self._running_by_key[job.key] < self._max_writes_by_key
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
        """Count a job as running. The caller holds the lock."""
        job.begun = True
        self._running += 1
        if job.key:
            self._running_writes += 1
            self._running_by_key[job.key] += 1

    def _work(self) -> None:
        """Run jobs forever, in a thread."""
        while True:
            job: _Job | None = self._ready.get()
            while job is not None:
                job.run()
                job = self._next(job)

    def _next(self, done: _Job) -> _Job | None:
        """Return the job that a thread runs after another job. None if no job may run; the thread is then idle."""
        with self._lock:
            self._running -= 1
            if done.key:
                self._running_writes -= 1
                _decrement(self._running_by_key, done.key)
            job = self._next_from_queues()
            if job is None:
                self._idle += 1
            else:
                self._count(job)
            return job

    def _next_from_queues(self) -> _Job | None:
        """Remove the first job that may run from the queues, and return it. Reads and writes take turns."""
        first, second = (self._reads, self._writes) if self._running_writes else (self._writes, self._reads)
        for queue in (first, second):
            for position, job in enumerate(queue):
                if self._may_run(job):
                    del queue[position]
                    if job.key:
                        _decrement(self._waiting_by_key, job.key)
                    return job
        return None

    def _expire(self, job: _Job) -> None:
        """Fail a job whose deadline has passed."""
        if not job.future.done():
            job.future.set_exception(Unavailable())

    def _withdraw(self, job: _Job) -> None:
        """Remove a job that has not begun from its queue."""
        with self._lock:
            queue = self._writes if job.key else self._reads
            if not job.begun and job in queue:
                queue.remove(job)
                if job.key:
                    _decrement(self._waiting_by_key, job.key)


def _decrement(counter: Counter[str], key: str) -> None:
    """Decrease a count by one, and delete the key at zero."""
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
