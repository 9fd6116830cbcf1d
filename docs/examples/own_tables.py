from datetime import datetime
from tempfile import mkdtemp

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit import GROUP, USER, Query, ScimService, Scope, TokenRegistry, filters
from scimkit.stores.sqlalchemy import Choice, Constant, IsNull, Json, MappedStore, Reference, ResourceMapping


# --- The existing models of the application ---
class Base(orm.DeclarativeBase):
    pass


membership = sa.Table(
    "membership",
    Base.metadata,
    sa.Column("team_id", sa.ForeignKey("team.id"), primary_key=True),
    sa.Column("agent_id", sa.ForeignKey("agent.id"), primary_key=True),
)


class Agent(Base):
    __tablename__ = "agent"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    login: orm.Mapped[str] = orm.mapped_column(sa.String(100))
    first_name: orm.Mapped[str] = orm.mapped_column(sa.String(100), default="")
    last_name: orm.Mapped[str] = orm.mapped_column(sa.String(100), default="")
    email: orm.Mapped[str | None] = orm.mapped_column(sa.String(200))
    role: orm.Mapped[str] = orm.mapped_column(sa.String(20), default="agent")
    disabled_at: orm.Mapped[datetime | None]
    manager_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("agent.id"))
    manager: orm.Mapped["Agent | None"] = orm.relationship(remote_side=id)
    external_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(255), index=True)
    settings: orm.Mapped[dict | None] = orm.mapped_column(sa.JSON)
    scim_extra: orm.Mapped[dict | None] = orm.mapped_column(sa.JSON)
    scim_version: orm.Mapped[int] = orm.mapped_column(default=1)
    __table_args__ = (sa.Index("agent_login", sa.func.lower(login.column), unique=True),)


class Team(Base):
    __tablename__ = "team"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(200), unique=True)
    external_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(255), index=True)
    scim_version: orm.Mapped[int] = orm.mapped_column(default=1)
    agents: orm.Mapped[list[Agent]] = orm.relationship(secondary=membership)


# --- Which column has which attribute ---
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

agents = ResourceMapping(
    USER,
    Agent,
    id=Agent.id,
    prefix="agent-",
    version=Agent.scim_version,
    rest=Agent.scim_extra,
    complete=["emails"],
    attributes={
        "userName": Agent.login,
        "externalId": Agent.external_id,
        "name.givenName": Agent.first_name,
        "name.familyName": Agent.last_name,
        'emails[type eq "work"].value': Agent.email,
        'emails[type eq "work"].primary': Constant(True),
        'emails[type eq "other"].value': Json(Agent.settings, "other_email"),
        "active": IsNull(Agent.disabled_at, otherwise=sa.func.now),
        "userType": Choice(Agent.role, {"agent": "Agent", "lead": "Team lead"}),
        "locale": Json(Agent.settings, "ui", "locale"),
        f"{ENTERPRISE}:manager.value": Reference(Agent.manager),
    },
)
teams = ResourceMapping(
    GROUP,
    Team,
    id=Team.id,
    prefix="team-",
    version=Team.scim_version,
    attributes={"displayName": Team.name, "externalId": Team.external_id},
    members=[Team.agents],
)

engine = sa.create_engine(f"sqlite:///{mkdtemp()}/helpdesk.db")
store = MappedStore(orm.sessionmaker(engine), [agents, teams])
tokens = TokenRegistry()
service = ScimService(store, tokens=tokens)

# --- A user that existed before SCIM ---
Base.metadata.create_all(engine)
with orm.Session(engine) as session:
    session.add(Agent(login="Ada@example.org", first_name="Ada", email="ada@example.org"))
    session.commit()

found = store.search(Scope(), Query(USER, filters.parse('userName eq "ada@example.org" and active eq true')))
assert found.documents[0]["id"] == "agent-1"
assert found.documents[0]["emails"] == [{"value": "ada@example.org", "type": "work", "primary": True}]
