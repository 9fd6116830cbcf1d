"""Mappings with `complete`, whose entries map every element of a multi-valued attribute, and with a `rest` column."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from scimkit import USER, Query, Scope, filters
from scimkit.errors import InvalidFilter
from scimkit.testing import reference
from tests.client import Client
from tests.stores.databases import DATABASES
from tests.stores.mapped.helpdesk import AGENTS, Agent, account, helpdesk_of, sessions_of

COMPLETE = replace(AGENTS, complete=["emails"])
WORK = {"type": "work", "value": "ada@example.org", "primary": True}
HOME = {"type": "home", "value": "Ada@home.example"}


def client_of(database: str = "sqlite", mapped: Any = COMPLETE) -> Client:
    """Return a client of a service over the helpdesk's agents."""
    return Client(store=helpdesk_of(database, (mapped,)), tenant=account())


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("text", [
    'emails eq "ada@example.org"', 'emails.value eq "ADA@EXAMPLE.ORG"', 'emails eq "ada@home.example"',
    'emails.value co "example"', "emails pr", "not (emails pr)", 'emails.value ne "ada@example.org"',
    'emails[value ew "example"]', 'emails[type eq "home" and value pr]', 'emails.type eq "home"', 'emails[type pr]',
])  # fmt: skip
def test_a_filter_on_every_element_is_answered(database: str, text: str) -> None:
    """The columns answer a filter on `emails` with the same result as an evaluation of the documents."""
    client = client_of(database)
    for name, emails in (("a", [WORK, HOME]), ("b", [HOME]), ("c", []), ("d", [{**WORK, "value": "d@example.org"}])):
        assert client.post("/Users", {"userName": name, "emails": emails, "nickName": name}).status == 201
    documents = client.get("/Users").body["Resources"]
    found = client.get(f"/Users?filter={quote(text)}").body["Resources"]
    node = filters.parse(text).node
    wanted = [each["userName"] for each in documents if reference.matches(USER, each, node)]
    assert [each["userName"] for each in found] == wanted
    assert all(each["nickName"] == each["userName"] for each in documents)


def test_a_sub_attribute_in_the_rest_is_refused() -> None:
    """A filter by a sub-attribute that is only in the `rest` column is refused."""
    store = helpdesk_of("sqlite", (COMPLETE,))
    for text in ("emails.primary eq true", 'emails.display eq "Ada"', 'emails[type eq "home" and primary eq true]'):
        with pytest.raises(InvalidFilter):
            store.search(Scope(account()), Query(USER, filters.parse(text)))


def test_element_without_entry_is_dropped_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    """An e-mail address of a type without an entry is dropped and reported in the log and in each response."""
    client = client_of()
    assert "emails[...]" in caplog.text
    caplog.set_level(logging.INFO, "scimkit")
    other = {"type": "other", "value": "x@example.org"}
    ada = {"schemas": [USER.schema], "userName": "ada"}
    made = client.post("/Users", {**ada, "emails": [{**WORK, "display": "Ada"}, other]})
    assert made.body["emails"] == [{**WORK, "display": "Ada"}]
    assert made.quirks == ("attribute-not-kept:emails",)
    assert client.put(f"/Users/{made.id}", {**ada, "emails": [WORK, HOME]}).quirks == ()
    added = {"op": "add", "path": "emails", "value": [other]}
    assert client.patch(f"/Users/{made.id}", added).quirks == ("attribute-not-kept:emails",)
    assert client.patch(f"/Users/{made.id}", {"op": "replace", "path": "nickName", "value": "A"}).quirks == ()


def test_element_of_an_earlier_mapping_is_not_returned() -> None:
    """An e-mail address from an earlier mapping in the `rest` column is not returned."""
    tenant = account()
    with sessions_of("sqlite").begin() as session:
        extra = {"emails": [{"$slot": 'type eq "work"', "display": "A"}, {"type": "other", "value": "x@example.org"}]}
        session.add(Agent(account=tenant, login="ada", email="ada@example.org", scim_extra=extra))
    documents = helpdesk_of("sqlite", (COMPLETE,)).search(Scope(tenant), Query(USER)).documents
    assert documents[0]["emails"] == [{**WORK, "display": "A"}]
    assert len(helpdesk_of("sqlite", (AGENTS,)).search(Scope(tenant), Query(USER)).documents[0]["emails"]) == 2


@pytest.mark.parametrize("name", ["nothing", "emails.value", "phoneNumbers", "title", "userName"])
def test_complete_names_mapped_multi_valued_attributes(name: str) -> None:
    """A name in `complete` that is not a mapped multi-valued attribute is refused with a ValueError."""
    with pytest.raises(ValueError, match=f"User: complete: '{name}' must be a multi-valued attribute"):
        helpdesk_of("sqlite", (replace(AGENTS, complete=[name]),))
