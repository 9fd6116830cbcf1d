"""Tests of the store contract: it finds flaws in stores, and small stores pass it."""

from __future__ import annotations

import inspect
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from scimkit import USER, MemoryStore, Page, Query, ResourceType, Scope, SyncStore, Written
from scimkit.documents import Document
from scimkit.errors import Forbidden, InvalidFilter
from scimkit.patch import ChangeSet
from scimkit.stores import Members
from scimkit.testing.contract import StoreContract, StoreMachine

_EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "minimal_store.py"
MinimalStore: Any = runpy.run_path(str(_EXAMPLE))["MinimalStore"]


class TestMinimalStore(StoreContract):
    """The store of the documentation, which does not support sorting and cursors, passes the contract."""

    examples = histories = 8

    def make_store(self) -> Any:
        return MinimalStore()


def test_the_minimal_store_is_short() -> None:
    """The minimal store of the documentation has fewer than 100 lines."""
    assert len(_EXAMPLE.read_text().splitlines()) < 100


class Modest(MemoryStore):
    """A store for the users of one tenant that keeps few attributes, and searches by `id` and `userName` only."""

    unsupported = ("cursors", "filters", "member_pages", "sort", "tenants", "transactions")

    def search(self, scope: Scope, query: Query) -> Page:
        if query.filter is not None:
            query.filter.compile(query.resource_type)
            words = str(query.filter).split()
            if len(words) != 3 or words[1] != "eq" or words[0].lower().rpartition(":")[2] not in ("id", "username"):
                raise InvalidFilter("Only filters with eq on id or userName are supported.")
        return super().search(scope, query)

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        if scope.tenant != "default":
            raise Forbidden("This store serves one tenant only.")
        return super().create(scope, resource_type, _little(document))

    def replace(self, scope: Scope, resource_type: ResourceType, id: str, document: Document, *rest: Any) -> Written:
        return super().replace(scope, resource_type, id, _little(document), *rest)

    def change(self, scope: Scope, resource_type: ResourceType, id: str, changes: ChangeSet, *rest: Any) -> Written:
        little = {name: value for name, value in _little(changes.assigned).items() if name in changes.assigned}
        return super().change(scope, resource_type, id, ChangeSet(little, changes.unassigned), *rest)


def _little(document: Document) -> dict[str, Any]:
    """Return the attributes that the store keeps: `userName`, `title`, one e-mail address and a constant `active`."""
    kept = {name: document[name] for name in ("userName", "title") if name in document}
    if "emails" in document:
        kept["emails"] = [{"value": each["value"]} for each in document["emails"][:1] if "value" in each]
    return {"schemas": [USER.schema], "active": True, **{name: value for name, value in kept.items() if value}}


class TestModestStore(StoreContract):
    """A store without most capabilities passes the contract if it declares them in `unsupported`."""

    resource_types = (USER,)
    examples = histories = 5
    texts = ("a", "B", "ada", "Bob")

    def make_store(self) -> Modest:
        return Modest()

    def keeps(self, resource_type: ResourceType, path: str) -> bool:
        return path in ("userName", "title", "emails.value")

    def documents(self, resource_type: ResourceType) -> Any:
        few = super().documents(resource_type)
        return few.map(lambda each: {**each, "emails": each["emails"][:1]} if "emails" in each else each)


class Flawed(StoreContract):
    """The contract on a store with a deliberate flaw. Failing examples are not minimized."""

    phases = (Phase.generate,)
    examples = histories = 120  # the first failure ends the run; 40 examples sometimes do not find the flaw

    def __init__(self, **methods: Any) -> None:
        self.kind = type("Wrong", (MemoryStore,), methods)

    def make_store(self) -> Any:
        return self.kind()


def _handed_out(self: Any, *arguments: Any) -> Any:
    document = self.__dict__["handed_out"] = dict(MemoryStore.get(self, *arguments))
    return document


def _written_in_place(self: Any, scope: Any, kind: Any, id: str, changes: Any, *rest: Any) -> Any:
    self.__dict__.get("handed_out", {}).update(changes.assigned)
    return MemoryStore.change(self, scope, kind, id, changes, *rest)


def _any_version(self: Any, scope: Any, kind: Any, id: str, changes: Any, expected: Any = None) -> Any:
    return MemoryStore.change(self, scope, kind, id, changes)


def _always_changed(self: Any, *arguments: Any) -> Any:
    return replace(MemoryStore.change(self, *arguments), changed=True)


def _one_tenant(method: str) -> Any:
    return {method: lambda self, scope, *rest: getattr(MemoryStore, method)(self, Scope("all"), *rest)}


def _everything_found(self: Any, scope: Any, query: Query) -> Page:
    return MemoryStore.search(self, scope, replace(query, filter=None))


def _unordered(self: Any, scope: Any, query: Query) -> Page:
    return MemoryStore.search(self, scope, replace(query, sort=None))


def _by_index_only(self: Any, scope: Any, query: Query) -> Page:
    page = MemoryStore.search(self, scope, query)
    return replace(page, positions=[(number,) for number in range(len(page.documents))])


def _kept_always(self: Any, scope: Any, work: Any) -> Any:
    return work(self)


def _no_members(self: Any, *arguments: Any) -> Members:
    return Members((), None)


_FLAWS: list[tuple[str, dict[str, Any]]] = [
    ("test_unsupported_names_capabilities", {"unsupported": ("member_pages", "cursor")}),
    ("test_unsupported_names_capabilities", {"unsupported": "member_pages"}),
    ("test_capabilities_have_their_methods", {"unsupported": ()}),
    ("test_capabilities_have_their_methods", {"transaction": None}),
    ("test_members_are_read_in_pages", {"unsupported": (), "members": _no_members}),
    ("test_returned_documents_are_not_modified", {"get": _handed_out, "change": _written_in_place}),
    ("test_another_version_is_refused", {"change": _any_version}),
    ("test_one_of_many_concurrent_writes_succeeds", {"change": _any_version}),
    ("test_an_identical_write_changes_nothing", {"change": _always_changed}),
    ("test_change_sets_produce_the_expected_document", {"change": _always_changed}),
    ("test_other_tenants_are_empty", {name: each for method in ("get", "search", "create", "replace", "change",
                                      "delete") for name, each in _one_tenant(method).items()}),
    ("test_filters_agree_with_the_reference", {"search": _everything_found}),
    ("test_filters_on_users", {"search": _everything_found}),
    ("test_filters_on_members", {"search": _everything_found}),
    ("test_filters_on_groups", {"search": _everything_found}),
    ("test_look_ups_are_never_refused", {"search": _everything_found}),
    ("test_orders_agree_with_the_reference", {"search": _unordered}),
    ("test_positions", {"search": _by_index_only}),
    ("test_pages_are_stable_during_writes", {"search": _by_index_only}),
    ("test_a_failed_transaction_leaves_nothing", {"transaction": _kept_always}),
    ("test_histories_agree_with_the_other_store", {"transaction": _kept_always}),
    ("test_histories_agree_with_the_other_store", {"change": _any_version}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "flaw"), _FLAWS, ids=[f"{name}-{'-'.join(flaw)}" for name, flaw in _FLAWS])
def test_a_flaw_is_found(name: str, flaw: dict[str, Any]) -> None:
    """A store with one flaw fails the contract test for that behavior."""
    contract = Flawed(**flaw)
    test = getattr(contract, name)
    with pytest.raises((AssertionError, pytest.fail.Exception, ExceptionGroup)):
        if "store" in inspect.signature(test).parameters or "able" in inspect.signature(test).parameters:
            with contract.opened() as store:
                test(store)
        else:
            test()


def test_a_state_machine_of_two_stores() -> None:
    """`StoreMachine` can compare any two stores, here the minimal store and the memory store."""

    class Machine(StoreMachine):
        def make_stores(self) -> tuple[SyncStore, SyncStore]:
            return MinimalStore(), MemoryStore()

    run_state_machine_as_test(Machine, settings=settings(max_examples=3, stateful_step_count=10, deadline=None))
