"""Contract tests for filters and sort orders, compared with the reference implementation (RFC 7644 section 3.4.2).

A store must refuse a filter that it cannot evaluate, and must declare this in `unsupported`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import strategies as st

from scimkit.errors import InvalidFilter
from scimkit.filters.filter import Filter, parse
from scimkit.runner import run_sync
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import Request
from scimkit.service.service import ScimService
from scimkit.stores.protocol import GROUPS, Query, SyncStore
from scimkit.stores.sorting import Sort, sort_key
from scimkit.testing import reference
from scimkit.testing.contract.base import ALL, ContractBase, ids
from scimkit.tokens import TokenRegistry

_OF_USERS = (
    'id eq "{ada}"', 'userName eq "ADA"', 'id eq "{ada}" and userName eq "ada"', 'id eq "{ada}" or userName eq "bob"',
    'not (id eq "{ada}")', 'id ne "{ada}"', 'id eq "nobody"', "id pr", 'id eq "{team}"', 'meta.resourceType eq "User"',
    'meta.resourceType eq "user"', 'meta.created gt "2001-01-01T00:00:00Z"', "meta.lastModified pr",
    'meta.created lt "2001-01-01T00:00:00Z"', 'meta[version pr and created ge "2001-01-01T00:00:00+14:00"]',
    'userName eq null', "userName ne null", 'userName sw "a"', 'userName co "OB"', 'userName ew "b" or id eq "x"',
)  # fmt: skip
_OF_MEMBERS = (
    'members eq "{ada}"', 'members.value eq "{bob}"', 'members[value eq "{ada}"]', 'members eq "nobody"', "members pr",
    'id eq "{team}" and members eq "{ada}"', 'id eq "{board}" and members eq "{bob}"', 'not (members eq "{bob}")',
    'displayName eq "TEAM"', 'members eq "{ada}" or displayName eq "empty"', "not (members pr)",
    'members[value eq "{ada}" and type eq "User"]', 'members ne "{ada}"', 'members eq "{team}"',
)  # fmt: skip
_OF_GROUPS = (
    'groups eq "{team}"', 'groups.value eq "{board}"', 'groups[value eq "{team}"]', "groups pr",
    'groups.display eq "TEAM"',
    'groups[value eq "{team}" and display eq "board"]', 'not (groups eq "{team}")', 'groups eq "nobody"',
)  # fmt: skip
_NO_FILTERS = (
    "shoeSize pr", 'shoeSize eq "42"', 'userName.value eq "ada"', "userName gt true", 'emails[shoeSize eq "1"]',
    'meta.created eq "soon"', "userName eq 1", 'urn:example:User:userName eq "ada"',
)  # fmt: skip


class SearchingContract(ContractBase):
    """Every filter and every sort order gives the right result, or is refused."""

    def test_filters_agree_with_the_reference(self) -> None:
        """Generated filters on two tenants select the same resources as the reference implementation."""

        def check(data: st.DataObject) -> None:
            resource_type = data.draw(st.sampled_from(list(self.resource_types)))
            with self.opened() as store:
                scopes = [self.one] if "tenants" in store.unsupported else [self.one, self.two]
                kept = {scope: self.fill(store, resource_type, data, scope) for scope in scopes}
                for node in data.draw(st.lists(self.asked[resource_type], min_size=1, max_size=6)):
                    for scope, documents in kept.items():
                        expected = [each["id"] for each in documents if reference.matches(resource_type, each, node)]
                        page = self.search(store, Query(resource_type, Filter(node), count=ALL), scope)
                        if page is not None:
                            assert (ids(page), page.total) == (expected, len(expected)), str(node)

        self.often(check)

    def test_orders_agree_with_the_reference(self) -> None:
        """Resources are sorted by the sort key. Resources with equal keys are in the order of creation."""

        def check(data: st.DataObject) -> None:
            resource_type = data.draw(st.sampled_from(list(self.resource_types)))
            sort = Sort(data.draw(self.sortable[resource_type]), data.draw(st.booleans()))
            with self.opened() as store:
                self.needs(store, "sort")
                kept = self.fill(store, resource_type, data)
                ordered = sorted(kept, key=sort_key(sort), reverse=sort.descending)
                found = store.search(self.one, Query(resource_type, sort=sort, count=ALL))
                assert ids(found) == [each["id"] for each in ordered], sort.path.text

        self.often(check)

    def test_filters_on_users(self, store: SyncStore) -> None:
        """Filters on users by name, `id` and `meta` give the right results."""
        self._agree(store, self.user_type, _OF_USERS)

    def test_filters_on_members(self, store: SyncStore) -> None:
        """Filters on groups by `members` give the right results."""
        self._agree(store, self.group_type, _OF_MEMBERS)

    def test_filters_on_groups(self, store: SyncStore) -> None:
        """Filters on users by `groups` give the right results."""
        if GROUPS not in self.user_type.attributes:
            pytest.skip("the users of this store have no groups")
        self._agree(store, self.user_type, _OF_GROUPS)

    def _agree(self, store: SyncStore, resource_type: ResourceType, texts: Sequence[str]) -> None:
        """Check the result of each filter that the store supports, on the same resources."""
        ada, bob = self.user(store, "ada"), self.user(store, "bob")
        self.user(store, "cyd")
        team, board = self.group(store, "team", ada, bob), self.group(store, "board", ada)
        self.group(store, "empty")
        whole = store.search(self.one, Query(resource_type)).documents
        wanted = [parse(text.format(ada=ada, bob=bob, team=team, board=board)) for text in texts]
        pages = [self.search(store, Query(resource_type, each)) for each in wanted]
        wrong = []
        for text, each, page in zip(texts, wanted, pages, strict=True):
            expected = [one["id"] for one in whole if reference.matches(resource_type, dict(one), each.node)]
            if page is not None and (ids(page), page.total) != (expected, len(expected)):
                wrong.append(f"{text}: expected {expected}, found {ids(page)} with the total {page.total}")
        assert not wrong, "\n".join(wrong)
        if all(page is None for page in pages):
            pytest.skip("the store does not support these filters")

    def test_look_ups_are_never_refused(self, store: SyncStore) -> None:
        """Every store answers `eq` filters on `id` and on unique attributes, with all requested attributes."""
        ada = self.user(store, "Ada")
        self.user(store, "bob")
        for text in (
            f'id eq "{ada}"',
            'userName eq "ADA"',
            'USERNAME eq "ada"',
            f'{self.user_type.schema}:id eq "{ada}"',
        ):
            page = store.search(self.one, Query(self.user_type, parse(text)))
            assert page.documents == [store.get(self.one, self.user_type, ada)]
        assert store.search(self.one, Query(self.user_type, parse('userName eq "nobody"'))).total == 0

    @pytest.mark.parametrize("text", _NO_FILTERS)
    def test_invalid_filters_are_refused(self, store: SyncStore, text: str) -> None:
        """A filter with an unknown attribute or a value of the wrong type is refused, even if the store is empty."""
        with pytest.raises(InvalidFilter):
            store.search(self.one, Query(self.user_type, parse(text)))
        self.user(store, "ada")
        with pytest.raises(InvalidFilter):
            store.search(self.one, Query(self.user_type, parse(f"userName pr or {text}")))

    def test_unsupported_capabilities_get_501(self, store: SyncStore) -> None:
        """The service sorts and uses cursors if the store supports them, and responds with 501 otherwise."""
        tokens = TokenRegistry()
        token = tokens.issue("contract", tenant=self.one.tenant).token
        service = ScimService(store, tokens=tokens, resource_types=tuple(self.resource_types))
        headers = {"authorization": f"Bearer {token}"}
        path = self.user_type.endpoint
        for capability, query in (("sort", "sortBy=userName"), ("cursors", "cursor&count=1")):
            answer = run_sync(service.handle(Request("GET", path, query, headers, b"", "https://example.org")))
            assert answer.status == (501 if capability in store.unsupported else 200)
