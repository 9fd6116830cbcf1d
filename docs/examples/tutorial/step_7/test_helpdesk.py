import httpx
import pytest
import sqlalchemy as sa
from hypothesis import Phase, example, given, settings

from helpdesk.app import app
from helpdesk.listeners import listeners
from helpdesk.models import Agent, Ticket, now, sessions
from helpdesk.scim import store, tokens
from scimkit import ScimService
from scimkit.asgi import ScimApp
from scimkit.events import Refused, UserDeactivated, in_transaction
from scimkit.testing.directory import sample_directory
from scimkit.testing.directory_history import full_history, histories, play
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.providers import provider
from scimkit.testing.report import explained

pytest_plugins = ["scimkit.testing.plugin"]


@pytest.fixture
def scim_target():
    return app


@pytest.fixture
def scim_path():
    return "/scim/v2"


@pytest.fixture
def scim_token():
    return tokens.issue("tests").token


@pytest.fixture
def scim_without():
    """Return what the helpdesk does not keep: authentik sends addresses of this type."""
    return ['emails[type eq "other"]']


def test_every_identity_provider_succeeds(identity_provider):
    identity_provider.live()


@settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.generate])  # Phase.shrink takes minutes
@example((sample_directory(), full_history()))  # one event of each kind, so that somebody is surely disabled
@given(histories(length=10))
def test_nobody_who_left_has_a_ticket(history):
    """Whatever happens in the directory of Entra, an open ticket is in the queue or has an agent who may sign in."""
    directory, events = history

    def check_tickets(_=None):
        with sessions.begin() as session:
            left = sa.or_(Agent.disabled_at.is_not(None), Agent.archived_at.is_not(None))
            assert session.scalar(sa.select(sa.func.count()).select_from(Ticket).join(Ticket.agent).where(left)) == 0
            for agent in session.scalars(sa.select(Agent).where(~left)):
                session.add(Ticket(subject="Help", agent=agent))

    with open_endpoint(app, "/scim/v2") as endpoint:
        entra = provider("entra", endpoint.base_url, tokens.issue("tests").token, directory)
        report = play(entra, events, on_event=check_tickets)
        entra.clean_up()
        entra.close()
    check_tickets()
    assert report.passed, "\n\n".join(explained(step) for step in report.failures)


def test_a_disabled_agent_gets_no_ticket():
    with sessions.begin() as session:
        session.add(Agent(login="gone@example.org", disabled_at=now()))
    with open_endpoint(app) as endpoint:
        response = httpx.post(f"{endpoint.base_url}/tickets", params={"subject": "Help", "agent": "gone@example.org"})
    assert response.status_code == 404


def test_a_refused_leaver_keeps_the_tickets():
    """The tickets move in the transaction of the leaver: if a later listener refuses, both are undone."""

    def refuse(event, transaction):
        raise Refused("Bob is on call.")

    refusing = ScimService(store, tokens=tokens, listeners=[*listeners, in_transaction(UserDeactivated, refuse)])
    headers = {"Authorization": f"Bearer {tokens.issue('tests').token}"}
    with sessions.begin() as session:
        bob = session.scalars(sa.select(Agent).where(Agent.login == "bob@example.org")).one()
        ticket = Ticket(subject="Help", agent=bob)
        session.add(ticket)
        session.flush()
        bob_id, ticket_id = bob.id, ticket.id
    operations = [{"op": "replace", "path": "active", "value": False}]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}
    with open_endpoint(ScimApp(refusing)) as endpoint:
        response = httpx.patch(f"{endpoint.base_url}/Users/agent-{bob_id}", json=body, headers=headers)
    assert (response.status_code, response.json()["detail"]) == (409, "Bob is on call.")
    with sessions() as session:
        assert session.get_one(Agent, bob_id).disabled_at is None
        assert session.get_one(Ticket, ticket_id).agent_id == bob_id
