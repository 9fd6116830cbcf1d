"""A short run of `tests.churn`: every simulated identity provider at once against one service on PostgreSQL."""

from __future__ import annotations

import pytest

from scimkit.asgi import ScimApp
from scimkit.testing.directory_history import crowd, marked
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.providers import provider
from tests.churn import Part, all_attributes, differences, run
from tests.client import Client
from tests.stores.databases import DATABASES, url_of


@pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])
def test_all_providers_at_once(database: str) -> None:
    """After several concurrent cycles over HTTP, the service has exactly the users and groups of all directories."""
    outcome = run(url_of(database), people=40, groups=20, cycles=3, events=6)
    assert outcome.wrong == []
    assert [part.done for part in outcome.parts] == [3] * 10
    assert outcome.users >= 40


def test_differences_are_found() -> None:
    """`differences` reports an unknown user, a missing member, an additional member and a wrong `active`."""
    client = Client()
    with open_endpoint(ScimApp(client.service)) as endpoint:
        simulator = provider("okta", endpoint.base_url, client.token, marked(crowd(12, 2), "m1"))
        simulator.synchronize()
        part = Part("okta", "m1", simulator, [])
        assert differences([part], *all_attributes(endpoint.base_url, client.token)) == []
        one, other = list(simulator.directory.teams.values())
        (lost, left) = sorted(one.members)[:2]
        gone, stranger = simulator._ids[lost], client.user("stranger")
        client.patch(f"/Groups/{simulator._ids[one.key]}", {"op": "remove", "path": f'members[value eq "{gone}"]'})
        client.patch(f"/Groups/{simulator._ids[other.key]}", {"op": "add", "path": "members", "value": stranger})
        client.patch(f"/Users/{simulator._ids[left]}", {"op": "replace", "path": "active", "value": False})
        found = differences([part], *all_attributes(endpoint.base_url, client.token))
        simulator.close()
    assert [each.partition(":")[2].split()[0] for each in found] == ["`active`", "Crowd", "Crowd", "stranger"]


def test_crowd() -> None:
    """`crowd` returns the requested numbers of people and teams, and the same directory for the same seed."""
    one, same = crowd(30, 4, seed=3), crowd(30, 4, seed=3)
    assert (len(one.people), len(one.teams)) == (30, 4)
    assert {key for team in one.teams.values() for key in team.members} == set(one.people)
    assert (one.people, one.teams) == (same.people, same.teams)
    assert crowd(30, 4, seed=4).teams != one.teams
