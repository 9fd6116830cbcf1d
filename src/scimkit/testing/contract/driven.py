"""An async store driven from plain functions: one event loop in a thread, one task for each call.

Calls from several threads are several tasks at once. This module never calls a sync store.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from scimkit.documents import Document
from scimkit.patch.changes import ChangeSet
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import Lack, Page, Query, Result, Scope, Store, SyncStore, Wants, Written, everything

_THREADS = 64
"""More than a test has transactions at once: each needs a thread of its own, or all of them would wait."""


class LoopThread:
    """An event loop that runs in a thread until it is closed."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_THREADS))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, awaitable: Awaitable[Result]) -> Result:
        """What an awaitable comes to. Not to be called from the loop."""

        async def awaited() -> Result:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result()

    def close(self) -> None:
        """End the loop and its threads."""
        self.run(self._loop.shutdown_asyncgens())
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class DrivenStore:
    """A `SyncStore` whose every call is awaited on a loop in another thread."""

    is_async: Literal[False] = False
    blocking = True

    def __init__(self, store: Store, loop: LoopThread) -> None:
        self.store = store
        self.lacks: Collection[Lack] = store.lacks
        self._loop = loop

    def get(self, scope: Scope, resource_type: ResourceType, id: str, wants: Wants = everything) -> Document:
        return self._loop.run(self.store.get(scope, resource_type, id, wants))

    def search(self, scope: Scope, query: Query) -> Page:
        return self._loop.run(self.store.search(scope, query))

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        return self._loop.run(self.store.create(scope, resource_type, document))

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        return self._loop.run(self.store.replace(scope, resource_type, id, document, expected_version))

    def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        return self._loop.run(self.store.change(scope, resource_type, id, changes, expected_version))

    def delete(self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None) -> None:
        self._loop.run(self.store.delete(scope, resource_type, id, expected_version))

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        async def awaited(inner: Store) -> Any:
            return await asyncio.to_thread(work, DrivenStore(inner, self._loop))

        result: Result = self._loop.run(self.store.transaction(scope, awaited))
        return result
