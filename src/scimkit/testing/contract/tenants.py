"""Contract tests for the separation of tenants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from scimkit.errors import InvalidValue, NotFound, ScimError
from scimkit.filters.filter import parse
from scimkit.patch.changes import ChangeSet
from scimkit.stores.protocol import GROUPS, MEMBERS, Query, SyncStore, Written
from scimkit.stores.sorting import Sort
from scimkit.testing.contract.base import ALL, ContractBase, ids

_ALL_OF_THEM = (
    "userName pr", 'userName eq "nobody" or userName pr', 'not (userName eq "nobody")', "not (externalId pr)",
    '(userName eq "a" or id pr) and (meta.created pr or userName eq "b")', 'userName ne "nobody"',
    'not (not (userName sw ""))', 'meta.resourceType eq "User" or userName pr',
)  # fmt: skip


class TenantsContract(ContractBase):
    """No tenant can read or change the resources of another tenant. A store without tenants serves only `one`."""

    @pytest.fixture
    def both(self, store: SyncStore) -> Iterator[SyncStore]:
        """Yield a store that supports several tenants."""
        self.needs(store, "tenants")
        yield store

    def test_other_tenants_are_empty(self, store: SyncStore) -> None:
        """Every method treats a resource of another tenant as missing, and does not change the resource."""
        ada = self.user(store, "ada")
        team = self.group(store, "team", ada)
        before = self.contents(store)
        for resource_type, id, name in ((self.user_type, ada, "ada"), (self.group_type, team, "team")):
            version = self.version(store, resource_type, id)
            document = self.document(resource_type, name)
            for call in (
                lambda kind=resource_type, id=id: store.get(self.two, kind, id),
                lambda kind=resource_type, id=id, new=document: store.replace(self.two, kind, id, new),
                lambda kind=resource_type, id=id, new=document, tag=version: store.replace(
                    self.two, kind, id, new, tag
                ),
                lambda kind=resource_type, id=id: store.change(self.two, kind, id, ChangeSet({"externalId": "x"})),
                lambda kind=resource_type, id=id, tag=version: store.change(self.two, kind, id, ChangeSet(), tag),
                lambda kind=resource_type, id=id: store.delete(self.two, kind, id),
                lambda kind=resource_type, id=id, tag=version: store.delete(self.two, kind, id, tag),
            ):
                with pytest.raises(NotFound):
                    call()
            assert store.search(self.two, Query(resource_type)).total == 0
        assert self.contents(store) == before

    def test_other_tenants_are_refused(self, store: SyncStore) -> None:
        """A store without tenants refuses to create a resource for another tenant."""
        if "tenants" not in store.unsupported:
            pytest.skip("the store keeps several tenants")
        with pytest.raises(ScimError):
            self.user(store, "ada", self.two)
        assert self.everyone(store, self.user_type) == []

    def test_filters_end_at_the_tenant(self, both: SyncStore) -> None:
        """A filter that matches every resource returns all resources of the tenant, and no others."""
        mine = [self.user(both, name) for name in ("ada", "bob")]
        theirs = [self.user(both, name, self.two) for name in ("ada", "eve")]
        for text in _ALL_OF_THEM:
            for scope, expected in ((self.one, mine), (self.two, theirs)):
                page = self.search(both, Query(self.user_type, parse(text), count=ALL), scope)
                assert page is None or ids(page) == expected, text

    def test_ids_of_other_tenants_in_filters(self, both: SyncStore) -> None:
        """No filter finds a resource by the id of another tenant."""
        mine, theirs = self.user(both, "ada"), self.user(both, "ada", self.two)
        team = self.group(both, "team", theirs, scope=self.two)
        for text in (f'id eq "{theirs}"', f'id eq "{theirs}" or userName eq "nobody"', f'not (id eq "{mine}")'):
            assert self.found(both, self.user_type, text) == []
        for text in (f'id eq "{team}"', f'members eq "{theirs}"', f'id eq "{team}" or members eq "{theirs}"'):
            assert self.found(both, self.group_type, text) == []
        if GROUPS in self.user_type.attributes:
            assert self.found(both, self.user_type, f'groups eq "{team}"') == []

    def test_members_of_other_tenants_are_unknown(self, both: SyncStore) -> None:
        """A resource of another tenant cannot be added as a member, and removing it as a member changes nothing."""
        mine, theirs = self.user(both, "ada"), self.user(both, "eve", self.two)
        far = self.group(both, "team", theirs, scope=self.two)
        team = self.group(both, "team", mine)
        before = both.get(self.two, self.user_type, theirs), both.get(self.two, self.group_type, far)
        changes = ChangeSet(references=self.member_changes(theirs, far))
        document = {**self.document(self.group_type, "team"), MEMBERS: [{"value": mine}, {"value": theirs}]}
        writes: list[Callable[[], Written]] = [
            lambda: both.change(self.one, self.group_type, team, changes),
            lambda: both.replace(self.one, self.group_type, team, document),
        ]
        for write in writes:
            with suppress(InvalidValue):
                assert theirs in write().skipped_members
            assert self.members(both, team) == {mine}
        assert not self.join(both, team, removed={theirs}).changed
        assert before == (both.get(self.two, self.user_type, theirs), both.get(self.two, self.group_type, far))

    def test_uniqueness_ends_at_the_tenant(self, both: SyncStore) -> None:
        """Two tenants can use the same unique value."""
        mine, theirs = self.user(both, "ada"), self.user(both, "ada", self.two)
        assert mine != theirs
        assert self.group(both, "team") != self.group(both, "team", scope=self.two)
        both.delete(self.one, self.user_type, mine)
        assert self.everyone(both, self.user_type, self.two) == [theirs]

    def test_names_of_tenants_are_exact(self, both: SyncStore) -> None:
        """Tenant names that differ in case or in a trailing space name two tenants."""
        self.user(both, "ada", self.one)
        for name in (self.one.tenant.upper(), self.one.tenant + " ", self.one.tenant + "%", ""):
            assert both.search(type(self.one)(name), Query(self.user_type)).total == 0

    @pytest.mark.parametrize("descending", [None, False, True])
    def test_positions_of_other_tenants(self, both: SyncStore, descending: bool | None) -> None:
        """A page around a position from another tenant has no resources of that tenant."""
        self.needs(both, "cursors")
        sort = None
        if descending is not None:
            self.needs(both, "sort")
            path = self.user_type.resolve("userName")
            assert path is not None
            sort = Sort(path, descending)
        mine = {self.user(both, name) for name in ("ada", "cyd")}
        for name in ("bob", "dan"):
            self.user(both, name, self.two)
        there = both.search(self.two, Query(self.user_type, sort=sort))
        for position in there.positions:
            for query in (
                Query(self.user_type, sort=sort, after=position, count=ALL),
                Query(self.user_type, sort=sort, before=position, count=ALL),
                Query(self.user_type, parse("not (externalId pr)"), sort, after=position, count=ALL),
            ):
                page = self.search(both, query)
                assert page is None or mine.issuperset(ids(page))
