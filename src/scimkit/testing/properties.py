"""Ready properties: a host subclasses them for its own resource types and stores, and pytest runs them.

    class TestAgent(ResourceTypeProperties):
        resource_type = AGENT

    class TestMyStore(StoreProperties):
        def make_store(self):
            return MyStore()

This module holds no rule of SCIM; it compares with `scimkit.testing.reference`.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar

try:
    from hypothesis import HealthCheck, assume, given, settings
    from hypothesis import strategies as st
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("the properties need hypothesis: pip install 'scimkit[testing]'") from missing

from scimkit import patch
from scimkit.errors import MutabilityViolation, NoTarget, ScimError, Uniqueness
from scimkit.filters.ast import paths_of
from scimkit.filters.filter import Filter, parse
from scimkit.schema.core import GROUP, USER
from scimkit.schema.reading import read_resource
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.memory import MemoryStore
from scimkit.stores.protocol import Query, Scope, SyncStore
from scimkit.stores.sorting import Sort, sort_key
from scimkit.testing import reference
from scimkit.testing.strategies import attribute_paths, documents, filters, patches

_OFTEN = settings(
    # A property is shared by all subclasses, and no example depends on which of them ran it before.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.differing_executors],
    deadline=None,
)

_SET_BY_STORE = frozenset({"id", "meta"})
"""What two stores never have alike."""


class ResourceTypeProperties:
    """What holds for every resource type. Subclasses set `resource_type`."""

    resource_type: ClassVar[ResourceType]

    def _outcome(self, document: dict[str, Any], body: dict[str, Any]) -> Any:
        """The document after a PATCH, or the class of the error."""
        try:
            return patch.apply(self.resource_type, document, body).document
        except ScimError as error:
            return type(error)

    @_OFTEN
    @given(st.data())
    def test_a_document_reads_as_itself(self, data: st.DataObject) -> None:
        """A canonical document, sent in a PUT, is read as the same document."""
        document = data.draw(documents(self.resource_type))
        assert read_resource(self.resource_type, document) == document

    @_OFTEN
    @given(st.data())
    def test_filter_text_round_trips(self, data: st.DataObject) -> None:
        """A filter printed and read again is the same filter."""
        node = data.draw(filters(self.resource_type))
        assert parse(str(node)).node == node

    @_OFTEN
    @given(st.data())
    def test_predicate_agrees_with_the_model(self, data: st.DataObject) -> None:
        """The compiled predicate and the slow model give the same answer."""
        document, node = data.draw(documents(self.resource_type)), data.draw(filters(self.resource_type))
        expected = reference.matches(self.resource_type, document, node)
        assert Filter(node).matches(document, self.resource_type) is expected

    @_OFTEN
    @given(st.data())
    def test_patch_agrees_with_the_model(self, data: st.DataObject) -> None:
        """PATCH and the slow model give the same document, or refuse for the same reason."""
        document, body = data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type))
        try:
            expected: Any = reference.patched(self.resource_type, document, body)
        except (NoTarget, MutabilityViolation) as error:
            expected = type(error)
        found = self._outcome(document, body)
        if isinstance(expected, dict) and isinstance(found, type):
            assert not self._is_valid(expected)
        else:
            assert found == expected

    def _is_valid(self, document: dict[str, Any]) -> bool:
        try:
            return read_resource(self.resource_type, document) == document
        except ScimError:
            return False

    @_OFTEN
    @given(st.data())
    def test_patch_is_atomic(self, data: st.DataObject) -> None:
        """Whatever happens, the document and the body that were given are as they were."""
        document, body = data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type))
        before = copy.deepcopy((document, body))
        self._outcome(document, body)
        assert (document, body) == before

    @_OFTEN
    @given(st.data())
    def test_patch_makes_valid_documents(self, data: st.DataObject) -> None:
        """A document that PATCH made is in canonical form, and a PUT could have sent it."""
        found = self._outcome(data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type)))
        if isinstance(found, dict):
            assert self._is_valid(found)

    @_OFTEN
    @given(st.data())
    def test_patch_is_idempotent(self, data: st.DataObject) -> None:
        """An operation that sets or removes changes nothing a second time, unless its filter no longer selects."""
        document, body = data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type, most=1))
        assume("[" not in body["Operations"][0].get("path", "") or body["Operations"][0]["op"] != "add")
        once = self._outcome(document, body)
        assume(isinstance(once, dict))
        twice = self._outcome(once, body)
        assert twice == once or twice is NoTarget

    @_OFTEN
    @given(st.data())
    def test_a_change_of_nothing_changes_nothing(self, data: st.DataObject) -> None:
        """Replacing every attribute by what it has gives the same object and no changes."""
        document = data.draw(documents(self.resource_type))
        value = {name: item for name, item in document.items() if name != "schemas"}
        body = {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": [{"op": "replace", "value": value}]}
        result = patch.apply(self.resource_type, document, body)
        assert result.document is document
        assert not result.changes


class StoreProperties:
    """What holds for every store. Subclasses give `make_store`, which returns a fresh and empty one.

    `resource_types` are those it is tried with; `close` is called after each example.
    """

    resource_types: ClassVar[tuple[ResourceType, ...]] = (USER, GROUP)
    scope: ClassVar[Scope] = Scope("properties")

    def make_store(self) -> SyncStore:
        """A fresh store."""
        raise NotImplementedError

    def close(self, store: SyncStore) -> None:
        """Give up a store."""

    def _filled(self, data: st.DataObject, resource_type: ResourceType, store: SyncStore) -> MemoryStore:
        """Put the same documents into a store and into a memory store."""
        model = MemoryStore()
        for document in data.draw(st.lists(documents(resource_type), max_size=5)):
            try:
                model.create(self.scope, resource_type, document)
            except Uniqueness:
                continue
            store.create(self.scope, resource_type, document)
        return model

    def _contents(self, store: SyncStore, query: Query) -> tuple[int, list[dict[str, Any]]]:
        page = store.search(self.scope, query)
        shown = [{name: item for name, item in each.items() if name not in ("id", "meta")} for each in page.documents]
        return page.total, shown

    @_OFTEN
    @given(st.data())
    def test_filters_agree_with_the_memory_store(self, data: st.DataObject) -> None:
        """Every filter finds the same documents as in the memory store, and as the predicate says."""
        resource_type = data.draw(st.sampled_from(self.resource_types))
        store = self.make_store()
        try:
            model = self._filled(data, resource_type, store)
            everything = model.search(self.scope, Query(resource_type, count=1000)).documents
            for node in data.draw(st.lists(filters(resource_type, depth=2), min_size=1, max_size=4)):
                if any(path.partition(".")[0] in _SET_BY_STORE for path in paths_of(node)):
                    continue
                found = self._contents(store, Query(resource_type, Filter(node), count=1000))
                assert found == self._contents(model, Query(resource_type, Filter(node), count=1000))
                assert found[0] == sum(reference.matches(resource_type, dict(each), node) for each in everything)
        finally:
            self.close(store)

    @_OFTEN
    @given(st.data())
    def test_sorts_agree_with_the_memory_store(self, data: st.DataObject) -> None:
        """Every order is that of the memory store, on every page."""
        resource_type = data.draw(st.sampled_from(self.resource_types))
        path = data.draw(attribute_paths(resource_type))
        assume(path.leaf.type != "complex" and path.names[0] not in ("id", "meta"))
        sort = Sort(path, data.draw(st.booleans()))
        store = self.make_store()
        try:
            model = self._filled(data, resource_type, store)
            for start in (1, 2):
                query = Query(resource_type, sort=sort, start_index=start, count=2)
                assert self._contents(store, query) == self._contents(model, query)
            page = store.search(self.scope, Query(resource_type, sort=sort, count=1000)).documents
            keys = [sort_key(sort)(each) for each in page]
            assert keys == sorted(keys, reverse=sort.descending)
        finally:
            self.close(store)

    @_OFTEN
    @given(st.data())
    def test_changes_agree_with_the_engine(self, data: st.DataObject) -> None:
        """A change set leaves in the store what it leaves in a document, members that exist not counted."""
        resource_type = data.draw(st.sampled_from(self.resource_types))
        document, body = data.draw(documents(resource_type)), data.draw(patches(resource_type))
        document = {name: item for name, item in document.items() if name not in ("members", "password")}
        store = self.make_store()
        try:
            written = store.create(self.scope, resource_type, document)
            result = patch.apply(resource_type, written.document, body)
            changed = store.change(self.scope, resource_type, written.document["id"], result.changes)
            left = store.get(self.scope, resource_type, written.document["id"])
            ignored = ("meta", "members", "groups")
            assert {n: v for n, v in left.items() if n not in ignored} == {
                n: v for n, v in result.document.items() if n not in ignored
            }
            assert changed.document["meta"] == left["meta"]
        except ScimError:
            pass
        finally:
            self.close(store)
