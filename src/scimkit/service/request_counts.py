"""The counts of requests in a sliding window, on the library `limits`: in memory, or in Redis.

A Redis that fails never fails a request: the process then counts alone for a while. This module knows no tenants.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.util import WindowStats

_log: Final = logging.getLogger("scimkit")

_TIMEOUT: Final = 0.25
"""Maximum number of seconds to wait for a connection to Redis, or for an answer."""
_PAUSE: Final = 5.0
"""Number of seconds for which Redis is not asked after a failure."""
_LOG_INTERVAL: Final = 60.0
_MAX_CONNECTIONS: Final = 100
_SHORTEST_WAIT: Final = 0.01


class _Counter(Protocol):
    """The part of a strategy of `limits` that this module uses. An async strategy returns awaitables."""

    def hit(self, item: RateLimitItem, *identifiers: str) -> bool | Awaitable[bool]: ...

    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats | Awaitable[WindowStats]: ...


class RequestCounts:
    """Counts requests by key.

    Args:
        url: `memory://`, or the URL of a Redis server.
        prefix: The prefix of the keys in Redis.
        is_async: Whether to await Redis on the event loop. False means a client that blocks.

    Raises:
        ModuleNotFoundError: The extra `limits` is not installed.
        ValueError: The URL cannot be read.
    """

    def __init__(self, url: str, prefix: str, *, is_async: bool) -> None:
        try:
            from limits import RateLimitItemPerSecond
            from limits.storage import MemoryStorage
            from limits.strategies import SlidingWindowCounterRateLimiter
        except ModuleNotFoundError as missing:
            raise ModuleNotFoundError("rate limits need their extra: pip install 'scimkit[limits]'") from missing
        self._new_item = RateLimitItemPerSecond
        self._items: dict[int, RateLimitItem] = {}
        self._in_memory: _Counter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._in_redis: _Counter | None = None
        self._pool: Any = None
        if url != "memory://":
            self._in_redis, self._pool = _redis_counter(url, prefix, is_async=is_async)
        self._next_attempt = 0.0
        self._next_log = 0.0

    async def count(self, amount: int, window: int, *key: str) -> float:
        """Count a request.

        Args:
            amount: The number of requests that a window may have.
            window: The number of seconds of a window.
            key: The texts that name the sender.

        Returns:
            0 if the request is within the limit. Otherwise, the number of seconds until a request is. Such a request
            is not counted.
        """
        item = self._items.get(amount)
        if item is None:
            item = self._items[amount] = self._new_item(amount, window)
        if self._in_redis is not None and monotonic() >= self._next_attempt:
            try:
                return await _count(self._in_redis, item, key)
            except Exception as error:  # libraries for Redis raise errors of many kinds
                self._fail(error)
        return await _count(self._in_memory, item, key)

    async def close(self) -> None:
        """Close the connections to Redis."""
        closing = None if self._pool is None else self._pool.disconnect()
        if closing is not None:
            await closing

    def _fail(self, error: Exception) -> None:
        """Stop asking Redis for a while, and log the failure at most once a minute."""
        now = monotonic()
        self._next_attempt = now + _PAUSE
        if now >= self._next_log:
            self._next_log = now + _LOG_INTERVAL
            _log.warning(
                "rate limits: Redis does not answer (%s); each process counts its requests alone", type(error).__name__
            )


async def _count(counter: _Counter, item: RateLimitItem, key: tuple[str, ...]) -> float:
    """Count a request. Return 0 if it is within the limit, and the number of seconds to wait otherwise."""
    within = counter.hit(item, *key)
    if not isinstance(within, bool):
        within = await within
    if within:
        return 0.0
    stats: Any = counter.get_window_stats(item, *key)
    if not isinstance(stats, tuple):
        stats = await stats
    reset: float = stats[0]
    return max(_SHORTEST_WAIT, reset - time())


def _redis_counter(url: str, prefix: str, *, is_async: bool) -> tuple[_Counter, Any]:
    """Return a counter in Redis and its pool of connections. The first request connects.

    Raises:
        ModuleNotFoundError: The extra `limits` is not installed.
        ValueError: The URL cannot be read.
    """
    try:
        from redis import ConnectionPool
        from redis.asyncio import ConnectionPool as AsyncConnectionPool
        from redis.asyncio.retry import Retry as AsyncRetry
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError("rate limits in Redis need their extra: pip install 'scimkit[limits]'") from missing
    options: dict[str, Any] = {
        "socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT, "max_connections": _MAX_CONNECTIONS
    }  # fmt: skip
    address = url.replace("redis+unix://", "unix://")
    if is_async:
        from limits.aio.storage import RedisStorage as AsyncRedisStorage
        from limits.aio.strategies import SlidingWindowCounterRateLimiter as AsyncSlidingWindow

        pool: Any = AsyncConnectionPool.from_url(address, retry=AsyncRetry(NoBackoff(), 0), **options)
        shared = AsyncRedisStorage(f"async+{url}", implementation="redispy", key_prefix=prefix, connection_pool=pool)
        return AsyncSlidingWindow(shared), pool
    from limits.storage import RedisStorage
    from limits.strategies import SlidingWindowCounterRateLimiter

    pool = ConnectionPool.from_url(address, retry=Retry(NoBackoff(), 0), **options)
    return SlidingWindowCounterRateLimiter(RedisStorage(url, connection_pool=pool, key_prefix=prefix)), pool
