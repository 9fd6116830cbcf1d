"""A synchronous interface to an async store: an event loop in a thread, with one task for each call.

Calls from several threads run as concurrent tasks.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, cast

from scimkit.documents import Document
from scimkit.stores.protocol import (
    Capability,
    MemberPages,
    Members,
    Page,
    Result,
    Scope,
    Store,
    SyncStore,
    Written,
    holds_references,
)

_THREADS = 64
"""The number of threads. Each open transaction needs a thread, so this is more than a test has transactions at once."""


class LoopThread:
    """An event loop that runs in a thread until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_THREADS))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, awaitable: Awaitable[Result]) -> Result:
        """Return the result of an awaitable. Call this method from outside the event loop only."""

        async def awaited() -> Result:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()

    def close(self) -> None:
        """Stop the event loop and its threads."""
        self.run(self._loop.shutdown_asyncgens())
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class DrivenAsyncStore:
    """A `SyncStore` that awaits each call of an async store on an event loop in another thread."""

    is_async: Literal[False] = False
    blocking = True

    def __init__(self, store: Store, loop: LoopThread) -> None:
        self.store = store
        self.unsupported: Collection[Capability] = store.unsupported
        self.logs_writes: bool = getattr(store, "logs_writes", False)
        self.holds_references: bool = holds_references(store)
        self._loop = loop

    def get(self, *arguments: Any, **named: Any) -> Document:
        return self._loop.run(self.store.get(*arguments, **named))

    def search(self, *arguments: Any, **named: Any) -> Page:
        return self._loop.run(self.store.search(*arguments, **named))

    def create(self, *arguments: Any, **named: Any) -> Written:
        return self._loop.run(self.store.create(*arguments, **named))

    def replace(self, *arguments: Any, **named: Any) -> Written:
        return self._loop.run(self.store.replace(*arguments, **named))

    def change(self, *arguments: Any, **named: Any) -> Written:
        return self._loop.run(self.store.change(*arguments, **named))

    def delete(self, *arguments: Any, **named: Any) -> Any:
        return self._loop.run(self.store.delete(*arguments, **named))

    def members(self, *arguments: Any, **named: Any) -> Members:
        return self._loop.run(cast(MemberPages, self.store).members(*arguments, **named))

    @property
    def outbox(self) -> Any:
        """The outbox of the store with a synchronous interface, or None."""
        found = getattr(self.store, "outbox", None)
        return None if found is None else DrivenPort(found, self._loop)

    def record_events(self, events: Any) -> None:
        """Add events to the outbox of the store."""
        self._loop.run(cast(Any, self.store).record_events(events))

    @property
    def provisioning_log(self) -> Any:
        """The provisioning log of the store with a synchronous interface, or None."""
        found = getattr(self.store, "provisioning_log", None)
        return None if found is None else DrivenPort(found, self._loop)

    def record_log(self, entries: Any) -> None:
        """Add entries to the provisioning log of the store."""
        self._loop.run(cast(Any, self.store).record_log(entries))

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        async def awaited(inner: Store) -> Any:
            return await asyncio.to_thread(work, DrivenAsyncStore(inner, self._loop))

        result: Result = self._loop.run(self.store.transaction(scope, awaited))
        return result


class DrivenPort:
    """An outbox or a provisioning log that awaits each call of an async one on an event loop in another thread."""

    is_async: Literal[False] = False

    def __init__(self, port: Any, loop: LoopThread) -> None:
        self._port = port
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)
        return lambda *arguments, **named: self._loop.run(method(*arguments, **named))
