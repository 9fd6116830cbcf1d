"""Pages whose documents go from the database to the response as text: the same response as from parsed documents."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit import GROUP, USER, Query, ResourceType, Scope
from scimkit.documents import write_json
from scimkit.schema.projection import Projection
from scimkit.service.rendering import Renderer, list_response
from scimkit.service.unparsed_rendering import list_body, render_page
from scimkit.stores.metadata import meta_of
from scimkit.stores.unparsed_documents import Unparsed, UnparsedDocuments, group_entry
from scimkit.testing.strategies import documents
from tests.client import BASE_URL, ENTERPRISE, Client
from tests.resource_types import DEVICE
from tests.stores.databases import DATABASES, apart, store_of

on_postgresql = pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])
GROUPS = st.lists(st.tuples(st.text(min_size=1), st.none() | st.text()), max_size=2)
PARAMETERS: Sequence[tuple[tuple[str, ...], tuple[str, ...]]] = (
    ((), ()), (("userName", "label"), ()), ((), ("emails", "parts")), ((), ("meta",)), ((), ("groups",)),
    ((), ("meta.location",)), ((), ("name.givenName", "site.city")), (("notes",), ()),
)  # fmt: skip


def page_of(resource_type: ResourceType, kept: Sequence[tuple[Any, Any]]) -> UnparsedDocuments:
    """Return a page of documents with their groups, as a store returns it."""
    times = b"2026-11-30T10:00:00Z", b"2026-11-30T11:00:00.5Z"

    def parse(it: Unparsed) -> dict[str, Any]:
        document = json.loads(it.text)
        created, modified = it.created.decode(), it.modified.decode()
        document["meta"] = meta_of(resource_type, created=created, modified=modified, version=it.version)
        if it.groups:
            document["groups"] = [group_entry(*each) for each in it.groups]
        return document

    rows = []
    for number, (document, groups) in enumerate(kept, 1):
        id = f"id/{number}" if number % 2 else f"id-{number}"
        pairs = [(each.encode(), None if name is None else name.encode()) for each, name in groups]
        rows.append(Unparsed(id, number, *times, write_json({**document, "id": id}), pairs))
    return UnparsedDocuments(rows, parse)


def rendered(resource_type: ResourceType, page: UnparsedDocuments, projection: Projection) -> list[Any]:
    return render_page(page, Renderer(resource_type, (USER, GROUP, DEVICE)), projection, BASE_URL)


@pytest.mark.parametrize("resource_type", [USER, DEVICE], ids=lambda each: each.name)
@given(data=st.data())
def test_the_text_is_the_same_as_from_parsed_documents(resource_type: ResourceType, data: st.DataObject) -> None:
    """For any documents, groups and projection, the response is the one of the documents as objects."""
    groups = GROUPS if resource_type is USER else st.just([])
    kept = data.draw(st.lists(st.tuples(documents(resource_type), groups), max_size=4))
    projection = Projection(resource_type, *data.draw(st.sampled_from(PARAMETERS)))
    page, renderer = page_of(resource_type, kept), Renderer(resource_type, (USER, GROUP, DEVICE))
    objects = [renderer.render(each, projection, BASE_URL) for each in page]
    body = list_body(rendered(resource_type, page, projection), len(kept), 1, nextCursor="abc")
    assert json.loads(body) == json.loads(write_json(list_response(objects, len(kept), 1) | {"nextCursor": "abc"}))


PLAIN: Mapping[str, Any] = {"schemas": [USER.schema], "userName": "ada", "emails": [{"value": "a@example.org"}]}


def test_a_plain_document_is_not_parsed() -> None:
    """The text of a document without references becomes part of the response, also if it has groups."""
    page = page_of(USER, [(PLAIN, []), (PLAIN, [("g", "Agents")])])
    found = rendered(USER, page, Projection(USER, (), ()))
    assert [type(each) for each in found] == [bytes, bytes]
    assert json.loads(found[0])["meta"] == {
        "resourceType": "User", "created": "2026-11-30T10:00:00Z", "lastModified": "2026-11-30T11:00:00.5Z",
        "version": 'W/"1"', "location": f"{BASE_URL}/Users/id%2F1",
    }  # fmt: skip
    group = {"value": "g", "type": "direct", "display": "Agents", "$ref": f"{BASE_URL}/Groups/g"}
    assert json.loads(found[1])["groups"] == [group]


@pytest.mark.parametrize("more", [
    {"password": "t1meMa$heen"}, {"groups": [{"value": "g"}]}, {"meta": {"location": "https://elsewhere.example"}},
    {ENTERPRISE: {"manager": {"value": "2"}}},
])  # fmt: skip
def test_a_document_that_a_response_changes_is_parsed(more: dict[str, Any]) -> None:
    """A value that must not be returned as it is stored never reaches a response as text."""
    page, projection = page_of(USER, [(PLAIN, []), ({**PLAIN, **more}, [])]), Projection(USER, (), ())
    plain, changed = rendered(USER, page, projection)
    assert type(plain) is bytes
    assert changed == Renderer(USER, (USER, GROUP, DEVICE)).render(page[1], projection, BASE_URL)
    assert "password" not in changed
    assert "elsewhere" not in str(changed)


def test_a_name_in_escapes_is_found() -> None:
    """A stored text with escapes is parsed, because the name of an attribute could be escaped."""
    row = page_of(USER, [(PLAIN, [])]).unparsed[0]
    text = row.text[:-1] + b',"passw\\u006frd":"t1meMa$heen"}'
    page = UnparsedDocuments([row._replace(text=text)], lambda it: json.loads(it.text) | {"meta": {}})
    assert "password" not in rendered(USER, page, Projection(USER, (), ()))[0]


def test_a_page_reads_as_a_list() -> None:
    """Code that wraps a store reads the documents of a page as a sequence. Each document is parsed once."""
    page = page_of(USER, [(PLAIN, []), (PLAIN, [])])
    assert len(page) == 2
    assert page[0]["id"] == "id/1"
    assert page[0] is next(iter(page))
    assert [each["id"] for each in page[1:]] == ["id-2"]
    assert page == list(page)
    assert page != list(page)[:1]


@on_postgresql
def test_a_page_over_a_database_is_text(database: str) -> None:
    """`SqlStore` returns pages as text, and a service shows them as it shows single resources."""
    client = Client(apart(database))
    ada = client.user("ada", name={"givenName": 'Ada "A"'}, **{ENTERPRISE: {"department": "Zo\u00eb"}})
    bob = client.user("bob", **{ENTERPRISE: {"manager": {"value": ada}}})
    client.group("Agents", ada, bob)
    expected = [client.get(f"/Users/{id}").body for id in (ada, bob)]
    assert "$ref" in expected[1][ENTERPRISE]["manager"]
    for query in ("", "?count=2", "?count=2&cursor=", '?filter=userName eq "ada"&count=5'):
        found = client.get(f"/Users{query}").body
        assert found["Resources"] == (expected[:1] if "filter" in query else expected)
        assert found["itemsPerPage"] == len(found["Resources"])
        assert list(found)[-1] == "Resources"
    assert client.get("/?count=2").body["Resources"] == expected
    names = client.get("/Users?attributes=userName&count=2").body["Resources"]
    assert [set(each) for each in names] == [{"schemas", "id", "userName"}] * 2
    tenant = f"text-{os.urandom(4).hex()}"
    store_of(database).create(Scope(tenant), USER, PLAIN)
    page = store_of(database).search(Scope(tenant), Query(USER))
    assert type(page.documents) is UnparsedDocuments
