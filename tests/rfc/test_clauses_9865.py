"""Clauses of RFC 9865 that are not verified by other tests. The dialect is strict."""

from __future__ import annotations

import re

import pytest

from scimkit.dialects import STRICT
from scimkit.events import Access
from tests.client import ERROR, Client


@pytest.fixture
def client() -> Client:
    """Return a client of a strict service with five users."""
    client = Client(dialect=STRICT)
    for number in range(5):
        client.user(f"u{number}")
    return client


@pytest.mark.rfc("9865-2-1", "9865-2-7", "9865-2-8")
@pytest.mark.parametrize("cursor", ["cursor", "cursor="])
def test_the_first_page(client: Client, cursor: str) -> None:
    """An empty cursor returns the first page with at most `count` resources, and the total of all pages."""
    body = client.get(f"/Users?{cursor}&count=2").body
    assert [each["userName"] for each in body["Resources"]] == ["u0", "u1"]
    assert (body["totalResults"], body["itemsPerPage"]) == (5, 2)


@pytest.mark.rfc("9865-2-6")
def test_a_cursor_needs_no_encoding(client: Client) -> None:
    """A cursor consists of unreserved URL characters."""
    body = client.get("/Users?cursor&count=2").body
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", body["nextCursor"])


@pytest.mark.rfc("9865-2.1-1")
@pytest.mark.parametrize("query", ["cursor=nonsense", "cursor=&count=9999", "cursor=&count=x", "cursor=&startIndex=1"])
def test_wrong_parameters(client: Client, query: str) -> None:
    """A wrong pagination parameter is refused with 400, and the detail names it."""
    answer = client.get(f"/Users?{query}")
    assert (answer.status, answer.body["schemas"]) == (400, [ERROR])
    assert re.search("cursor|count", answer.body["detail"])


@pytest.mark.rfc("9865-2.3-1", "9865-2.4-1", "9865-2.4-2")
def test_no_method_named(client: Client) -> None:
    """Without a pagination parameter, pagination is by index, as announced."""
    answer = client.get("/Users?count=2")
    assert (answer.status, answer.body["startIndex"]) == (200, 1)
    assert "nextCursor" not in answer.body
    assert client.get("/ServiceProviderConfig").body["pagination"]["defaultPaginationMethod"] == "index"


@pytest.mark.rfc("9865-5.3-2")
def test_a_cursor_may_be_used_again(client: Client) -> None:
    """A cursor may be used several times with the same result."""
    cursor = client.get("/Users?cursor&count=2").body["nextCursor"]
    pages = [client.get(f"/Users?cursor={cursor}&count=2").body["Resources"] for _ in range(3)]
    assert pages[0] == pages[1] == pages[2]


@pytest.mark.rfc("9865-5.2-2")
def test_every_page_is_authorized() -> None:
    """A client that may no longer search gets no further page, although its cursor is valid."""
    allowed = [True]

    def authorize(access: Access) -> bool:
        return access.operation != "search" or allowed[0]

    client = Client(dialect=STRICT, authorize=authorize)
    for number in range(3):
        client.user(f"u{number}")
    cursor = client.get("/Users?cursor&count=2").body["nextCursor"]
    allowed[0] = False
    assert client.get(f"/Users?cursor={cursor}&count=2").status == 403


@pytest.mark.rfc("9865-5.2-3")
def test_wrong_cursors_look_alike(client: Client) -> None:
    """A cursor of another tenant and an invalid cursor get the same response."""
    cursor = client.get("/Users?cursor&count=2").body["nextCursor"]
    other = client.of_tenant("other")
    assert other.get(f"/Users?cursor={cursor}").body == other.get("/Users?cursor=nonsense").body


@pytest.mark.rfc("9865-2-11")
def test_a_negative_count(client: Client) -> None:
    """A negative count is read as 0: the response has the total and no resource."""
    for count in ("-1", "0"):
        body = client.get(f"/Users?cursor&count={count}").body
        assert (body["totalResults"], body["Resources"]) == (5, [])


@pytest.mark.rfc("9865-2.1-4")
def test_the_count_of_later_pages(client: Client) -> None:
    """Later pages use the count of the first page. Another count is refused with 400 invalidCount."""
    cursor = client.get("/Users?cursor&count=2").body["nextCursor"]
    assert client.get(f"/Users?cursor={cursor}").body["itemsPerPage"] == 2
    assert client.get(f"/Users?cursor={cursor}&count=2").body["itemsPerPage"] == 2
    assert client.get(f"/Users?cursor={cursor}&count=3").body["scimType"] == "invalidCount"
    assert client.get("/Users?cursor&count=1001").body["scimType"] == "invalidCount"


@pytest.mark.rfc("9865-5.2-4")
@pytest.mark.parametrize("query", ["", "sortBy=userName&"])
def test_after_a_change_of_permissions(query: str) -> None:
    """A cursor over several resource types continues with the types that the client may search now.

    The total counts only these types.
    """
    allowed = {"User", "Group"}
    client = Client(dialect=STRICT, authorize=lambda access: access.resource_type in allowed)
    for number in range(3):
        client.user(f"u{number}")
    groups = [client.group(f"g{number}") for number in range(3)]
    cursor = client.get(f"/?{query}cursor&count=4").body["nextCursor"]
    for left, expected in (({"Group"}, groups[1:]), ({"User"}, [])):
        allowed.clear()
        allowed.update(left)
        body = client.get(f"/?{query}cursor={cursor}").body
        assert [each["id"] for each in body["Resources"]] == expected
        assert body["totalResults"] == 3


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_resources_that_move_between_pages(client: Client, order: str) -> None:
    """Resources that do not change are returned once, even if others change their position between the pages."""
    stay = {client.user(f"s{number}", title=f"m{number}") for number in range(6)}
    move = [client.user(f"m{number}", title=f"a{number}") for number in range(6)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        body = client.get(f"/Users?sortBy=title&sortOrder={order}&filter=title pr&count=2&cursor={cursor}").body
        seen += [each["id"] for each in body["Resources"]]
        cursor = body.get("nextCursor")
        mover = move[len(seen) // 2 % len(move)]
        client.patch(f"/Users/{mover}", {"op": "replace", "path": "title", "value": "az"[len(seen) // 2 % 2]})
    assert sorted(each for each in seen if each in stay) == sorted(stay)
