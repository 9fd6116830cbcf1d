"""The base class of the contract tests: a store for each test, and helpers that read and write resources."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scimkit.errors import InvalidFilter, Uniqueness
from scimkit.filters.filter import parse
from scimkit.patch.changes import ChangeSet, ReferenceChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import MEMBERS, Capability, Page, Query, Result, Scope, Store, SyncStore, Written
from scimkit.testing.contract.async_driver import DrivenAsyncStore, LoopThread
from scimkit.testing.contract.capabilities import StoreCapabilities

ALL: Final = 10_000
"""A page size that is larger than the number of resources in any test."""
RACERS: Final = 8
QUIET: Final = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)


class ContractBase(StoreCapabilities):
    """The base class of the contract tests. A subclass implements `make_store`."""

    examples: ClassVar[int] = 25
    """The number of examples of each generated test."""

    phases: ClassVar[Sequence[Phase]] = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
    """The hypothesis phases. The phase that explains failures is left out, because it doubles the time of a failure."""

    one: ClassVar[Scope] = Scope("default")
    """The tenant that most tests use."""
    two: ClassVar[Scope] = Scope("other")
    """Another tenant."""

    _loop: LoopThread | None = None

    def make_store(self) -> SyncStore | Store | Awaitable[SyncStore | Store]:
        """Return a new, empty store, sync or async. May be `async def`.

        All awaitables of one test run on the same event loop.
        """
        raise NotImplementedError

    def close(self, store: Any) -> Awaitable[None] | None:
        """Close a store after a test. May be `async def`."""
        return None

    @pytest.fixture(autouse=True)
    def _no_loop_stays(self) -> Iterator[None]:
        yield
        if self._loop is not None:
            self._loop.close()
            self._loop = None

    @pytest.fixture
    def store(self) -> Iterator[SyncStore]:
        """Yield an empty store. An async store is wrapped in a synchronous interface."""
        with self.opened() as store:
            yield store

    @contextmanager
    def opened(self) -> Iterator[SyncStore]:
        """Yield an empty store while the block runs, for tests that need several stores."""
        made: SyncStore | Store = self._awaited(self.make_store())
        try:
            yield DrivenAsyncStore(made, self._own_loop()) if made.is_async is True else made
        finally:
            self._awaited(self.close(made))

    def _awaited(self, value: Any) -> Any:
        return self._own_loop().run(value) if inspect.isawaitable(value) else value

    def _own_loop(self) -> LoopThread:
        self._loop = self._loop or LoopThread()
        return self._loop

    def often(self, test: Callable[[st.DataObject], None]) -> None:
        """Run a test with generated data."""
        chosen = settings(max_examples=self.examples, deadline=None, suppress_health_check=QUIET, phases=self.phases)
        chosen(given(st.data())(test))()

    def at_once(self, work: Callable[[int], Result], times: int = 3 * RACERS) -> list[Result]:
        """Run a function several times concurrently and return the results. An async store runs the calls as tasks."""
        with ThreadPoolExecutor(RACERS) as threads:
            return list(threads.map(work, range(times)))

    def needs(self, store: SyncStore, capability: Capability) -> None:
        """Skip the test if the store does not support a capability."""
        if capability in store.unsupported:
            pytest.skip(f"the store does not support {capability}")

    def user(self, store: SyncStore, name: str, scope: Scope | None = None, also: Mapping[str, Any] = {}) -> str:
        """Create a user with additional attributes, and return its id."""
        document = {**self.document(self.user_type, name), **also}
        return str(store.create(scope or self.one, self.user_type, document).document["id"])

    def group(self, store: SyncStore, name: str, *members: str, scope: Scope | None = None) -> str:
        """Create a group with members, and return its id."""
        document = self.document(self.group_type, name)
        if members:
            document = {**document, MEMBERS: [{"value": each} for each in members]}
        return str(store.create(scope or self.one, self.group_type, document).document["id"])

    def join(
        self, store: SyncStore, group: str, *added: str, removed: Collection[str] = (), cleared: bool = False
    ) -> Written:
        """Add and remove members of a group."""
        changes = self.member_changes(*added, removed=removed, cleared=cleared)
        return store.change(self.one, self.group_type, group, ChangeSet(references=changes))

    def member_changes(
        self, *added: str, removed: Collection[str] = (), cleared: bool = False
    ) -> dict[str, ReferenceChanges]:
        """Return the `references` of a change set that adds and removes members."""
        members = tuple({"value": each} for each in added)
        return {MEMBERS: ReferenceChanges(members, frozenset(removed), cleared)}

    def members(self, store: SyncStore, group: str, scope: Scope | None = None) -> set[str]:
        """Return the ids of the members of a group."""
        document = store.get(scope or self.one, self.group_type, group)
        return {each["value"] for each in document.get(MEMBERS, ())}

    def version(self, store: SyncStore, resource_type: ResourceType, id: str) -> str:
        """Return the version of a resource."""
        return str(store.get(self.one, resource_type, id)["meta"]["version"])

    def found(self, store: SyncStore, resource_type: ResourceType, text: str, scope: Scope | None = None) -> list[str]:
        """Return the ids of the resources that match a filter.

        The test is skipped if the store refuses the filter and does not support all filters.
        """
        page = self.search(store, Query(resource_type, parse(text), count=ALL), scope)
        if page is None:
            pytest.skip("the store does not support this filter")
        return ids(page)

    def search(self, store: SyncStore, query: Query, scope: Scope | None = None) -> Page | None:
        """Return a page, or None if the store refuses the filter and does not support all filters."""
        try:
            return store.search(scope or self.one, query)
        except InvalidFilter:
            if "filters" not in store.unsupported:
                raise
            return None

    def everyone(self, store: SyncStore, resource_type: ResourceType, scope: Scope | None = None) -> list[str]:
        """Return the ids of all resources of a type, in the order of the store."""
        return ids(store.search(scope or self.one, Query(resource_type, count=ALL)))

    def contents(self, store: SyncStore, scope: Scope | None = None) -> list[Page]:
        """Return all resources of a tenant, as one page for each resource type."""
        return [store.search(scope or self.one, Query(each, count=ALL)) for each in self.resource_types]

    def fill(
        self, store: SyncStore, resource_type: ResourceType, data: st.DataObject, scope: Scope | None = None
    ) -> list[Any]:
        """Create generated documents, and return all documents of the resource type as the store returns them.

        Groups get some of the existing resources as members.
        """
        if MEMBERS in resource_type.attributes:
            self.fill(store, self.user_type, data, scope)
        for document in data.draw(st.lists(self.generated[resource_type], max_size=6)):
            if MEMBERS in resource_type.attributes:
                joinable = (self.user_type, *((resource_type,) if self.nested_groups else ()))
                there = [id for each in joinable for id in self.everyone(store, each, scope)]
                some = data.draw(st.lists(st.sampled_from(there), unique=True, max_size=3)) if there else []
                document = {**document, MEMBERS: [{"value": each} for each in some]} if some else document
            try:
                store.create(scope or self.one, resource_type, document)
            except Uniqueness:
                continue
        return list(store.search(scope or self.one, Query(resource_type, count=ALL)).documents)


def ids(page: Page) -> list[str]:
    """Return the ids of the resources on a page."""
    return [str(each["id"]) for each in page.documents]
