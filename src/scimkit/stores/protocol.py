"""The store port: what keeps the documents of every tenant.

`Store` (async) and `SyncStore` have the same methods; `as_async_store` makes the second serve as the first.
This module holds no store. Every store passes the same contract suite.

A store is handed canonical documents and hands out canonical documents, with `id` and `meta`
(`resourceType`, `created`, `lastModified`, `version`) that it sets itself. It may hand out what it
keeps: whoever receives a document does not change it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias, TypeVar, cast

from scimkit.documents import Document
from scimkit.filters.filter import Filter
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.runner import run_sync
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.paging import Position
from scimkit.stores.sorting import Sort

Result = TypeVar("Result")

Capability: TypeAlias = Literal["changes", "cursors", "filters", "member_pages", "sort", "tenants", "transactions"]
"""What a store may be without. `changes`: it does not report effective changes, so that the service refuses listeners.
`cursors`: pages after or before a position. `filters`: it refuses some filters as
InvalidFilter, never one by `eq` on `id` or on a unique attribute. `member_pages`: the methods of `SyncMemberPages` or
`MemberPages`; a group is then read with all its members at once. `sort`: any order but that of creation.
`tenants`: it keeps the resources of one tenant; others have none, and get a ScimError when they create one.
`transactions`: more than one write at once. The service refuses what a store lacks; it approximates nothing."""

META: Final = "meta"
"""The attribute that a store sets (RFC 7643 section 3.1); every read has it, whatever is wanted."""

MEMBERS: Final = "members"
"""The attribute of a group that holds its members (RFC 7643 section 4.2)."""

GROUPS: Final = "groups"
"""The readOnly attribute of a user that a store computes from the members of groups (section 4.1.2)."""

UnknownMembers: TypeAlias = Literal["skip", "reject"]
"""What becomes of a member that does not exist: passed over and reported, or refused (400 invalidValue)."""

RequestedAttributes: TypeAlias = Callable[[str], bool]
"""Whether a top-level attribute will be returned; a store need not load what is not wanted."""


def all_attributes(name: str) -> bool:
    """The `RequestedAttributes` that wants all."""
    return True


@dataclass(slots=True, unsafe_hash=True)
class Scope:
    """The tenant whose resources a call reads or writes, and the time by which the call must end.

    A store never reaches beyond the tenant. `deadline` is a reading of `time.monotonic()` in seconds, or None for no
    deadline. A store cuts every wait (lock, pool, connection, statement, retry) at the deadline and raises
    `Unavailable` when it has passed. Nobody changes a scope.
    """

    tenant: str = "default"
    deadline: float | None = field(default=None, compare=False)
    report_changes: bool = field(default=False, compare=False)
    """True if writes report their effective changes in `Written.changes`, and deletions return them."""


@dataclass(slots=True)
class Query:
    """One page of the resources that match.

    The page starts after a position, or ends right before one, or starts at `start_index`, which counts
    from 1; `count` 0 asks for the total only. The order is that of creation,
    among equals too when there is a `sort`.
    """

    resource_type: ResourceType
    filter: Filter | None = None
    sort: Sort | None = None
    start_index: int = 1
    count: int = 100
    after: Position | None = None
    before: Position | None = None
    requested: RequestedAttributes = all_attributes


@dataclass(slots=True)
class Page:
    """The documents of one page, and how many match in all."""

    documents: Sequence[Document]
    total: int
    positions: Sequence[Position] = ()
    """The position of each document in the order, for the pages around it."""


@dataclass(slots=True)
class Written:
    """What a write came to: the document after it, whether it changed anything, members passed over.

    After `change` it may be without its members.
    """

    document: Document
    changed: bool = True
    skipped_members: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    """Paths of attributes that were given and that the store does not keep."""
    changes: EffectiveChanges | None = None
    """The changes that the write really made, if `Scope.report_changes` asks for them; None if nothing changed."""


@dataclass(slots=True)
class Members:
    """Some members of a group, as `members` has them, and where the next ones begin; None after the last."""

    entries: Sequence[Document]
    next: int | None


class SyncStore(Protocol):
    """A store whose methods return when they are done."""

    is_async: Literal[False]

    blocking: bool
    """Whether a call may wait for a disk or a network. An ASGI host runs those in a thread."""

    unsupported: Collection[Capability]
    """What the store does not do."""

    def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        """The document, at least the wanted attributes. Raises: NotFound."""
        ...

    def search(self, scope: Scope, query: Query) -> Page:
        """One page. Raises: InvalidFilter for a filter that the store cannot evaluate."""
        ...

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        """Keep a new document; `id` and `meta` are set. Raises: Uniqueness, InvalidValue."""
        ...

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        """Put a document in the place of another. Raises: NotFound, Uniqueness, PreconditionFailed, InvalidValue.

        PreconditionFailed when `expected_version` is given and is not the version of what is there.
        A document without `members` leaves the group empty; `groups` is never taken from it.
        """
        ...

    def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        """Make changes without the whole document. Raises as `replace` does."""
        ...

    def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        """Remove a resource, from every group too, and return the changes if `Scope.report_changes` asks for them.

        Raises:
            NotFound: No resource of the type has the id.
            PreconditionFailed: The resource has another version.
        """
        ...

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        """What `work` returns: all that it wrote through the store it is given is kept, or nothing if it raises.

        A write in it that fails leaves the others as they are. It may run again, from its start, when another
        transaction was in its way. Raises: what `work` raises, Conflict.
        """
        ...


class SyncMemberPages(Protocol):
    """What a `SyncStore` has too that does not lack `member_pages`: a group of any size is read in bounded memory."""

    def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members:
        """At most `count` members after a place, first 0; one that is there throughout comes exactly once.

        None for a group that is not there.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServedType:
    """A resource type that a store serves, and the paths of its attributes that the store does not keep."""

    resource_type: ResourceType
    unmapped: tuple[str, ...] = ()


def served_by(store: object) -> tuple[ServedType, ...] | None:
    """Return the resource types that a store serves, by its attribute `serves`; None if it serves any."""
    serves = getattr(store, "serves", None)
    return serves if isinstance(serves, tuple) else None


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """What a store says of itself. `detail` holds no password and no value of anyone's."""

    ready: bool
    detail: str = ""


class HealthCheck(Protocol):
    """What a sync store may offer besides its methods, for health checks and for the threads of an adapter."""

    @property
    def pool_size(self) -> int | None:
        """How many requests the store serves at once; None if it does not know."""
        ...

    def check_health(self, deadline: float | None) -> StoreHealth:
        """Ask the database something trivial, until a reading of `time.monotonic()`. Raises Unavailable."""
        ...


class Store(Protocol):
    """A store whose methods are awaited. The promises are those of `SyncStore`."""

    is_async: Literal[True]

    unsupported: Collection[Capability]

    async def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document: ...

    async def search(self, scope: Scope, query: Query) -> Page: ...

    async def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written: ...

    async def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written: ...

    async def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written: ...

    async def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None: ...

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result: ...


class MemberPages(Protocol):
    """As `SyncMemberPages`, for a `Store`."""

    async def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members: ...


class _AsyncStoreAdapter:
    """A sync store behind the async port."""

    __slots__ = ("serves", "sync_store", "unsupported")

    is_async: Literal[True] = True

    def __init__(self, store: SyncStore) -> None:
        self.sync_store = store
        self.unsupported = store.unsupported
        self.serves = served_by(store)

    async def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        return self.sync_store.get(scope, resource_type, id, requested)

    async def search(self, scope: Scope, query: Query) -> Page:
        return self.sync_store.search(scope, query)

    async def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        return self.sync_store.create(scope, resource_type, document)

    async def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        return self.sync_store.replace(scope, resource_type, id, document, expected_version)

    async def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        return self.sync_store.change(scope, resource_type, id, changes, expected_version)

    async def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        return self.sync_store.delete(scope, resource_type, id, expected_version)

    @property
    def without_savepoints(self) -> Store:
        """The adapter of a store without savepoints, for a store that has this property."""
        return as_async_store(getattr(self.sync_store, "without_savepoints", self.sync_store))

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result:
        async def started(store: Store) -> Result:
            return await work(store)

        return self.sync_store.transaction(scope, lambda store: run_sync(started(as_async_store(store))))

    async def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members:
        return cast(SyncMemberPages, self.sync_store).members(scope, resource_type, id, after, count)


def as_async_store(store: SyncStore) -> Store:
    """A sync store as an async one: its coroutines never suspend."""
    return _AsyncStoreAdapter(store)
