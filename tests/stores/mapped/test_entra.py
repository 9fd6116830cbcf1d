"""Entra ID provisions users and groups into the existing tables of a helpdesk."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from scimkit import ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.testing.directory import sample_directory
from scimkit.testing.entra import EntraSimulator, run_story
from scimkit.testing.server import running
from tests.stores.databases import DATABASES
from tests.stores.mapped.helpdesk import Agent, Membership, Team, account, helpdesk_of, sessions_of


def served(database: str, tenant: str) -> tuple[Any, str]:
    """Return the service over the helpdesk's tables, and a token of one tenant."""
    tokens = TokenRegistry()
    service = ScimService(helpdesk_of(database), tokens=tokens)
    return ScimApp(service), tokens.issue("Entra", tenant=tenant).token


@pytest.mark.parametrize("database", DATABASES)
def test_simulator_succeeds_in_every_step(database: str) -> None:
    """The simulator of Entra ID succeeds in every step, and the helpdesk's rows have the expected values."""
    tenant = account()
    app, token = served(database, tenant)
    with running(app) as url:
        report = run_story(url, token)
    assert [(step.title, step.reason) for step in report.failures] == []
    with sessions_of(database)() as session:
        agents = {each.login: each for each in session.scalars(sa.select(Agent).where(Agent.account == tenant))}
        ada = next(each for each in agents.values() if each.last_name == "Lovelace")
        assert (ada.first_name, ada.email, ada.title) == ("Ada", "ada.lovelace@example.org", "Senior Agent")
        teams = {each.name: each for each in session.scalars(sa.select(Team).where(Team.account == tenant))}
        assert "Escalations" in teams
        assert all(each.agents for each in teams.values())


@pytest.mark.parametrize("database", DATABASES)
def test_existing_agents_are_matched(database: str) -> None:
    """Existing agents are matched by their login in any case, and updated instead of duplicated."""
    tenant, directory = account(), sample_directory()
    people = {each.user_name: each for each in directory.people.values()}
    name = next(iter(people))
    with sessions_of(database).begin() as session:
        agent = Agent(account=tenant, login=name.upper(), first_name="Old", last_name="Name")
        team = Team(account=tenant, name="Old hands")
        session.add_all([agent, team])
        session.flush()
        session.add(Membership(team_id=team.id, agent_id=agent.id))
        number = agent.id
    app, token = served(database, tenant)
    with running(app) as url:
        entra = EntraSimulator(url, token, directory)
        assert entra.test_connection()
        entra.initial_cycle()
        entra.close()
    assert [(step.title, step.reason) for step in entra.report.failures] == []
    with sessions_of(database)() as session:
        same = session.scalars(
            sa.select(Agent).where(Agent.account == tenant, sa.func.lower(Agent.login) == name.lower())
        ).all()
        assert [each.id for each in same] == [number]
        assert same[0].first_name == people[name].given_name
        assert [each.name for each in session.scalars(sa.select(Team).where(Team.agents.any(Agent.id == number)))]
