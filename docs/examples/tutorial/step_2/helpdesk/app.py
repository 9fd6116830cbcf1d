import sqlalchemy as sa
from fastapi import FastAPI, HTTPException

from scimkit.asgi import ScimApp

from .models import Agent, Base, Ticket, engine, sessions
from .scim import service

Base.metadata.create_all(engine)
app = FastAPI()
app.mount("/scim/v2", ScimApp(service))


@app.get("/agents")
def list_agents() -> list[dict[str, str | bool]]:
    with sessions() as session:
        agents = session.scalars(sa.select(Agent).where(Agent.archived_at.is_(None)).order_by(Agent.id))
        return [{"login": each.login, "role": each.role, "may sign in": each.disabled_at is None} for each in agents]


@app.get("/tickets")
def list_tickets() -> list[dict[str, str | None]]:
    query = sa.select(Ticket.subject, Agent.login).outerjoin(Ticket.agent)
    with sessions() as session:
        found = session.execute(query.where(Ticket.closed_at.is_(None)).order_by(Ticket.id))
        return [{"subject": subject, "agent": login} for subject, login in found]


@app.post("/tickets")
def open_ticket(subject: str, agent: str) -> None:
    with sessions.begin() as session:
        found = session.scalar(
            sa.select(Agent).where(Agent.login == agent, Agent.disabled_at.is_(None), Agent.archived_at.is_(None))
        )
        if found is None:
            raise HTTPException(404, "There is no agent with this login who may sign in.")
        session.add(Ticket(subject=subject, agent=found))
