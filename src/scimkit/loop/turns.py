"""Turns of tenants on an event loop: a tenant uses at most its share of the threads or of the connections.

Requests beyond the share wait until another request of their tenant ends. Every wait has a deadline.
"""

from __future__ import annotations

import asyncio
from collections import deque
from threading import Lock
from time import monotonic
from typing import Final

from scimkit.errors import Unavailable

_WAITING_PER_TURN: Final = 16


class _Waiter:
    """A request that waits for its turn."""

    __slots__ = ("future", "has_turn", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.future: asyncio.Future[None] = loop.create_future()
        self.has_turn = False

    def begin(self) -> None:
        """Let the request continue, unless it has given up."""
        if not self.future.done():
            self.future.set_result(None)

    def expire(self) -> None:
        """Fail a request whose deadline has passed."""
        if not self.future.done():
            self.future.set_exception(Unavailable())


class Turns:
    """Lets at most `size` requests of each tenant run at once.

    A host may use several event loops, as Django does, so a lock guards the counts.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = Lock()
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[_Waiter]] = {}

    async def take(self, tenant: str, deadline: float) -> bool:
        """Wait for a turn of a tenant. The caller calls `give_back` when its request ends.

        Args:
            tenant: The tenant.
            deadline: The reading of `time.monotonic()` until which to wait.

        Returns:
            False if too many requests of the tenant wait already. The caller has no turn then.

        Raises:
            Unavailable: The deadline has passed.
        """
        with self._lock:
            running = self._running.get(tenant, 0)
            if running < self._size:
                self._running[tenant] = running + 1
                return True
            queue = self._waiting.setdefault(tenant, deque())
            if len(queue) >= self._size * _WAITING_PER_TURN:
                return False
            waiter = _Waiter(asyncio.get_running_loop())
            queue.append(waiter)
        timer = waiter.loop.call_later(max(0.0, deadline - monotonic()), waiter.expire)
        try:
            await waiter.future
        except BaseException:
            self._abandon(tenant, waiter)
            raise
        finally:
            timer.cancel()
        return True

    def give_back(self, tenant: str) -> None:
        """End a turn. The request of the tenant that has waited longest gets the turn."""
        with self._lock:
            queue = self._waiting.get(tenant)
            while queue:
                waiter = queue.popleft()
                try:
                    waiter.loop.call_soon_threadsafe(waiter.begin)
                except RuntimeError:  # the loop is closed, so nobody waits
                    continue
                waiter.has_turn = True
                break
            else:
                running = self._running[tenant] - 1
                if running:
                    self._running[tenant] = running
                else:
                    del self._running[tenant]
            if queue is not None and not queue:
                del self._waiting[tenant]

    def _abandon(self, tenant: str, waiter: _Waiter) -> None:
        """Remove a request that does not wait any more, or pass its turn on."""
        with self._lock:
            queue = self._waiting.get(tenant)
            if not waiter.has_turn and queue is not None and waiter in queue:
                queue.remove(waiter)
                if not queue:
                    del self._waiting[tenant]
        if waiter.has_turn:
            self.give_back(tenant)
