"""The work of a request grows at most as n log n with its size, and a request beyond a limit gets a clear error.

Every case is a kind of request that once took too long in an attack. The tests count steps, not seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from unicodedata import combining

import pytest

from scimkit import Limits, MemoryStore, filters
from scimkit.errors import InvalidFilter, TooMany
from scimkit.schema import attributes
from scimkit.schema.attributes import folded
from scimkit.schema.core import USER as USER_TYPE
from scimkit.schema.projection import Projections
from scimkit.service import preconditions
from tests.client import GROUP, PATCH_OP, USER, Client
from tests.growth import FACTOR, growth
from tests.stores.databases import DATABASES, apart

Make = Callable[[Client], Callable[[int], Callable[[], Any]]]
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
LOOSE = Limits(values=100_000, filter_comparisons=100_000, filter_length=1_000_000, patch_operations=100_000)
"""Limits that are high enough for the cases, so that the growth is visible."""


@pytest.fixture(params=["memory", *(each for each in DATABASES if each != "mysql")])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """Yield a client of a service over each store, with limits that are high enough for the cases."""
    if request.param == "memory":
        yield Client(MemoryStore(), limits=LOOSE)
    else:
        yield Client(apart(request.param), limits=LOOSE)


def emails(number: int) -> list[dict[str, Any]]:
    """Return a number of addresses, each with a different type."""
    return [{"value": f"a{n}@example.org", "type": f"t{n}"} for n in range(number)]


def case_folding(client: Client) -> Callable[[int], Callable[[], Any]]:
    """Create users whose names have thousands of combining marks."""
    return lambda size: lambda: client.post("/Users", {"schemas": [USER], "userName": "a" + "\u0300\u0316" * size})


def entity_tags(client: Client) -> Callable[[int], Callable[[], Any]]:
    """Read with a header of many spaces, and with a header of many entity tags that match no version."""
    user = client.user("tagged")
    tags = {0: lambda size: "x" + " " * size + "x", 1: lambda size: ", ".join(f'W/"x{n}"' for n in range(size))}

    def make(size: int) -> Callable[[], Any]:
        return lambda: [
            client.get(f"/Users/{user}", headers={"If-None-Match": text(size)}).status for text in tags.values()
        ]

    return make


def chain(client: Client, *, circle: bool = False) -> Callable[[int], Callable[[], Any]]:
    """Create groups in a bulk request, each with the next group as a member, optionally in a circle."""

    def make(size: int) -> Callable[[], Any]:
        names = [f"g{size}-{n}" for n in range(size)]
        operations = [
            {"method": "POST", "path": "/Groups", "bulkId": name, "data": {
                "schemas": [GROUP], "displayName": f"{name}-{circle}-{id(operations_made)}",
                "members": [{"value": f"bulkId:{after}"}] if after else []}}
            for name, after in zip(names, [*names[1:], names[0] if circle else None], strict=True)
        ]  # fmt: skip

        def work() -> None:
            for each in operations:
                operations_made.append(each)
                each["data"]["displayName"] = f"{each['bulkId']}-{len(operations_made)}-{circle}"  # type: ignore[index]
            answer = client.post("/Bulk", {"schemas": [BULK], "Operations": operations})
            assert {each["status"] for each in answer.body["Operations"]} == {"201"}

        return work

    operations_made: list[Any] = []
    return make


def remove_listed(client: Client) -> Callable[[int], Callable[[], Any]]:
    """Remove every address with a PATCH that lists the addresses."""

    def make(size: int) -> Callable[[], Any]:
        user = client.user(f"listed-{size}-{next(numbers)}", emails=emails(size))
        body = {"op": "remove", "path": "emails", "value": emails(size)}
        return lambda: client.patch(f"/Users/{user}", body).status

    numbers = iter(range(100))
    return make


def add_listed(client: Client) -> Callable[[int], Callable[[], Any]]:
    """Add every address again with a PATCH, as the primary address of its type."""

    def make(size: int) -> Callable[[], Any]:
        user = client.user(f"added-{size}-{next(numbers)}", emails=emails(size))
        again = [{**each, "display": "again"} for each in emails(size)]
        return lambda: client.patch(f"/Users/{user}", {"op": "add", "path": "emails", "value": again}).status

    numbers = iter(range(100))
    return make


def one_filter(client: Client) -> Callable[[int], Callable[[], Any]]:
    """Send a PATCH whose path has a filter with many comparisons, on few elements."""
    user = client.user("filtered", emails=emails(10))

    def make(size: int) -> Callable[[], Any]:
        path = "emails[" + " or ".join(f'value eq "{n}"' for n in range(size)) + "].display"
        return lambda: client.patch(f"/Users/{user}", {"op": "replace", "path": path, "value": "x"}).status

    return make


def named_elements(client: Client) -> Callable[[int], Callable[[], Any]]:
    """Send a body whose attribute names select elements."""

    def make(size: int) -> Callable[[], Any]:
        names = {f'emails[type eq "t{n}"].value': f"a{n}@example.org" for n in range(size)}
        number = next(numbers)
        return lambda: client.post("/Users", {"schemas": [USER], "userName": f"named-{number}", **names}).status

    numbers = iter(range(100))
    return make


def open_strings(client: Client) -> Callable[[int], Callable[[], Any]]:
    """Send a filter with many unclosed strings."""
    return lambda size: lambda: client.post("/Users/.search", {"filter": "a" + '"\\' * size}).status


def filters_of(term: str, joint: str) -> Callable[[Client], Callable[[int], Callable[[], Any]]]:
    """Send a filter with many different comparisons."""

    def make(client: Client) -> Callable[[int], Callable[[], Any]]:
        client.user("searched", title="a", emails=emails(3))
        search = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
        return lambda size: (
            lambda: (
                client.post(
                    "/Users/.search",
                    {"schemas": [search], "filter": joint.join(term.format(n) for n in range(size))},
                ).status
            )
        )

    return make


def many_attributes(client: Client) -> Callable[[int], Callable[[], Any]]:
    """Request very many attributes."""
    user = client.user("projected")

    def make(size: int) -> Callable[[], Any]:
        text = ",".join(f"x{size}y{n}" for n in range(size))
        return lambda: client.get(f"/Users/{user}?attributes=userName,{text}").status

    return make


CASES: dict[str, tuple[Make, int]] = {
    "combining marks": (case_folding, 500),
    "entity tags": (entity_tags, 1000),
    "bulk, a chain": (chain, 40),
    "bulk, a circle": (lambda client: chain(client, circle=True), 40),
    "remove listed values": (remove_listed, 150),
    "add listed values": (add_listed, 150),
    "a PATCH path with many comparisons": (one_filter, 60),
    "names that select elements": (named_elements, 100),
    "strings that are not closed": (open_strings, 500),
    "comparisons joined by and": (filters_of('title eq "a{0}"', " and "), 40),
    "comparisons joined by or": (filters_of('title eq "a{0}"', " or "), 40),
    "comparisons with groups": (filters_of('groups.value eq "a{0}"', " and "), 40),
    "value paths": (filters_of('emails[type eq "t{0}"]', " and "), 40),
    "many attributes": (many_attributes, 300),
}


@pytest.mark.parametrize("case", CASES)
def test_growth(client: Client, case: str) -> None:
    """A request of twice the size takes at most three times the steps."""
    make, size = CASES[case]
    assert growth(make(client), size) <= FACTOR


def test_runs_of_combining_marks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Normalized text has at most 30 combining marks in a row, because normalization sorts each run."""
    seen: list[str] = []
    normalize = attributes.normalize
    monkeypatch.setattr(attributes, "normalize", lambda form, text: (seen.append(text), normalize(form, text))[1])
    for text in ("a" + "\u0300\u0316" * 16_000, "\u0316\u0300" * 40, "é" + "\u0301" * 31 + "b" + "\u0301" * 61):
        folded(text)
    assert max(_longest_run(text) for text in seen[::2]) == 30
    assert len(seen) == 6
    short = "e" + "\u0316\u0300" * 15
    assert folded(short) == normalize("NFKC", normalize("NFKC", short).casefold())


def _longest_run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if combining(character) else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize(
    "header", ["x" + " " * 30_000 + "x", '"' * 30_000, "," * 30_000, 'W/"a ' * 10_000, "W/" * 15_000]
)
def test_conditions_are_scanned_once(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header that matches no version costs a limited number of scans for each element."""
    scans = 0

    class Counted:
        def __init__(self, pattern: Any) -> None:
            self.pattern = pattern

        def match(self, text: str, position: int) -> Any:
            nonlocal scans
            scans += 1
            return self.pattern.match(text, position)

    monkeypatch.setattr(preconditions, "_TAG", Counted(preconditions._TAG))
    assert not preconditions.is_unchanged({"if-none-match": header}, 'W/"1"')
    assert scans <= header.count(",") + header.count('"') + 1


def test_budget_of_a_patch() -> None:
    """A PATCH whose operations compare more values than the limit is refused, and nothing is written."""
    client = Client(limits=Limits(values=6000))
    user = client.user("ada", emails=emails(6000))
    before = client.get(f"/Users/{user}").body
    path = "emails[" + " or ".join(f'value eq "{n}"' for n in range(100)) + "]"
    answer = client.patch(f"/Users/{user}", *[{"op": "remove", "path": path}] * 20)
    assert (answer.status, answer.body["scimType"]) == (400, TooMany.scim_type)
    assert client.get(f"/Users/{user}").body == before


def test_sorted_search_over_all_types() -> None:
    """A sorted page past the end reads no resource, and a page too far from the beginning is refused."""
    store = MemoryStore()
    client = Client(store, limits=Limits(sorted_window=10))
    for n in range(12):
        client.user(f"user{n}")
    counts = []
    search = store.search
    store.search = lambda scope, query: (counts.append(query.count), search(scope, query))[1]  # type: ignore[method-assign]
    answer = client.get("/?sortBy=id&startIndex=100000000000000000")
    assert (answer.status, answer.body["totalResults"], counts) == (200, 12, [0, 0])
    assert client.get("/?sortBy=id&startIndex=9&count=2").status == 200
    refused = client.get("/?sortBy=id&startIndex=10&count=2")
    assert (refused.status, refused.body["scimType"]) == (400, "tooMany")


def test_caches_keep_no_long_text() -> None:
    """Caches do not store texts of a megabyte, and unknown names do not keep new names out of a cache."""
    plans = Projections(USER_TYPE)
    for n in range(3):
        assert plans.plan(f"userName,{n}" + "x" * 1_000_000, None).requested("userName")
        assert USER_TYPE.resolve(f"{n}" + "x" * 1_000_000) is None
    assert plans._recent.cache_info().currsize == 0
    for n in range(3000):
        USER_TYPE.resolve(f"junk{n}")
    hits = USER_TYPE._find_recent.cache_info().hits
    USER_TYPE.resolve("name.familyName")
    USER_TYPE.resolve("name.familyName")
    assert USER_TYPE._find_recent.cache_info().hits == hits + 1
    long = " or ".join(f'userName eq "{n}"' for n in range(100))
    assert filters.parse(long) is not filters.parse(long)


SMALL = Limits(
    string_length=100, values=3, filter_length=60, filter_comparisons=3, patch_operations=2, query=200, headers=400
)


def limit_cases(client: Client, user: str) -> dict[str, tuple[Any, Any, int, str | None]]:
    """Return for each limit a request at the limit, a request beyond it, and the expected status and scimType."""

    def post(**attributes: Any) -> Any:
        names = iter(range(10))
        return lambda: client.post(
            "/Users", {"schemas": [USER], "userName": f"u{next(names)}{len(str(attributes))}", **attributes}
        )

    def query(text: str) -> Any:
        return lambda: client.get(f"/Users?{text}")

    def patch(*operations: dict[str, Any]) -> Any:
        return lambda: client.patch(f"/Users/{user}", *operations)

    title = {"op": "replace", "path": "title", "value": "x"}
    bad_filter = (400, "invalidFilter")
    words = [{"value": str(n)} for n in range(4)]
    return {
        "string_length": (post(title="t" * 100), post(title="t" * 101), 400, "invalidValue"),
        "string_length of a PATCH": (
            patch({**title, "value": "t" * 100}), patch({**title, "value": "t" * 101}), 400, "invalidValue"),
        "values": (post(emails=words[:3]), post(emails=words), 400, "invalidValue"),
        "values of a PATCH": (
            patch({"op": "add", "path": "phoneNumbers", "value": words[:3]}),
            patch({"op": "add", "path": "phoneNumbers", "value": words[3:]}), 400, "invalidValue"),
        "filter_length": (query(f'filter=title eq "{"x" * 49}"'), query(f'filter=title eq "{"x" * 50}"'), *bad_filter),
        "filter_comparisons": (
            query('filter=id ne "0" and id ne "1" and id ne "2"'),
            query("filter=id pr or meta pr or title pr or name pr"), *bad_filter),
        "patch_operations": (patch(title, title), patch(title, title, title), 400, "invalidSyntax"),
        "query": (query("x=" + "y" * 198), query("x=" + "y" * 199), 414, None),
        "headers": (
            lambda: client.get("/Users", headers={"X": "y" * 100}),
            lambda: client.get("/Users", headers={"X": "y" * 400}), 431, None),
    }  # fmt: skip


@pytest.mark.parametrize("name", limit_cases(Client(), ""))
def test_limits_at_their_edge(name: str) -> None:
    """A request at a limit is served. A request beyond it gets an error that names the limit, and writes nothing."""
    client = Client(limits=SMALL)
    user = client.user("ada")
    served, refused, status, scim_type = limit_cases(client, user)[name]
    answer = served()
    assert answer.status in (200, 201), answer.body
    before = client.get("/Users").body
    answer = refused()
    assert (answer.status, answer.body.get("scimType")) == (status, scim_type), answer.body
    assert any(character.isdigit() for character in answer.body["detail"]) or "too many" in answer.body["detail"]
    assert client.get("/Users").body == before


def test_filters_alone_have_the_limits() -> None:
    """`filters.parse` has the default limits when it is used without a service."""
    with pytest.raises(InvalidFilter):
        filters.parse(" or ".join(f"a eq {n}" for n in range(201)))


def test_a_long_list_of_operations_is_refused() -> None:
    """A PATCH with the largest possible list of operations is parsed only once."""
    client = Client()
    user = client.user("ada")
    body = {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": "x"}] * 1001}
    assert client.send("PATCH", f"/Users/{user}", json.dumps(body).encode()).status == 400
