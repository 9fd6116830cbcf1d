"""Stores of an application fit the ports of scimkit, sync and awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Literal, TypeVar

from scimkit import Document, Page, Query, ResourceType, Scope, Store, SyncStore, Written
from scimkit.patch.changes import ChangeSet
from scimkit.stores.protocol import Capability, RequestedAttributes, all_attributes

Result = TypeVar("Result")


class OwnStore:
    """A `SyncStore` by its methods alone."""

    is_async: Literal[False] = False
    blocking: bool = True
    unsupported: Collection[Capability] = ("cursors", "sort")

    def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        raise NotImplementedError

    def search(self, scope: Scope, query: Query) -> Page:
        raise NotImplementedError

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        raise NotImplementedError

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        raise NotImplementedError

    def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        raise NotImplementedError

    def delete(self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None) -> None:
        raise NotImplementedError

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        return work(self)


class OwnAsyncStore:
    """A `Store` by its methods alone."""

    is_async: Literal[True] = True
    unsupported: Collection[Capability] = ()

    async def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        raise NotImplementedError

    async def search(self, scope: Scope, query: Query) -> Page:
        raise NotImplementedError

    async def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        raise NotImplementedError

    async def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        raise NotImplementedError

    async def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        raise NotImplementedError

    async def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> None:
        raise NotImplementedError

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result:
        return await work(self)


sync_store: SyncStore = OwnStore()
async_store: Store = OwnAsyncStore()
