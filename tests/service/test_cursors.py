"""Pages by cursor (RFC 9865)."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest

from scimkit.service.cursors import Cursor, Cursors
from scimkit.stores.sql import SqlStore
from tests.client import GROUP, Client


@pytest.fixture(params=["memory", "sqlite"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Return a client of a service over each kind of store."""
    if request.param == "memory":
        yield Client()
        return
    store = SqlStore(f"sqlite:///{tmp_path}/scim.db")
    yield Client(store)
    store.engine.dispose()


def walk(client: Client, path: str, query: str = "", count: int = 3, change: Any = None) -> list[list[str]]:
    """Return the ids of every page from the first to the last. Call `change` between pages."""
    pages, cursor = [], ""
    while cursor is not None:
        answer = client.get(f"{path}?{query}&count={count}&cursor={cursor}")
        assert answer.status == 200, answer.body
        assert "startIndex" not in answer.body
        assert answer.body["itemsPerPage"] == len(answer.body["Resources"]) <= count
        pages.append([each["id"] for each in answer.body["Resources"]])
        cursor = answer.body.get("nextCursor")
        assert cursor is None or re.fullmatch(r"[A-Za-z0-9._~-]+", cursor)
        if change is not None:
            change()
    return pages


@pytest.mark.parametrize("query", ["", 'filter=userName sw "u"', "sortBy=title", "sortBy=title&sortOrder=descending"])
@pytest.mark.rfc("9865-2-2", "9865-2-4", "9865-2.2-1", "9865-2-12")
def test_every_resource_once(client: Client, query: str) -> None:
    """The pages contain each resource exactly once, in the order of pages by index."""
    for number in range(10):
        client.user(f"u{number}", **({} if number % 3 == 0 else {"title": "tT"[number % 2] + str(number % 4)}))
    expected = [each["id"] for each in client.get(f"/Users?{query}&count=100").body["Resources"]]
    pages = walk(client, "/Users", query)
    assert [len(page) for page in pages] == [3, 3, 3, 1]
    assert [id for page in pages for id in page] == expected


@pytest.mark.parametrize("query", ["", "sortBy=userName", "sortBy=userName&sortOrder=descending"])
@pytest.mark.rfc("7644-3.4.2.4-5")
def test_a_lasting_resource_is_returned_once_while_others_change(client: Client, query: str) -> None:
    """A resource that exists throughout is returned exactly once, while others are created and deleted."""
    stay = {client.user(f"m{number:02}") for number in range(12)}
    come_and_go = [client.user(f"{letter}{number}") for letter in "az" for number in range(6)]
    chance = random.Random(7)

    def change() -> None:
        client.delete(f"/Users/{come_and_go.pop(chance.randrange(len(come_and_go)))}")
        come_and_go.append(client.user(f"{chance.choice('anz')}{chance.random()}"))

    seen = [id for page in walk(client, "/Users", query, change=change) for id in page]
    assert len(seen) == len(set(seen))
    assert stay <= set(seen)


@pytest.mark.parametrize("path", ["/Users", "/"])
@pytest.mark.rfc("9865-2-5", "9865-2-10")
def test_backwards(client: Client, path: str) -> None:
    """`previousCursor` leads back through the same pages. The first page has no `previousCursor`."""
    for number in range(7):
        client.user(f"u{number}")
        client.group(f"g{number}")
    forward, backward, cursor = [], [], ""
    while True:
        body = client.get(f"{path}?count=3&cursor={cursor}").body
        forward.append([each["id"] for each in body["Resources"]])
        if "nextCursor" not in body:
            break
        cursor = body["nextCursor"]
    assert "previousCursor" not in client.get(f"{path}?count=3&cursor=").body
    while "previousCursor" in body:
        body = client.get(f"{path}?count=3&cursor={body['previousCursor']}").body
        backward.append([each["id"] for each in body["Resources"]])
    assert [id for page in reversed(backward) for id in page] == [id for page in forward[:-1] for id in page]
    assert client.get(f"{path}?count=3&cursor={body['nextCursor']}").body["Resources"]


def test_several_types(client: Client) -> None:
    """An unsorted search over several resource types returns one type after the other."""
    ids = [client.user(f"u{number}") for number in range(4)] + [client.group(f"g{number}") for number in range(4)]
    pages = walk(client, "/")
    assert [id for page in pages for id in page] == ids
    assert client.get("/?cursor=&count=3").body["totalResults"] == 8


@pytest.mark.parametrize(
    "query", ["sortBy=displayName", "sortBy=userName", "sortBy=members.value", "sortBy=meta.created"]
)
@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.rfc("9865-2.2-1")
def test_several_types_sorted(client: Client, query: str, order: str) -> None:
    """A sorted search over several resource types merges them in the order of pages by index, forward and backward."""
    query = f"{query}&sortOrder={order}"
    users = [
        client.user(f"u{number}", **({"displayName": "cAbaB"[number]} if number % 2 else {})) for number in range(5)
    ]
    for number in range(5):
        client.group(f"{'abc'[number % 3]}{number or ''}", users[-number])
    expected = [each["id"] for each in client.get(f"/?{query}").body["Resources"]]
    for count in (1, 3, 10):
        pages = walk(client, "/", query, count)
        assert [id for page in pages for id in page] == expected
    body = client.get(f"/?{query}&count=3&cursor=").body
    while "nextCursor" in body:
        body = client.get(f"/?{query}&count=3&cursor={body['nextCursor']}").body
    backward = [each["id"] for each in body["Resources"]]
    while "previousCursor" in body:
        body = client.get(f"/?{query}&count=3&cursor={body['previousCursor']}").body
        backward = [each["id"] for each in body["Resources"]] + backward
    assert backward == expected


@pytest.mark.rfc("9865-3-1")
def test_search_request(client: Client) -> None:
    """`POST .search` accepts a cursor too."""
    for number in range(3):
        client.user(f"u{number}")
    request = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "cursor": "", "count": 2}
    first = client.post("/Users/.search", request).body
    second = client.post("/Users/.search", {**request, "cursor": first["nextCursor"]}).body
    assert len(second["Resources"]) == 1
    assert "nextCursor" not in second


@pytest.mark.rfc("9865-2.1-2", "9865-2.1-4", "9865-5.2-1", "9865-5.2-5")
def test_a_cursor_is_bound_to_its_query(client: Client) -> None:
    """A cursor with another filter, order, type or tenant, or with changed text, gets 400 invalidCursor.

    Another count gets 400 invalidCount.
    """
    for number in range(4):
        client.user(f"u{number}")
    cursor = client.get("/Users?cursor=&count=2").body["nextCursor"]
    other = client.of_tenant("other")
    middle = cursor[:20] + ("A" if cursor[20] != "A" else "B") + cursor[21:]
    for answer in (
        client.get(f"/Users?cursor={cursor}&filter=userName pr"),
        client.get(f"/Users?cursor={cursor}&sortBy=userName"),
        client.get(f"/Groups?cursor={cursor}"),
        client.get(f"/?cursor={cursor}"),
        other.get(f"/Users?cursor={cursor}"),
        client.get(f"/Users?cursor={middle}"),
        client.get("/Users?cursor=x"),
        client.get("/Users?cursor=" + "x" * 9000),
        client.get("/Users?cursor=%C3%A9"),
    ):
        assert (answer.status, answer.body["scimType"]) == (400, "invalidCursor")
    assert client.get(f"/Users?cursor={cursor}&attributes=userName").status == 200
    for wrong in (f"cursor={cursor}&count=3", "cursor=&count=1001", "cursor=&count=x"):
        answer = client.get(f"/Users?{wrong}")
        assert (answer.status, answer.body["scimType"]) == (400, "invalidCount")
    assert client.get("/Users?cursor=&startIndex=2").status == 400


@pytest.mark.rfc("9865-2.1-3", "9865-4-1", "9865-4-2", "9865-4-3")
def test_a_cursor_expires() -> None:
    """An expired cursor gets 400 expiredCursor, and the timeout is announced."""
    now = [1000.0]
    client = Client(cursors=Cursors(timeout=60, clock=lambda: now[0]))
    for number in range(4):
        client.user(f"u{number}")
    cursor = client.get("/Users?cursor=&count=2").body["nextCursor"]
    assert client.get(f"/Users?cursor={cursor}").status == 200
    now[0] += 61
    assert client.get(f"/Users?cursor={cursor}").body["scimType"] == "expiredCursor"
    announced = client.get("/ServiceProviderConfig").body["pagination"]
    assert announced == {
        "cursor": True, "index": True, "defaultPaginationMethod": "index", "defaultPageSize": 100, "maxPageSize": 1000,
        "cursorTimeout": 60,
    }  # fmt: skip


def test_processes_share_a_key() -> None:
    """A process accepts the cursor of another process only if both have the same key."""
    key = b"k" * 32
    cursor = Cursor(0, (False, "a", 7), 10)
    sealed = Cursors(key).seal(cursor, "query")
    assert Cursors(key).open(sealed, "query") == cursor
    from scimkit.errors import InvalidCursor

    with pytest.raises(InvalidCursor):
        Cursors().open(sealed, "query")


@pytest.mark.rfc("9865-2-9")
def test_an_empty_result(client: Client) -> None:
    """A search without a match returns one empty page without cursors."""
    body = client.get("/Groups?cursor=").body
    assert (body["totalResults"], body["Resources"], "nextCursor" in body) == (0, [], False)
    assert client.post("/Groups", {"schemas": [GROUP], "displayName": "x"}).status == 201


def test_sorted_by_datetimes(client: Client) -> None:
    """Positions in an order of dateTimes survive in a cursor."""
    for number in range(5):
        client.user(f"u{number}")
    pages = walk(client, "/Users", "sortBy=meta.created&sortOrder=descending", count=2)
    assert len({id for page in pages for id in page}) == 5
