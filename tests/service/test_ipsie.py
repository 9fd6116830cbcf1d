"""Tests that the requests of the IPSIE profile are served, and that access ends with a deactivation."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from scimkit.events import Refused, UserDeactivated, in_transaction
from scimkit.stores.sql import SqlStore
from tests.client import GROUP, Client
from tests.docs.tables import DOCS

OFF = {"op": "replace", "path": "active", "value": False}
ON = {"op": "replace", "path": "active", "value": True}


def found(client: Client, endpoint: str, text: str) -> list[str]:
    """Return the ids of the resources that a filter matches."""
    answer = client.get(f"{endpoint}?filter={quote(text)}")
    assert answer.status == 200, answer.body
    return [each["id"] for each in answer.body["Resources"]]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = SqlStore(f"sqlite:///{tmp_path}/scim.db")
    yield store
    store.engine.dispose()


def test_requests_of_al1(store: Any) -> None:
    """A user is found by each identifier, is deactivated and reactivated, and several attributes change in a PATCH."""
    client = Client(store)
    ada = client.user(
        "ada", externalId="E1", displayName="Ada", active=True, emails=[{"type": "work", "value": "ada@example.org"}]
    )
    client.user("bob", externalId="E2", emails=[{"type": "home", "value": "bob@example.org"}])
    for text in (
        'userName eq "ada"',
        'externalId eq "E1"',
        'emails[value eq "ada@example.org"]',
        'emails[type eq "work" and value eq "ada@example.org"]',
    ):
        assert found(client, "/Users", text) == [ada]
    names = [
        {"op": "replace", "path": "displayName", "value": "A."},
        {"op": "add", "path": "title", "value": "Countess"},
    ]
    assert client.patch(f"/Users/{ada}", OFF, *names).status == 200
    body = client.get(f"/Users/{ada}").body
    assert (body["active"], body["displayName"], body["title"]) == (False, "A.", "Countess")
    assert client.patch(f"/Users/{ada}", ON).status == 200
    assert client.get(f"/Users/{ada}").body["active"] is True


def test_requests_of_al2(store: Any) -> None:
    """An empty group is created, gets and loses 50 members in one PATCH each, and is found by each identifier."""
    client = Client(store)
    users = [client.user(f"user{number}") for number in range(50)]
    created = client.post("/Groups", {"schemas": [GROUP], "displayName": "Staff", "externalId": "G1"})
    assert created.status == 201
    group = created.id
    client.post("/Groups", {"schemas": [GROUP], "displayName": "Others", "externalId": "G2"})
    adds = [{"op": "add", "path": "members", "value": [{"value": user}]} for user in users]
    assert client.patch(f"/Groups/{group}", *adds).status < 300
    assert {each["value"] for each in client.get(f"/Groups/{group}").body["members"]} == set(users)
    for text in ('displayName eq "Staff"', 'externalId eq "G1"', f'members[value eq "{users[7]}"]'):
        assert found(client, "/Groups", text) == [group]
    listed = client.get("/Groups?excludedAttributes=members").body
    assert listed["totalResults"] == 2
    assert all("members" not in each for each in listed["Resources"])
    removes = [{"op": "remove", "path": f'members[value eq "{user}"]'} for user in users]
    assert client.patch(f"/Groups/{group}", *removes).status < 300
    assert "members" not in client.get(f"/Groups/{group}").body


def test_access_ends_with_the_deactivation(store: Any) -> None:
    """The recipe deletes sessions and keys of the user in the transaction, for a deactivation and for a DELETE."""
    recipe = runpy.run_path(str(DOCS / "examples" / "revoke_sessions.py"))
    tables = recipe["sessions"], recipe["api_keys"]
    recipe["metadata"].create_all(store.engine)
    refused = True

    def refuse(event: UserDeactivated) -> None:
        if refused:
            raise Refused("Not now.")

    client = Client(store, listeners=[*recipe["listeners"], in_transaction(UserDeactivated, lambda e, _: refuse(e))])
    users = {name: client.user(name, active=True) for name in ("ada", "bob", "eve")}
    with store.engine.begin() as connection:
        for table in tables:
            key = table.primary_key.columns[0].name
            connection.execute(sa.insert(table), [{key: name, "user_id": id} for name, id in users.items()])

    def owners() -> list[set[str]]:
        with store.engine.connect() as connection:
            return [set(connection.scalars(sa.select(table.c.user_id))) for table in tables]

    assert client.patch(f"/Users/{users['ada']}", OFF).status == 409
    assert owners() == [set(users.values())] * 2
    refused = False
    assert client.patch(f"/Users/{users['ada']}", OFF).status == 200
    assert owners() == [{users["bob"], users["eve"]}] * 2
    assert client.delete(f"/Users/{users['bob']}").status == 204
    assert owners() == [{users["eve"]}] * 2
