"""The FastAPI helpdesk of the documentation, as the scenarios drive it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from scimkit import ScimService
from scimkit.asgi import ScimApp
from scimkit.events import Listener
from scimkit.stores.sqlalchemy import MappedStore

sys.path.append(str(Path(__file__).parents[2] / "docs" / "examples"))

from helpdesk_fastapi import app, listeners, models, scim


class FastapiHelpdesk:
    """The application on a database, which may have the tables of an earlier one."""

    path = "/scim/v2"

    def __init__(self, database: str) -> None:
        self.app = app.create_app(database)
        self._sessions = self.app.state.sessions
        self._engine: sa.Engine = self._sessions.kw["bind"]

    @property
    def outbox(self) -> Any:
        """The outbox of the application."""
        return scim.make_store(self._sessions).outbox

    def app_with(self, *more: Listener) -> Any:
        store = MappedStore(self._sessions, [scim.agents, scim.teams])
        return ScimApp(ScimService(store, tokens=self.app.state.tokens, listeners=[*listeners.listeners, *more]))

    def token(self, tenant: str) -> str:
        return str(self.app.state.tokens.issue("simulator", tenant=tenant).token)

    def set_seats(self, tenant: str, seats: int) -> None:
        with self._sessions.begin() as session:
            session.merge(models.Account(name=tenant, seats=seats))

    def set_role(self, tenant: str, team: str, role: int) -> None:
        for route in self.app.routes:
            if getattr(route, "name", "") == "set_role":
                route.endpoint(tenant, team, models.Role(role))

    def set_owner(self, tenant: str, login: str) -> None:
        with self._sessions.begin() as session:
            session.scalars(self._agents(tenant).where(models.Agent.login == login)).one().user_type = "Owner"

    def open_ticket(self, tenant: str, subject: str, login: str) -> None:
        with self._sessions.begin() as session:
            agent = session.scalars(self._agents(tenant).where(models.Agent.login == login)).one()
            session.add(models.Ticket(account=tenant, subject=subject, agent_id=agent.id))

    def tickets(self, tenant: str) -> dict[str, str | None]:
        for route in self.app.routes:
            if getattr(route, "name", "") == "tickets":
                return {each["subject"]: each["agent"] for each in route.endpoint(tenant)}
        raise LookupError

    def roles(self, tenant: str) -> dict[str, int]:
        with self._sessions() as session:
            return {each.login: int(each.role) for each in session.scalars(self._agents(tenant))}

    def granted(self, tenant: str) -> dict[str, int]:
        granted = dict.fromkeys(self.roles(tenant), int(models.Role.AGENT))
        with self._sessions() as session:
            for team in session.scalars(sa.select(models.Team).where(models.Team.account == tenant)):
                for agent in team.agents:
                    granted[agent.login] = max(granted[agent.login], team.grants or models.Role.AGENT)
        return granted

    def deadlocks(self) -> int | None:
        if self._engine.dialect.name != "postgresql":
            return None
        self._engine.dispose()  # a connection reports its numbers at the latest when it is closed
        with self._engine.connect() as connection:
            query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            return int(connection.exec_driver_sql(query).scalar_one())

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _agents(self, tenant: str) -> Any:
        return sa.select(models.Agent).where(models.Agent.account == tenant, models.Agent.archived_at.is_(None))
