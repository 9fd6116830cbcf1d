"""The store protocol: the methods and attributes that every store has.

`SyncStore` declares the methods as ordinary functions, and `Store` declares the same methods as coroutines.
`as_async_store` turns a `SyncStore` into a `Store`. This module contains no store. Every store must pass the store
contract, `scimkit.testing.StoreContract`.

A store receives canonical documents and returns canonical documents. The store itself sets `id` and `meta`
(`resourceType`, `created`, `lastModified` and `version`). A store may return the very object that it keeps, so callers
must not modify a document that they received from a store.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias, TypeVar, cast, get_args

from scimkit.documents import Document
from scimkit.filters.filter import Filter
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.provisioning import LogEntry
from scimkit.runner import run_sync
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.paging import Position
from scimkit.stores.sorting import Sort
from scimkit.tokens import TokenCheck

Result = TypeVar("Result")

Capability: TypeAlias = Literal["changes", "cursors", "filters", "member_pages", "sort", "tenants", "transactions"]
"""Name of a feature that a store may lack. A store lists the missing features in `unsupported`.

The service refuses a request that needs a missing feature; the service never returns an approximation.

- `changes`: the store does not report effective changes, so the service refuses listeners.
- `cursors`: the store cannot return the page after or before a position.
- `filters`: the store raises `InvalidFilter` for some filters. Filters with `eq` on `id` or on a unique attribute
  always work.
- `member_pages`: the store lacks the methods of `SyncMemberPages` or `MemberPages`. The service then reads a group with
  all members at once.
- `sort`: the store returns resources in the order of creation only.
- `tenants`: the store keeps the resources of one tenant. Every other tenant has no resources, and `create` raises a
  `ScimError` for that tenant.
- `transactions`: the store cannot combine several writes in one transaction.
"""

CAPABILITIES: Final[frozenset[str]] = frozenset(get_args(Capability))
"""The names of all capabilities."""

META: Final = "meta"
"""The attribute with the metadata of a resource (RFC 7643 section 3.1).

Every document that a store returns has `meta`.
"""

MEMBERS: Final = "members"
"""The attribute of a group that lists the members (RFC 7643 section 4.2)."""

GROUPS: Final = "groups"
"""The readOnly attribute of a user that lists the user's groups (RFC 7643 section 4.1.2).

The store computes `groups` from the members of groups.
"""

UnknownMembers: TypeAlias = Literal["skip", "reject"]
"""Treatment of a member that does not exist.

`skip` ignores the member and reports its id in `Written.skipped_members`. `reject` refuses the request with 400
invalidValue.
"""

RequestedAttributes: TypeAlias = Callable[[str], bool]
"""A function that reports whether the caller needs a top-level attribute.

A store may leave out attributes that the caller does not need.
"""


def all_attributes(name: str) -> bool:
    """Report that the caller needs every attribute. This is the default of `RequestedAttributes`."""
    return True


@dataclass(slots=True, unsafe_hash=True)
class Scope:
    """The tenant, the deadline and the options of one call to a store.

    A store reads and writes resources of this tenant only. A scope is never modified after its creation.
    """

    tenant: str = "default"
    """Name of the tenant whose resources the call reads or writes."""
    deadline: float | None = field(default=None, compare=False)
    """Time of `time.monotonic()` by which the call must end; None means no deadline.

    A store cuts every wait (lock, pool, connection, statement, retry) at the deadline. The store raises `Unavailable`
    when the deadline has passed.
    """
    report_changes: bool = field(default=False, compare=False)
    """True if writes report their effective changes in `Written.changes`, and `delete` returns its changes."""
    log_entry: Callable[[Written], LogEntry] | None = field(default=None, compare=False, repr=False)
    """Makes the entry of the provisioning log for a write, shortly before the write.

    A store with the attribute `logs_writes` adds the entry to its log in `create`, `replace` and `change`, together
    with the write, and sets `Written.is_logged`. Other stores ignore the function.
    """
    token_check: TokenCheck | None = field(default=None, compare=False, repr=False)
    """The check of the token that a store makes with its first statement for a request, before it reads or writes.

    The service asks only a store whose method `confirms_tokens_of` returns True for the token store.
    """
    reads: dict[tuple[str, str, str], object] | None = field(default=None, compare=False, repr=False)
    """What the store has read for the request, by tenant, resource type and id. None if no change follows.

    The service sets an empty dictionary before it reads a resource to change it. A store that finds the expected
    version of a change here need not read the resource again. Only the store uses the values, and a store may ignore
    them.
    """


@dataclass(slots=True)
class Query:
    """A request for one page of the resources that match a filter.

    A page starts after the position `after`, ends directly before the position `before`, or starts at `start_index`.
    Resources are returned in the order of creation. With `sort`, resources with equal values keep this order.
    """

    resource_type: ResourceType
    """The resource type to search."""
    filter: Filter | None = None
    """The filter that resources must match; None matches all resources of the type."""
    sort: Sort | None = None
    """The attribute and the direction to sort by; None means the order of creation."""
    start_index: int = 1
    """The one-based index of the first resource of the page. Ignored if `after` or `before` is given."""
    count: int = 100
    """Largest number of resources on the page. With 0, the page has the total and no documents."""
    after: Position | None = None
    """The position directly before the first resource of the page."""
    before: Position | None = None
    """The position directly after the last resource of the page."""
    requested: RequestedAttributes = all_attributes
    """The attributes that the documents of the page must have."""


@dataclass(slots=True)
class Page:
    """One page of documents, with the total number of matches."""

    documents: Sequence[Document]
    """The documents of the page, in the requested order."""
    total: int
    """Number of resources that match the filter, on all pages."""
    positions: Sequence[Position] = ()
    """The position of each document, in the same order as `documents`. Cursors are made from these positions."""


@dataclass(slots=True)
class Written:
    """The result of a write."""

    document: Document
    """The document after the write. After `change`, the document may lack `members`."""
    changed: bool = True
    """True if the write changed the resource. A write that changes nothing keeps the version."""
    skipped_members: tuple[str, ...] = ()
    """Ids of the members that do not exist and that the store skipped."""
    dropped: tuple[str, ...] = ()
    """Paths of attributes in the request that the store does not keep."""
    changes: EffectiveChanges | None = None
    """The effective changes of the write, if `Scope.report_changes` is True. None if the write changed nothing."""
    is_logged: bool = False
    """True if the store has added the entry of `Scope.log_entry` to its provisioning log."""


@dataclass(slots=True)
class Members:
    """One page of the members of a group."""

    entries: Sequence[Document]
    """The members on the page, as elements of the attribute `members`."""
    next: int | None
    """The value of `after` for the next page; None after the last page."""


class SyncStore(Protocol):
    """A store whose methods return their results directly.

    Implement this protocol to keep resources in a database or service of your own. Use `Store` instead if the methods
    must be coroutines.
    """

    is_async: Literal[False]
    """Always False. The service uses this attribute to tell a `SyncStore` from a `Store`."""

    blocking: bool
    """True if a call may wait for a disk or a network. The ASGI adapter runs such calls in a thread."""

    unsupported: Collection[Capability]
    """The capabilities that this store lacks."""

    def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        """Return one resource.

        Args:
            scope: The tenant and the deadline.
            resource_type: The type of the resource.
            id: The id of the resource.
            requested: The attributes that the document must have. The store may leave out the others.

        Returns:
            The document of the resource, with `id` and `meta`.

        Raises:
            NotFound: The tenant has no resource of this type with this id.
            Unavailable: The deadline has passed, or the database failed.
        """
        ...

    def search(self, scope: Scope, query: Query) -> Page:
        """Return one page of the resources that match a filter.

        Args:
            scope: The tenant and the deadline.
            query: The resource type, the filter, the order and the limits of the page.

        Returns:
            The documents of the page and the total number of matches.

        Raises:
            InvalidFilter: The store cannot evaluate the filter.
            InvalidPath: The store cannot sort by the attribute.
            Unavailable: The deadline has passed, or the database failed.
        """
        ...

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        """Store a new resource.

        Args:
            scope: The tenant and the deadline.
            resource_type: The type of the new resource.
            document: The canonical document. The store sets `id` and `meta`, and ignores such values of the document.

        Returns:
            The document as stored, the members that were skipped and the attributes that the store does not keep.

        Raises:
            Uniqueness: Another resource of the type and tenant has the same value of a unique attribute.
            InvalidValue: The store cannot keep a value, or rejects a member that does not exist.
            Unavailable: The deadline has passed, or the database failed.
        """
        ...

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        """Replace the whole document of a resource.

        A document without `members` leaves the group without members. The store ignores `groups` in the document.

        Args:
            scope: The tenant and the deadline.
            resource_type: The type of the resource.
            id: The id of the resource.
            document: The new canonical document. Attributes that the document lacks are removed.
            expected_version: The version that the resource must have; None accepts every version.

        Returns:
            The document as stored. `Written.changed` is False if the new document equals the old one.

        Raises:
            NotFound: The tenant has no resource of this type with this id.
            PreconditionFailed: The resource does not have the expected version.
            Uniqueness: Another resource of the type and tenant has the same value of a unique attribute.
            InvalidValue: The store cannot keep a value, or rejects a member that does not exist.
            Unavailable: The deadline has passed, or the database failed.
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
        """Apply a change set to a resource.

        Args:
            scope: The tenant and the deadline.
            resource_type: The type of the resource.
            id: The id of the resource.
            changes: The attributes to assign and to remove, and the members to add and to remove.
            expected_version: The version that the resource must have; None accepts every version.

        Returns:
            The document after the change. The document may lack `members`.

        Raises:
            NotFound: The tenant has no resource of this type with this id.
            PreconditionFailed: The resource does not have the expected version.
            Uniqueness: Another resource of the type and tenant has the same value of a unique attribute.
            InvalidValue: The store cannot keep a value, or rejects a member that does not exist.
            Unavailable: The deadline has passed, or the database failed.
        """
        ...

    def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        """Delete a resource and remove the resource from every group.

        Args:
            scope: The tenant and the deadline.
            resource_type: The type of the resource.
            id: The id of the resource.
            expected_version: The version that the resource must have; None accepts every version.

        Returns:
            The effective changes if `Scope.report_changes` is True, or None.

        Raises:
            NotFound: The tenant has no resource of this type with this id.
            PreconditionFailed: The resource does not have the expected version.
            Unavailable: The deadline has passed, or the database failed.
        """
        ...

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        """Run a function in one transaction.

        The store commits if `work` returns, and undoes every write of `work` if `work` raises. A single write that
        fails inside `work` does not undo the other writes. If another transaction interferes, the store may call `work`
        again from the start.

        Args:
            scope: The tenant and the deadline.
            work: The function to run. It receives a store whose calls belong to the transaction.

        Returns:
            The value that `work` returns.

        Raises:
            Exception: Every exception of `work`, after the transaction was undone.
            Unavailable: The deadline has passed, the database failed, or other transactions interfered too often.
        """
        ...


class SyncMemberPages(Protocol):
    """An optional part of a `SyncStore` that reads the members of a group page by page.

    Every store that does not list `member_pages` in `unsupported` implements this protocol. Groups of any size are then
    read in bounded memory.
    """

    def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members:
        """Return some members of a group.

        A member that belongs to the group throughout the reading appears on exactly one page.

        Args:
            scope: The tenant and the deadline.
            resource_type: The type of the group.
            id: The id of the group.
            after: 0 for the first page, or `Members.next` of the previous page.
            count: The largest number of members on the page.

        Returns:
            The members of the page. The page is empty if the group does not exist.
        """
        ...


@dataclass(frozen=True, slots=True)
class ServedType:
    """A resource type that a store serves, with the paths of attributes that the store does not keep."""

    resource_type: ResourceType
    """The resource type."""
    unmapped: tuple[str, ...] = ()
    """Paths of the attributes that the store does not keep."""
    read_only: tuple[str, ...] = ()
    """Paths of the attributes that the store returns and never writes, though the schema permits a client to write."""
    elements: tuple[str, ...] = ()
    """Paths of the sub-attributes that the store keeps of a multi-valued attribute whose other elements it drops.

    An example is `emails[type eq "work"].value`.
    """


def served_by(store: object) -> tuple[ServedType, ...] | None:
    """Return the resource types that a store serves, from its attribute `serves`.

    Returns None if the store has no such attribute and serves every resource type.
    """
    serves = getattr(store, "serves", None)
    return serves if isinstance(serves, tuple) else None


def holds_references(store: object) -> bool:
    """Report whether a store keeps the rules of `ResourceType.references`, by its attribute `holds_references`."""
    return bool(getattr(store, "holds_references", False))


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """The answer of a store to a health check."""

    ready: bool
    """True if the store can serve requests."""
    detail: str = ""
    """The reason if the store is not ready. The text contains no password and no personal data."""


class HealthCheck(Protocol):
    """An optional part of a `SyncStore` for health checks and for the number of threads of an adapter."""

    @property
    def pool_size(self) -> int | None:
        """Number of requests that the store can serve at once; None if the number is unknown."""
        ...

    def check_health(self, deadline: float | None) -> StoreHealth:
        """Send a trivial query to the database.

        Args:
            deadline: Time of `time.monotonic()` by which the database must answer; None means no deadline.

        Raises:
            Unavailable: The database did not answer.
        """
        ...


class Store(Protocol):
    """A store whose methods are coroutines. Each method behaves like the method of the same name of `SyncStore`."""

    is_async: Literal[True]
    """Always True. The service uses this attribute to tell a `Store` from a `SyncStore`."""

    unsupported: Collection[Capability]
    """The capabilities that this store lacks."""

    async def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        """Return one resource, as `SyncStore.get` does."""
        ...

    async def search(self, scope: Scope, query: Query) -> Page:
        """Return one page of resources, as `SyncStore.search` does."""
        ...

    async def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        """Store a new resource, as `SyncStore.create` does."""
        ...

    async def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        """Replace the whole document of a resource, as `SyncStore.replace` does."""
        ...

    async def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        """Apply a change set to a resource, as `SyncStore.change` does."""
        ...

    async def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        """Delete a resource, as `SyncStore.delete` does."""
        ...

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result:
        """Run a coroutine function in one transaction, as `SyncStore.transaction` does."""
        ...


class MemberPages(Protocol):
    """An optional part of a `Store` that reads the members of a group page by page, like `SyncMemberPages`."""

    async def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members:
        """Return some members of a group, as `SyncMemberPages.members` does."""
        ...


class _AsyncStoreAdapter:
    """A `SyncStore` with the methods of `Store`."""

    __slots__ = ("holds_references", "serves", "sync_store", "unsupported")

    is_async: Literal[True] = True

    def __init__(self, store: SyncStore) -> None:
        self.sync_store = store
        self.unsupported = store.unsupported
        self.serves = served_by(store)
        self.holds_references = holds_references(store)

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
        """The adapter of the store's `without_savepoints`, or of the store itself if it lacks this property."""
        return as_async_store(getattr(self.sync_store, "without_savepoints", self.sync_store))

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result:
        async def started(store: Store) -> Result:
            return await work(store)

        return self.sync_store.transaction(scope, lambda store: run_sync(started(as_async_store(store))))

    async def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members:
        return cast(SyncMemberPages, self.sync_store).members(scope, resource_type, id, after, count)


def as_async_store(store: SyncStore) -> Store:
    """Return a store whose coroutines call a `SyncStore`. The coroutines never suspend.

    Args:
        store: The store whose methods the coroutines call.
    """
    return _AsyncStoreAdapter(store)
