"""Search with `GET` and `POST .search`: pages, order and projection (RFC 7644 sections 3.4.2 and 3.4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit import STRICT, Limits
from tests.client import BASE_URL, ENTERPRISE, USER, Client

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


@pytest.mark.rfc("7644-3.4.2-1", "7644-3.4.2-3", "7644-3.4.2-4", "7644-3.4.2.4-1", "7644-3.4.2.4-3")
def test_pages(client: Client) -> None:
    """Pages count from 1 in a stable order. Out-of-range values are clamped, and no match is an empty list."""
    ids = [client.user(f"user{number}") for number in range(5)]
    page = client.get("/Users?startIndex=2&count=2").body
    assert page["schemas"] == [LIST]
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, 2, 2)
    assert [each["id"] for each in page["Resources"]] == ids[1:3]
    for query, expected in (("startIndex=0", ids), ("startIndex=-3&count=2", ids[:2]), ("startIndex=6", []),
                            ("count=0", []), ("count=-1", []), ("startindex=5&COUNT=9", ids[4:])):  # fmt: skip
        answer = client.get(f"/Users?{query}")
        assert answer.status == 200
        assert [each["id"] for each in answer.body["Resources"]] == expected
        assert answer.body["totalResults"] == 5
    assert client.get("/Users?count=x").body["scimType"] == "invalidValue"
    empty = client.get('/Users?filter=userName eq "nobody"').body
    assert (empty["totalResults"], empty["Resources"]) == (0, [])


@pytest.mark.rfc("7644-3.4.2.4-4", "9865-2-3")
def test_the_page_size_has_a_limit() -> None:
    """A count above the limit is lowered to the limit, and the limit is announced."""
    client = Client(limits=Limits(page=3, default_page=2))
    for number in range(5):
        client.user(f"user{number}")
    assert client.get("/Users?count=100").body["itemsPerPage"] == 3
    assert client.get("/Users").body["itemsPerPage"] == 2
    assert client.get("/ServiceProviderConfig").body["filter"]["maxResults"] == 3


@pytest.mark.rfc("7644-3.9-1", "7644-3.9-3", "7644-3.9-4", "7644-3.10-1", "7644-3.4.2.5-1", "7644-3.4.2.5-2")
def test_projection(client: Client) -> None:
    """`attributes` and `excludedAttributes` select the returned attributes; `id` and `schemas` are always returned."""
    ada = client.user("ada", name={"givenName": "Ada", "familyName": "King"}, **{ENTERPRISE: {"department": "Care"}})
    group = client.group("Agents", ada)
    body = client.get(f"/Users/{ada}?attributes=name.familyName,{ENTERPRISE}:department").body
    assert body == {
        "schemas": [USER, ENTERPRISE],
        "id": ada,
        "name": {"familyName": "King"},
        ENTERPRISE: {"department": "Care"},
    }
    assert set(client.get(f"/Users/{ada}?attributes=userName").body) == {"schemas", "id", "userName"}
    assert "members" not in client.get(f"/Groups/{group}?excludedAttributes=members").body
    assert "members" not in client.get("/Groups?excludedAttributes=MEMBERS").body["Resources"][0]
    assert set(client.post("/Users?attributes=id", {"schemas": [USER], "userName": "x"}).body) == {"schemas", "id"}
    assert client.get(f"/Users/{ada}?attributes=meta.location").body["meta"] == {"location": f"{BASE_URL}/Users/{ada}"}


@pytest.mark.rfc("7644-3.4.2-6", "7644-3.4.2.1-2", "7644-3.4.3-1", "7644-7.5.2-1", "7644-3.4.3-5", "7644-3.4.2.1-4")
def test_search(client: Client) -> None:
    """`POST .search` takes the parameters of a GET in its body, for one resource type and for all."""
    ada = client.user("ada", displayName="B")
    group = client.group("A", ada)
    request = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}
    found = client.post("/Users/.search", {**request, "filter": 'userName eq "ada"', "attributes": ["userName"]}).body
    assert found["Resources"] == [{"schemas": [USER], "id": ada, "userName": "ada"}]
    all_attributes = client.post("/.search", request).body
    assert [each["id"] for each in all_attributes["Resources"]] == [ada, group]
    both = {**request, "filter": "displayName pr", "sortBy": "displayName", "sortOrder": "ascending"}
    assert [each["id"] for each in client.post("/.search", both).body["Resources"]] == [group, ada]
    assert client.get('/?filter=userName eq "ada"').body["totalResults"] == 1
    assert client.get("/?filter=members pr&startIndex=1&count=1").body["totalResults"] == 1
    assert client.get("/?filter=nosuch pr").body["scimType"] == "invalidFilter"
    assert [each["id"] for each in client.get("/?startIndex=2&count=5").body["Resources"]] == [group]


@pytest.mark.rfc("7644-3.4.2.3-1", "7644-3.4.2.3-2", "7644-3.4.2.3-3", "7644-3.4.2.3-4")
def test_sorting(client: Client) -> None:
    """Sorting follows the case rule of the attribute.

    Resources without a value are last ascending, and first descending.
    """
    names = {name: client.user(name, **({} if title is None else {"title": title})) for name, title in
             (("c", "beta"), ("a", None), ("b", "Alpha"), ("d", "beta"))}  # fmt: skip

    def order(query: str) -> str:
        found = [each["id"] for each in client.get(f"/Users?{query}").body["Resources"]]
        return "".join(name for id in found for name, each in names.items() if each == id)

    assert order("sortBy=title") == "bcda"
    assert order("sortBy=title&sortOrder=descending") == "acdb"
    assert order("sortBy=userName&startIndex=2&count=2") == "bc"
    assert order("sortBy=emails") == "cabd"
    for unknown in ("nosuch", "password", "meta.location", "members"):
        assert client.get(f"/Users?sortBy={unknown}").body["scimType"] == "invalidPath"
    assert client.get("/Users?sortBy=title&sortOrder=up").status == 400


def names(body: Mapping[str, Any]) -> list[str]:
    """Return the names of the resources of a list."""
    return [each.get("userName") or each["displayName"] for each in body["Resources"]]


@pytest.mark.rfc("7644-3.4.2-2")
def test_a_page_of_matches(client: Client) -> None:
    """`totalResults` counts all matches, and the page has some of them, in the order of creation."""
    for number in range(6):
        client.user(f"user{number}", title="odd" if number % 2 else "even")
    body = client.get('/Users?filter=title+eq+"odd"&startIndex=2&count=1').body
    assert (body["totalResults"], body["itemsPerPage"], body["startIndex"]) == (3, 1, 2)
    assert names(body) == ["user3"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('userName eq "ADA"', ["ada"]),
        ('userName eq "nobody"', []),
        ('emails[type eq "work" and value co "@example.org"]', ["ada"]),
        ("not (active eq true)", ["bob"]),
        ('userName sw "a" or userName sw "b"', ["ada", "bob"]),
        (f'{ENTERPRISE}:department eq "Engines"', ["ada"]),
        ("groups pr", ["ada"]),
        ('meta.resourceType eq "User" and id pr', ["ada", "bob"]),
    ],
)
@pytest.mark.rfc("7644-3.4.2-5", "7644-3.4.2.2-1", "7644-3.4.2.2-7", "7644-3.10-3", "7644-3.4.2.2-16")
def test_filters(client: Client, text: str, found: list[str]) -> None:
    """A filter finds the matching resources; no match is an empty list."""
    emails = [{"type": "work", "value": "ada@example.org"}]
    ada = client.user("ada", active=True, emails=emails, **{ENTERPRISE: {"department": "Engines"}})
    client.user("bob", active=False)
    client.group("Staff", ada)
    answer = client.get(f"/Users?filter={quote(text)}")
    assert (answer.status, names(answer.body)) == (200, found)
    assert answer.body["totalResults"] == len(found)


@pytest.mark.parametrize(
    "text", ["userName", "userName eq", 'userName is "x"', 'shoeSize eq "9"', 'password eq "x"', "active gt true", "("]
)
@pytest.mark.rfc(
    "7643-7-7", "7644-3.4.2.2-5", "7644-3.4.2.2-9", "7644-3.4.2.2-15", "7644-3.12-2", "7643-4.1.1-6", "7644-3.4.2.2-18"
)
def test_a_filter_that_cannot_be_served(client: Client, text: str) -> None:
    """A filter that cannot be applied gets 400 invalidFilter, never a longer list."""
    client.user("ada")
    for answer in (
        client.get(f"/Users?filter={quote(text)}"),
        client.get(f"/?filter={quote(text)}"),
        client.post("/Users/.search", {"schemas": [SEARCH], "filter": text}),
    ):
        assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter")


@pytest.mark.rfc("7643-3.1-2", "7643-7-6", "7644-3.9-2")
def test_projection_of_lists(client: Client) -> None:
    """`attributes` and `excludedAttributes` apply to every resource of a list. Unknown names are ignored."""
    client.user("ada", title="Countess", displayName="Ada")
    for query, shown in (
        ("attributes=userName,title,shoeSize", {"userName", "title"}),
        ("excludedAttributes=title,meta,id,schemas", {"userName", "displayName"}),
        ("attributes=shoeSize", set()),
        ("attributes=title&excludedAttributes=title", set()),
    ):
        resource = client.get(f"/Users?{query}").body["Resources"][0]
        assert set(resource) == {"schemas", "id"} | shown


@pytest.mark.parametrize("endpoint", ["", "/Users"])
@given(start=st.integers(-3, 12), count=st.integers(-3, 12), sort=st.sampled_from([None, "displayName", "id"]))
@pytest.mark.rfc("7644-3.4.2.4-2", "7644-3.4.3-3")
def test_any_page(endpoint: str, start: int, count: int, sort: str | None) -> None:
    """A page is the requested slice of the full list, for one or several resource types, in any order."""
    client = PAGED
    parameters: dict[str, Any] = {} if sort is None else {"sortBy": sort, "sortOrder": "descending"}
    whole = client.get(f"{endpoint}/?{urlencode(parameters)}").body
    page = client.get(f"{endpoint}/?{urlencode({**parameters, 'startIndex': start, 'count': count})}").body
    first = max(start, 1) - 1
    assert page["Resources"] == whole["Resources"][first : first + max(count, 0)]
    assert page["totalResults"] == whole["totalResults"] == len(whole["Resources"])
    assert page["startIndex"] == first + 1
    searched = client.post(
        f"{endpoint}/.search", {"schemas": [SEARCH], **parameters, "startIndex": start, "count": count}
    )
    assert searched.body == page


def _paged() -> Client:
    client = Client()
    users = [client.user(f"user{number}", displayName=f"Name {number % 3}") for number in range(5)]
    for number in range(4):
        client.group(f"Name {number}", users[number])
    return client


PAGED = _paged()


class TestSearchRequest:
    """The body of `POST .search`."""

    @pytest.mark.parametrize(
        "members",
        [{"count": "five"}, {"startIndex": 1.5}, {"filter": 5}, {"attributes": True}, {"attributes": [5]},
         {"sortBy": []}, {"count": True}, {"excludedAttributes": {}}],
    )  # fmt: skip
    def test_wrong_types(self, client: Client, members: dict[str, Any]) -> None:
        """A parameter of the wrong type is refused."""
        answer = client.post("/Users/.search", {"schemas": [SEARCH], **members})
        assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")

    @pytest.mark.parametrize("count", [10**17, 10**30])
    def test_numbers_out_of_range(self, client: Client, count: int) -> None:
        """A page that begins past the end is empty, no matter how far. A negative count means 0."""
        client.user("ada")
        for members in ({"startIndex": count}, {"count": -count}):
            answer = client.post("/Users/.search", {"schemas": [SEARCH], **members})
            assert (answer.status, answer.body["totalResults"], answer.body["Resources"]) == (200, 1, [])
        assert client.get(f"/Users?startIndex={count}").body["Resources"] == []
        assert client.get(f"/Users?count={count}").body["itemsPerPage"] == 1

    def test_names_are_case_insensitive_and_null_is_absent(self, client: Client) -> None:
        """Parameter names are case-insensitive, and null counts as absent."""
        client.user("ada")
        body = {"SCHEMAS": [SEARCH], "FILTER": 'userName eq "ada"', "count": None, "sortBy": None}
        assert client.post("/Users/.search", body).body["totalResults"] == 1

    @pytest.mark.rfc("7644-3.4.3-2")
    def test_tolerance(self, client: Client) -> None:
        """Tolerant dialects serve a body without its schema URN, or with unknown names; strict refuses it."""
        strict = Client(dialect=STRICT)
        for body, quirk in (({"count": 1}, "no-message-schema"), ({"schemas": [SEARCH], "x": 1}, "extra-members")):
            assert client.post("/Users/.search", body).quirks == (quirk,)
            answer = strict.post("/Users/.search", body)
            assert (answer.status, answer.body["scimType"]) == (400, "invalidSyntax")

    def test_it_stores_nothing(self, client: Client) -> None:
        """A search by POST creates no resource."""
        client.post("/Users/.search", {"schemas": [SEARCH, USER], "userName": "ada"})
        assert client.get("/").body["totalResults"] == 0


class TestSeveralTypes:
    """Search at the root, over all resource types as one collection."""

    @pytest.mark.rfc("7644-3.4.2.1-1")
    def test_a_type_without_the_attribute(self, client: Client) -> None:
        """An attribute that a resource type does not define counts as unassigned (RFC 7644 section 3.4.2.1)."""
        ada = client.user("ada", displayName="Ada")
        client.group("Staff", ada)
        for text, found in (
            ('userName eq "ada"', ["ada"]),
            ("members pr", ["Staff"]),
            ("not (userName pr)", ["Staff"]),
            ('userName ne "x"', ["ada", "Staff"]),
            ("userName pr and members pr", []),
            ("userName pr or members pr", ["ada", "Staff"]),
        ):
            assert names(client.get(f"/?filter={quote(text)}").body) == found

    def test_locations_by_type(self, client: Client) -> None:
        """Every resource has the location of its own endpoint."""
        ada, staff = client.user("ada"), client.group("Staff")
        locations = [each["meta"]["location"] for each in client.get("/").body["Resources"]]
        assert locations == [f"{BASE_URL}/Users/{ada}", f"{BASE_URL}/Groups/{staff}"]

    def test_a_tenant_of_its_own(self, client: Client) -> None:
        """A search at the root lists only resources of the token's tenant."""
        client.user("ada")
        assert client.of_tenant("other").get("/").body["totalResults"] == 0


@pytest.mark.parametrize("text", ["meta.location pr", 'members.$ref eq "x"', "members[$ref pr]"])
def test_values_of_responses_cannot_be_filtered(client: Client, text: str) -> None:
    """A filter on `$ref` or `meta.location` is refused, because these values exist only in responses."""
    client.group("g")
    answer = client.get(f"/Groups?filter={text}")
    assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter")
    assert client.get("/Groups?sortBy=meta.location").status == 400
