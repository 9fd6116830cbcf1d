"""Sensitive filters that may not be part of a URI (RFC 7644 section 7.5.2)."""

from __future__ import annotations

import pytest

from scimkit import STRICT, Limits
from tests.client import ENTERPRISE, ERROR, USER, Client

SEARCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}


@pytest.fixture
def client() -> Client:
    """Return a client of a service with sensitive names, numbers and departments."""
    return Client(limits=Limits(sensitive=("name", "phoneNumbers.value", f"{ENTERPRISE}:department")))


@pytest.mark.rfc("7644-7.5.2-2")
@pytest.mark.parametrize(
    "filter_text",
    [
        'name.familyName eq "King"',
        "NAME.givenName pr",
        f'{USER}:name.familyName eq "King"',
        'active eq true and not (phoneNumbers.value co "555")',
        "phoneNumbers pr",
        'phoneNumbers[type eq "work"]',
        f'{ENTERPRISE}:department eq "Care"',
        f"{ENTERPRISE} pr",
    ],
)
def test_sensitive_filters_are_refused(client: Client, filter_text: str) -> None:
    """A filter in a URI that names a sensitive attribute, its parent or its sub-attribute gets 403 `sensitive`."""
    ada = client.user("ada", name={"familyName": "King"})
    for path in ("/Users", f"/Users/{ada}", ""):
        answer = client.get(f"{path}?filter={filter_text}")
        assert (answer.status, answer.body["schemas"], answer.body["scimType"]) == (403, [ERROR], "sensitive")
        assert "POST" in answer.body["detail"]
        assert "King" not in answer.body["detail"]


def test_other_filters_are_served(client: Client) -> None:
    """Filters in a URI on other attributes, and on other sub-attributes of the same parent, are served."""
    client.user("ada", name={"familyName": "King"}, phoneNumbers=[{"value": "555", "type": "work"}])
    for text in ('userName eq "ada"', 'phoneNumbers.type eq "work"', f"not ({ENTERPRISE}:division pr)"):
        assert client.get(f"/Users?filter={text}").body["totalResults"] == 1


def test_sensitive_filters_are_served_by_post(client: Client) -> None:
    """The same filters are served in the body of `POST .search`, for one resource type and for all."""
    client.user("ada", name={"familyName": "King"})
    for path in ("/Users/.search", "/.search"):
        answer = client.post(path, {**SEARCH, "filter": 'name.familyName eq "King"'})
        assert (answer.status, answer.body["totalResults"]) == (200, 1)


def test_a_path_that_a_quirk_rewrites_is_sensitive_too() -> None:
    """A path that a quirk rewrites to a sensitive attribute is refused too."""
    client = Client(limits=Limits(sensitive=(f"{ENTERPRISE}:department",)))
    client.user("ada", **{ENTERPRISE: {"department": "Care"}})
    assert client.get(f'/Users?filter={ENTERPRISE}.department eq "Care"').status == 403


def test_strict_names_the_clause() -> None:
    """The strict dialect adds the section of the RFC to the detail."""
    client = Client(limits=Limits(sensitive=("name",)), dialect=STRICT)
    assert "section 7.5.2" in client.get("/Users?filter=name.familyName pr").body["detail"]


def test_a_name_that_no_type_has_is_a_mistake() -> None:
    """An unknown attribute in `Limits.sensitive` raises ValueError, so that a typing error is noticed."""
    with pytest.raises(ValueError, match="surname"):
        Client(limits=Limits(sensitive=("name.surname",)))
