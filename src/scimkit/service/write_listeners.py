"""Run the listeners of writes: before a write, in its transaction, and after its commit.

If the store has an outbox, events are recorded there in the transaction. A service without listeners and outbox uses
none of this.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from scimkit.documents import Document
from scimkit.events import EVENT_TYPES, EventDerivation, EventSource, Listener, PendingWrite, ResourceEvent, Transaction
from scimkit.events.outbox import has_outbox
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.service.request_context import RequestContext
from scimkit.stores.protocol import (
    META,
    Capability,
    Page,
    Query,
    RequestedAttributes,
    Result,
    Scope,
    Store,
    Written,
    all_attributes,
)

_log: Final = logging.getLogger("scimkit")

_OPERATIONS: Final = {"POST": "create", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}
"""The operation of each HTTP method, as events name it."""


class WriteListeners:
    """The listeners of a service.

    Args:
        listeners: The listeners, in the order in which they are called.
        resource_types: The resource types of the service.
        sensitive: Paths of attributes that must not appear in events.
        store: The store of the service.
        is_async: True if the service runs on an event loop.

    Raises:
        ValueError: The store does not support transactions, does not report changes, or has another log than a revoker.
        TypeError: A handler is a coroutine function, and nothing can await it.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        resource_types: Sequence[ResourceType],
        sensitive: Collection[str],
        store: Any,
        *,
        is_async: bool,
    ) -> None:
        self._before_write = [each.handler for each in listeners if each.moment == "before_write"]
        self._in_transaction = [each for each in listeners if each.moment == "in_transaction"]
        self._after_commit = [each for each in listeners if each.moment == "after_commit"]
        self._records_events = has_outbox(store)
        heard = [each.event_type for each in (*self._in_transaction, *self._after_commit)]
        wanted = [
            each for each in EVENT_TYPES.values()
            if self._records_events or any(issubclass(each, kind) for kind in heard)
        ]  # fmt: skip
        self._derivations = {each.name: EventDerivation(each, sensitive, wanted) for each in resource_types}
        self.reports_changes: bool = bool(self._in_transaction or self._after_commit or self._records_events)
        """True if the store has to report the changes of each write."""
        for capability, is_needed in (("changes", self.reports_changes), ("transactions", True)):
            if is_needed and capability in store.unsupported:
                raise ValueError(f"this store does not support {capability}, which listeners and the outbox need")
        own = getattr(getattr(store, "sync_store", store), "provisioning_log", None)
        if any(each.log is not None and each.log is not own for each in listeners):
            raise ValueError("the log of a revoker must be the provisioning log of the store of the service")
        for each in listeners:
            can_wait = is_async if each.moment == "after_commit" else bool(store.is_async)
            if inspect.iscoroutinefunction(each.handler) and not can_wait:
                needed = "a service on an event loop" if each.moment == "after_commit" else "an async store"
                raise TypeError(f"a coroutine function as a listener of {each.moment} needs {needed}")

    async def write(
        self,
        store: Store,
        call: RequestContext,
        resource_type: ResourceType,
        write: Callable[[Store], Awaitable[Written]],
        *,
        may_recover: bool,
    ) -> tuple[Written, list[ResourceEvent]]:
        """Write within a transaction of the store, with the listeners of that moment.

        Args:
            store: The store within the transaction.
            call: The request.
            resource_type: The resource type of the request.
            write: The write on a store.
            may_recover: True if the write catches an error of the store and writes something else.

        Returns:
            What the store reports of the write, and the events.
        """
        transaction = Transaction(getattr(store, "sync_store", store), call.scope)
        if not may_recover:
            store = getattr(store, "without_savepoints", store)
        if self._before_write:
            store = _GuardedStore(store, self._before_write, call, transaction)
        written = await write(store)
        events = self._events(written, call, resource_type)
        for event in events:
            for each in self._in_transaction:
                if isinstance(event, each.event_type):
                    await _called(each.handler(event, transaction))
        if events and self._records_events:
            await _called(transaction.store.record_events(events))
        return written, events

    async def committed(self, events: Sequence[ResourceEvent]) -> None:
        """Call the listeners of committed writes. What a handler raises is logged."""
        for event in events:
            for each in self._after_commit:
                if isinstance(event, each.event_type):
                    try:
                        await _called(each.handler(event))
                    except Exception:
                        _log.exception("a listener of committed writes failed")

    def _events(self, written: Written, call: RequestContext, resource_type: ResourceType) -> list[ResourceEvent]:
        changes = written.changes
        if changes is None:
            return []
        principal = call.principal
        source = EventSource(
            principal.tenant,
            principal.token_id,
            call.request.id,
            tuple(call.deviations.fired),
            _OPERATIONS.get(call.request.method),
            written.document.get(META, {}).get("version"),
            call.request.transaction_id or None,
        )
        events = self._derivations[resource_type.name].events(changes, source, is_linked=call.is_linked)
        for kind, before, after in changes.lost_references:
            if kind in self._derivations:
                version = after.get(META, {}).get("version")
                of_other = replace(source, operation="patch", resource_version=version)
                events += self._derivations[kind].events(EffectiveChanges(before, after), of_other)
        return events


async def _called(answer: Awaitable[None] | None) -> None:
    if answer is not None and hasattr(answer, "__await__"):
        await answer


class _GuardedStore:
    """A store within a transaction that asks the `before_write` listeners before each write."""

    is_async: Literal[True] = True

    def __init__(
        self, store: Store, handlers: Sequence[Callable[..., Any]], call: RequestContext, transaction: Transaction
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._call = call
        self._transaction = transaction
        self.unsupported: Collection[Capability] = store.unsupported

    async def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        return await self._store.get(scope, resource_type, id, requested)

    async def search(self, scope: Scope, query: Query) -> Page:
        return await self._store.search(scope, query)

    async def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        pending = await self._asked("create", resource_type, None, document=document)
        return await self._store.create(scope, resource_type, pending.document or document)

    async def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        pending = await self._asked("replace", resource_type, id, document=document)
        return await self._store.replace(scope, resource_type, id, pending.document or document, expected_version)

    async def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        pending = await self._asked("patch", resource_type, id, changes=changes)
        chosen = changes if pending.changes is None else pending.changes
        return await self._store.change(scope, resource_type, id, chosen, expected_version)

    async def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        await self._asked("delete", resource_type, id)
        return await self._store.delete(scope, resource_type, id, expected_version)

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result:
        return await self._store.transaction(scope, work)

    async def _asked(
        self,
        operation: Literal["create", "replace", "patch", "delete"],
        resource_type: ResourceType,
        id: str | None,
        *,
        document: Document | None = None,
        changes: ChangeSet | None = None,
    ) -> PendingWrite:
        call = self._call
        pending = PendingWrite(
            operation, resource_type.name, id, call.principal.tenant, call.principal.token_id, call.request.id,
            None if document is None else dict(document), changes,
        )  # fmt: skip
        for handler in self._handlers:
            await _called(handler(pending, self._transaction))
        return pending
