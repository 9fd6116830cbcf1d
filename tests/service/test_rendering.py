"""Rendering of documents: locations and references."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from scimkit import GROUP, USER
from scimkit.schema.projection import Projection
from scimkit.service.rendering import Renderer, list_response
from tests.client import ENTERPRISE

BASE = "https://help.example.org/scim/v2"
META = {"resourceType": "User", "version": 'W/"1"'}
DOCUMENT: dict[str, Any] = {
    "id": "1",
    "userName": "ada",
    "password": "t1meMa$heen",
    "groups": [{"value": "g", "display": "Engineers"}],
    ENTERPRISE: {"department": "Engines", "manager": {"value": "2"}},
    "meta": META,
}
GROUP_DOCUMENT: dict[str, Any] = {
    "id": "g",
    "displayName": "Engineers",
    "members": [{"value": "1", "type": "User"}, {"value": "h", "type": "Group"}, {"value": "x"}],
    "meta": {"resourceType": "Group"},
}


def render(document: dict[str, Any], attributes: tuple[str, ...] = (), excluded: tuple[str, ...] = ()) -> Any:
    kind = GROUP if document is GROUP_DOCUMENT else USER
    return Renderer(kind, (USER, GROUP)).render(document, Projection(kind, attributes, excluded), BASE)


def test_location() -> None:
    """`meta.location` is the URL of the resource."""
    assert render(DOCUMENT)["meta"] == {**META, "location": f"{BASE}/Users/1"}
    assert Renderer(GROUP, (USER, GROUP)).location("g", BASE) == f"{BASE}/Groups/g"


def test_references() -> None:
    """A value that refers to a resource of one known type has `$ref`, in extensions too."""
    assert render(DOCUMENT)["groups"][0]["$ref"] == f"{BASE}/Groups/g"
    assert render(DOCUMENT)[ENTERPRISE]["manager"]["$ref"] == f"{BASE}/Users/2"


def test_references_of_members() -> None:
    """The `type` of a member determines its `$ref`. A member without `type` has no `$ref`."""
    references = [each.get("$ref") for each in render(GROUP_DOCUMENT)["members"]]
    assert references == [f"{BASE}/Users/1", f"{BASE}/Groups/h", None]


def test_a_type_that_is_not_served_has_no_reference() -> None:
    """`$ref` never refers to an endpoint that the service does not have."""
    rendered = Renderer(USER, (USER,)).render(DOCUMENT, Projection(USER, (), ()), BASE)
    assert rendered["groups"] == DOCUMENT["groups"]


def test_the_document_stays() -> None:
    """Rendering does not change the document, because a store may keep it."""
    before = deepcopy(DOCUMENT)
    render(DOCUMENT)
    assert before == DOCUMENT


def test_a_password_is_never_rendered() -> None:
    """A password that a store returns by mistake is not rendered, not even on request."""
    assert "password" not in render(DOCUMENT)
    assert "password" not in render(DOCUMENT, ("password", "userName"))


def test_projection_of_meta() -> None:
    """`meta.location` is present if meta or `meta.location` is requested, but not with other parts of meta only."""
    assert render(DOCUMENT, ("meta",))["meta"]["location"] == f"{BASE}/Users/1"
    assert render(DOCUMENT, ("meta.location", "meta.version"))["meta"]["location"] == f"{BASE}/Users/1"
    assert render(DOCUMENT, ("meta.version",))["meta"] == {"version": 'W/"1"'}
    assert "location" not in render(DOCUMENT, (), ("meta.location",))["meta"]
    assert "meta" not in render(DOCUMENT, (), ("meta",))


def test_list_response() -> None:
    """A ListResponse always has `Resources`, and states its page (RFC 7644 section 3.4.2)."""
    assert list_response([], 0, 1) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 0,
        "startIndex": 1,
        "itemsPerPage": 0,
        "Resources": [],
    }
