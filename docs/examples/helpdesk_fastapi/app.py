import os

import sqlalchemy as sa
from fastapi import FastAPI, HTTPException
from sqlalchemy import orm

from scimkit import TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.stores.sql import SqlTokenStore

from .models import Agent, Base, Role, Team, Ticket, membership, scim_tokens
from .roles import lock_account, refresh_roles
from .scim import make_service


def create_app(database: str | None = None) -> FastAPI:
    """Create the application: uvicorn --factory helpdesk_fastapi.app:create_app."""
    engine = sa.create_engine(database or os.environ.get("HELPDESK_DATABASE", "sqlite:///helpdesk.db"))
    Base.metadata.create_all(engine)
    sessions = orm.sessionmaker(engine)
    tokens = TokenRegistry(SqlTokenStore(engine, table=scim_tokens))

    app = FastAPI()
    app.state.sessions, app.state.tokens = sessions, tokens
    app.mount("/scim/v2", ScimApp(make_service(sessions, tokens)))

    # The helpdesk's own API. Its users sign in, which this example leaves out.
    @app.get("/{account}/tickets")
    def tickets(account: str) -> list[dict[str, str | None]]:
        query = sa.select(Ticket.subject, Agent.login).outerjoin(Ticket.agent).where(Ticket.account == account)
        with sessions() as session:
            return [{"subject": subject, "agent": login} for subject, login in session.execute(query)]

    @app.put("/{account}/teams/{name}/role/{role}")
    def set_role(account: str, name: str, role: Role) -> None:
        """Choose the role that the members of a team have."""
        with sessions.begin() as session:
            lock_account(session, account)
            team = session.scalar(sa.select(Team).where(Team.account == account, Team.name == name))
            if team is None:
                raise HTTPException(404)
            team.grants = role
            session.flush()
            members = sa.select(membership.c.agent_id).where(membership.c.team_id == team.id)
            refresh_roles(session, Agent.id.in_(members))

    return app
