"""Contract tests for pages by index and by position (RFC 7644 section 3.4.2.4, RFC 9865)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from scimkit.filters.filter import Filter, parse
from scimkit.stores.paging import Position
from scimkit.stores.protocol import Query, SyncStore
from scimkit.stores.sorting import Sort
from scimkit.testing.contract.base import ALL, ContractBase, ids

_MATCHING = 'userName sw "a" or userName sw "b"'


class PagesContract(ContractBase):
    """Every resource is on exactly one page."""

    def test_resources_are_in_order_of_creation(self, store: SyncStore) -> None:
        """Resources are listed in the order of creation, after changes and deletions and with any filter."""
        some = [self.user(store, f"a{number}") for number in range(8)]
        store.replace(self.one, self.user_type, some[2], self.document(self.user_type, "b2"))
        store.delete(self.one, self.user_type, some.pop(5))
        some.append(self.user(store, "a"))
        assert self.everyone(store, self.user_type) == some
        assert self.found(store, self.user_type, _MATCHING) == some
        assert self.found(store, self.user_type, " or ".join(f'id eq "{each}"' for each in some[::-1])) == some

    @pytest.mark.parametrize("text", [None, _MATCHING])
    def test_pages_by_index(self, store: SyncStore, text: str | None) -> None:
        """Pages are slices of the list, and `total` counts all resources. A page beyond the end is empty."""
        some = [self.user(store, f"{letter}{number}") for number in range(3) for letter in "ab"]
        wanted = None if text is None else parse(text)
        if self.search(store, Query(self.user_type, wanted)) is None:
            pytest.skip("the store does not support this filter")
        for start, count, expected in (
            (1, 2, some[:2]), (3, 2, some[2:4]), (5, 5, some[4:]), (7, 5, []), (9999, 1, []), (1, 0, []), (3, 0, []),
            (0, 1, some[:1]), (-5, 2, some[:2]), (1, ALL, some),
        ):  # fmt: skip
            page = store.search(self.one, Query(self.user_type, wanted, start_index=start, count=count))
            assert (ids(page), page.total) == (expected, len(some))

    def test_an_empty_store_has_an_empty_page(self, store: SyncStore) -> None:
        """The first page of an empty store is empty."""
        for resource_type in self.resource_types:
            page = store.search(self.one, Query(resource_type))
            assert (list(page.documents), page.total) == ([], 0)

    def test_large_pages(self, store: SyncStore) -> None:
        """A page can have many resources, each with its computed attributes."""
        people = [self.user(store, f"user{number}") for number in range(120)]
        team = self.group(store, "team", *people)
        page = store.search(self.one, Query(self.user_type, count=ALL))
        assert (ids(page), page.total) == (people, len(people))
        assert all(each.get("groups", [{"value": team}])[0]["value"] == team for each in page.documents)
        assert self.members(store, team) == set(people)

    def test_sorted_pages_by_index(self) -> None:
        """Pages by index in any sort order are slices of one list, without repeated or missing resources."""

        def check(data: st.DataObject) -> None:
            resource_type = data.draw(st.sampled_from(list(self.resource_types)))
            with self.opened() as store:
                self.needs(store, "sort")
                kept = self.fill(store, resource_type, data)
                sort = Sort(data.draw(self.sortable[resource_type]), data.draw(st.booleans()))
                count = data.draw(st.integers(1, 3))
                whole = ids(store.search(self.one, Query(resource_type, sort=sort, count=ALL)))
                pages = [
                    ids(store.search(self.one, Query(resource_type, sort=sort, start_index=start, count=count)))
                    for start in range(1, len(kept) + 2, count)
                ]
                assert [id for page in pages for id in page] == whole
                assert sorted(whole) == sorted(each["id"] for each in kept)

        self.often(check)

    def test_positions(self) -> None:
        """The page before or after a position is the right slice of the list, with any filter and sort order."""

        def check(data: st.DataObject) -> None:
            resource_type = data.draw(st.sampled_from(list(self.resource_types)))
            with self.opened() as store:
                self.needs(store, "cursors")
                self.fill(store, resource_type, data)
                sort = self._sort(store, data)
                wanted = data.draw(st.none() | self.asked[resource_type].map(Filter))
                sort = None if resource_type is not self.user_type else sort
                page = self.search(store, Query(resource_type, wanted, sort, count=ALL))
                if page is None:
                    return
                count, whole = data.draw(st.integers(1, 3)), ids(page)
                assert len(page.positions) == len(whole)
                for place, position in enumerate(map(_sent, page.positions)):
                    after = store.search(self.one, Query(resource_type, wanted, sort, count=count, after=position))
                    assert ids(after) == whole[place + 1 : place + 1 + count]
                    before = store.search(self.one, Query(resource_type, wanted, sort, count=count, before=position))
                    assert ids(before) == whole[max(place - count, 0) : place]
                    assert after.total == before.total == len(whole)

        self.often(check)

    def _sort(self, store: SyncStore, data: st.DataObject) -> Sort | None:
        if "sort" in store.unsupported or not data.draw(st.booleans()):
            return None
        return Sort(data.draw(self.sortable[self.user_type]), data.draw(st.booleans()))

    def test_pages_are_stable_during_writes(self) -> None:
        """Walking by position returns every permanent resource once while other resources are created and deleted."""

        def check(data: st.DataObject) -> None:
            with self.opened() as store:
                self.needs(store, "cursors")
                sort, count = self._sort(store, data), data.draw(st.integers(1, 3))
                backward = data.draw(st.booleans())
                names = [f"{data.draw(st.sampled_from('abc'))}{number}" for number in range(8)]
                everyone = {self.user(store, name): name for name in names}
                going = data.draw(st.lists(st.sampled_from(list(everyone)), unique=True, max_size=4))
                staying = [id for id in everyone if id not in going]
                disturb = self._disturbance(store, data, going)
                walked = self._walk(store, sort, count, backward, disturb)
                assert len(walked) == len(set(walked))
                met = [id for id in walked if id in staying]
                order = ids(store.search(self.one, Query(self.user_type, sort=sort, count=ALL)))
                expected = [id for id in order if id in staying]
                assert met == (expected[::-1] if backward else expected)

        self.often(check)

    def _disturbance(self, store: SyncStore, data: st.DataObject, going: list[str]) -> Callable[[], None]:
        """Return a function that deletes a resource and creates another one between two pages."""
        left = list(going)

        def disturb() -> None:
            if data.draw(st.booleans()) and left:
                store.delete(self.one, self.user_type, left.pop())
            if data.draw(st.booleans()):
                letter = data.draw(st.sampled_from("abc"))
                self.user(store, f"{letter}x{store.search(self.one, Query(self.user_type, count=0)).total}{len(left)}")

        return disturb

    def _walk(
        self, store: SyncStore, sort: Sort | None, count: int, backward: bool, disturb: Callable[[], None]
    ) -> list[str]:
        """Return the ids of all pages from one end of the list to the other."""
        walked: list[str] = []
        if backward:
            whole = store.search(self.one, Query(self.user_type, sort=sort, count=ALL))
            page = store.search(
                self.one, Query(self.user_type, sort=sort, count=count, before=_sent(whole.positions[-1]))
            )
            walked.append(ids(whole)[-1])
        else:
            page = store.search(self.one, Query(self.user_type, sort=sort, count=count))
        for _ in range(100):
            if not page.documents:
                return walked
            walked += reversed(ids(page)) if backward else ids(page)
            edge = _sent(page.positions[0 if backward else -1])
            disturb()
            around: dict[str, Any] = {"before" if backward else "after": edge}
            page = store.search(self.one, Query(self.user_type, sort=sort, count=count, **around))
        raise AssertionError("the pages do not end")


def _sent(position: Position) -> Position:
    """Return a position as a cursor carries it: through JSON, which turns tuples into arrays."""
    return _tuples(json.loads(json.dumps(position)))  # type: ignore[no-any-return]


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
