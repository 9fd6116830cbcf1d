"""Filters that a URI may not have, since others see URIs (RFC 7644 section 7.5.2)."""

from __future__ import annotations

import pytest

from scimkit import STRICT, Limits
from tests.client import ENTERPRISE, ERROR, USER, Client

SEARCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}


@pytest.fixture
def client() -> Client:
    """A service whose host holds names, private numbers and departments too sensitive for URIs."""
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
    """A filter in a URI that names a sensitive attribute, a part of it or what it is part of, is 403 `sensitive`."""
    ada = client.user("ada", name={"familyName": "King"})
    for path in ("/Users", f"/Users/{ada}", ""):
        answer = client.get(f"{path}?filter={filter_text}")
        assert (answer.status, answer.body["schemas"], answer.body["scimType"]) == (403, [ERROR], "sensitive")
        assert "POST" in answer.body["detail"]
        assert "King" not in answer.body["detail"]


def test_what_is_not_sensitive_is_served(client: Client) -> None:
    """Other attributes, and others of the same parent, are looked up by URI as before."""
    client.user("ada", name={"familyName": "King"}, phoneNumbers=[{"value": "555", "type": "work"}])
    for text in ('userName eq "ada"', 'phoneNumbers.type eq "work"', f"not ({ENTERPRISE}:division pr)"):
        assert client.get(f"/Users?filter={text}").body["totalResults"] == 1


def test_they_are_sent_with_post(client: Client) -> None:
    """The same filter in a body is answered, on the type and on all of them."""
    client.user("ada", name={"familyName": "King"})
    for path in ("/Users/.search", "/.search"):
        answer = client.post(path, {**SEARCH, "filter": 'name.familyName eq "King"'})
        assert (answer.status, answer.body["totalResults"]) == (200, 1)


def test_a_path_that_a_quirk_puts_right_is_sensitive_too() -> None:
    """What a filter means is looked at, not how it is spelt."""
    client = Client(limits=Limits(sensitive=(f"{ENTERPRISE}:department",)))
    client.user("ada", **{ENTERPRISE: {"department": "Care"}})
    assert client.get(f'/Users?filter={ENTERPRISE}.department eq "Care"').status == 403


def test_strict_names_the_clause() -> None:
    """As for every refusal, `strict` says what was broken."""
    client = Client(limits=Limits(sensitive=("name",)), dialect=STRICT)
    assert "section 7.5.2" in client.get("/Users?filter=name.familyName pr").body["detail"]


def test_a_name_that_no_type_has_is_a_mistake() -> None:
    """A typing error in the settings leaves nothing unprotected."""
    with pytest.raises(ValueError, match="surname"):
        Client(limits=Limits(sensitive=("name.surname",)))
