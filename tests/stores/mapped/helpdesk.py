"""The tables of a helpdesk application: agents, teams, memberships, and teams within teams."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker, validates

from scimkit import GROUP, USER
from scimkit.stores.mapped import declaration
from scimkit.stores.sql.database import sync_engine
from scimkit.stores.sqlalchemy import Association, Choice, Computed, Constant, IsNull, Json, MappedStore, Reference
from scimkit.stores.sqlalchemy.async_store import AsyncMappedStore
from tests.stores.databases import Apart, url_of

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def now() -> datetime:
    """Return the current time in UTC without an offset, as in the helpdesk's columns."""
    return datetime.now(UTC).replace(tzinfo=None)


PRECISE = sa.DateTime().with_variant(sa.dialects.mysql.DATETIME(fsp=6), "mysql", "mariadb")


class Base(DeclarativeBase):
    """The base of the helpdesk's models."""


def has_functions(*_: Any, dialect: sa.Dialect, **__: Any) -> bool:
    """Report whether a database supports indexes on expressions. MariaDB uses collations that ignore case instead."""
    return dialect.name in ("sqlite", "postgresql")


class Membership(Base):
    """The membership of an agent in a team."""

    __tablename__ = "hd_membership"
    team_id: Mapped[int] = mapped_column(sa.ForeignKey("hd_team.id"), primary_key=True)
    agent_id: Mapped[int] = mapped_column(sa.ForeignKey("hd_agent.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(PRECISE, default=now)


SUBTEAMS = sa.Table(
    "hd_subteam", Base.metadata,
    sa.Column("parent_id", sa.ForeignKey("hd_team.id"), primary_key=True),
    sa.Column("child_id", sa.ForeignKey("hd_team.id"), primary_key=True),
)  # fmt: skip


class Agent(Base):
    """An employee who answers tickets."""

    __tablename__ = "hd_agent"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    account: Mapped[str] = mapped_column(sa.String(64))
    login: Mapped[str] = mapped_column(sa.String(100))
    first_name: Mapped[str] = mapped_column(sa.String(100), default="")
    last_name: Mapped[str | None] = mapped_column(sa.String(100))
    email: Mapped[str | None] = mapped_column(sa.String(200))
    home_email: Mapped[str | None] = mapped_column(sa.String(200))
    title: Mapped[str | None] = mapped_column(sa.String(100))
    external_id: Mapped[str | None] = mapped_column(sa.String(200))
    kind: Mapped[str | None] = mapped_column(sa.String(20))
    disabled_at: Mapped[datetime | None] = mapped_column(PRECISE)
    department: Mapped[str | None] = mapped_column(sa.String(100))
    profile: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    manager_id: Mapped[int | None] = mapped_column(sa.ForeignKey("hd_agent.id", ondelete="SET NULL"))
    manager: Mapped[Agent | None] = relationship(remote_side=id, overlaps="manager")
    scim_extra: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    scim_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(PRECISE, default=now)
    updated_at: Mapped[datetime] = mapped_column(PRECISE, default=now)
    __table_args__ = (
        sa.Index("hd_agent_login", "account", sa.text("lower(login)"), unique=True).ddl_if(callable_=has_functions),
        sa.Index("hd_agent_login_as_it_folds", "account", "login", unique=True).ddl_if(dialect=("mysql", "mariadb")),
    )

    @validates("email")
    def check_email(self, _: str, value: str | None) -> str | None:
        """Refuse an e-mail address by a rule of the helpdesk."""
        if value is not None and value.endswith("@forbidden.example"):
            raise ValueError("the helpdesk takes no such address")
        return value


class Ticket(Base):
    """A ticket, which the helpdesk never deletes."""

    __tablename__ = "hd_ticket"
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str | None] = mapped_column(sa.String(200))
    agent_id: Mapped[int] = mapped_column(sa.ForeignKey("hd_agent.id"))
    agent: Mapped[Agent] = relationship()


class Team(Base):
    """A team of agents and other teams."""

    __tablename__ = "hd_team"
    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    account: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(200))
    external_id: Mapped[str | None] = mapped_column(sa.String(200))
    scim_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(PRECISE, default=now)
    updated_at: Mapped[datetime] = mapped_column(PRECISE, default=now)
    agents: Mapped[list[Agent]] = relationship(secondary="hd_membership", viewonly=True)
    subteams: Mapped[list[Team]] = relationship(
        secondary=SUBTEAMS, primaryjoin=id == SUBTEAMS.c.parent_id, secondaryjoin=id == SUBTEAMS.c.child_id
    )


def full_name(agent: Agent) -> str | None:
    """Return the name that the helpdesk displays for an agent."""
    return f"{agent.first_name} {agent.last_name or ''}".strip() or None


ATTRIBUTES: dict[str, Any] = {
    "userName": Agent.login,
    "externalId": Agent.external_id,
    "name.givenName": Agent.first_name,
    "name.familyName": Agent.last_name,
    "name.formatted": Computed(read=full_name),
    'emails[type eq "work"].value': Agent.email,
    'emails[type eq "work"].primary': Constant(True),
    'emails[type eq "home"].value': Agent.home_email,
    "title": Agent.title,
    "userType": Choice(Agent.kind, {"emp": "Employee", "ext": "Contractor", "tmp": "Contractor"}),
    "active": IsNull(Agent.disabled_at, otherwise=now),
    "locale": Json(Agent.profile, "ui", "locale"),
    f"{ENTERPRISE}:department": Agent.department,
    f"{ENTERPRISE}:manager.value": Reference(Agent.manager),
    f"{ENTERPRISE}:costCenter": Json(Agent.profile, "cost_center"),
}

AGENTS = declaration.ResourceMapping(
    USER, Agent, id=Agent.public_id, tenant=Agent.account, version=Agent.scim_version, created=Agent.created_at,
    modified=Agent.updated_at, rest=Agent.scim_extra, attributes=ATTRIBUTES,
)  # fmt: skip

TEAMS = declaration.ResourceMapping(
    GROUP, Team, id=Team.public_id, tenant=Team.account, version=Team.scim_version, created=Team.created_at,
    modified=Team.updated_at,
    attributes={"displayName": Team.name, "externalId": Team.external_id},
    members=[Association(Membership.team_id, Membership.agent_id), Team.subteams],
)  # fmt: skip


class PlainBase(DeclarativeBase):
    """The base of models without validators, over the same tables. The store needs no instances of them."""

    metadata = Base.metadata


class PlainAgent(PlainBase):
    """An agent without validators."""

    __table__ = Agent.__table__
    manager: Mapped[PlainAgent | None] = relationship(remote_side=Agent.__table__.c.id, overlaps="manager")


class PlainTeam(PlainBase):
    """A team."""

    __table__ = Team.__table__
    subteams: Mapped[list[PlainTeam]] = relationship(
        secondary=SUBTEAMS, primaryjoin=Team.__table__.c.id == SUBTEAMS.c.parent_id,
        secondaryjoin=Team.__table__.c.id == SUBTEAMS.c.child_id, viewonly=True,
    )  # fmt: skip


def _plain(entry: Any) -> Any:
    """Return an entry with the columns of `PlainAgent`."""
    if isinstance(entry, Reference):
        return Reference(PlainAgent.manager)  # type: ignore[attr-defined]
    if hasattr(entry, "column"):
        return replace(entry, column=_plain(entry.column))
    return getattr(PlainAgent, entry.key) if hasattr(entry, "key") else entry


def _plain_options(mapped: Any, model: Any) -> dict[str, Any]:
    """Return the columns of a mapping in a model over the same table."""
    names = ("id", "tenant", "version", "created", "modified", "rest")
    return {each: getattr(model, getattr(mapped, each).key) for each in names if getattr(mapped, each) is not None}


PLAIN_AGENTS = declaration.ResourceMapping(
    USER, PlainAgent, **_plain_options(AGENTS, PlainAgent),
    attributes={path: _plain(each) for path, each in ATTRIBUTES.items() if not isinstance(each, Computed)},
)  # fmt: skip

PLAIN_TEAMS = declaration.ResourceMapping(
    GROUP, PlainTeam, **_plain_options(TEAMS, PlainTeam),
    attributes={"displayName": PlainTeam.name, "externalId": PlainTeam.external_id},  # type: ignore[attr-defined]
    members=[Association(Membership.team_id, Membership.agent_id), PlainTeam.subteams],
)  # fmt: skip

_numbers = itertools.count()


@cache
def sessions_of(database: str) -> sessionmaker[Any]:
    """Return the helpdesk's sessionmaker on a database, and create the tables if necessary."""
    engine = sync_engine(url_of(database))
    with engine.begin() as connection:
        if database == "mysql":  # several processes share the database
            connection.execute(sa.select(sa.func.get_lock("helpdesk", 60)))
        Base.metadata.create_all(connection)
        if database == "mysql":
            connection.execute(sa.select(sa.func.release_lock("helpdesk")))
    return sessionmaker(engine)


def helpdesk_of(database: str, mapped: Any = (AGENTS, TEAMS), **options: Any) -> MappedStore:
    """Return a store over the helpdesk's tables."""
    return MappedStore(sessions_of(database), mapped, **options)


def helpdesk(database: str) -> Apart:
    """Return a store over the helpdesk's tables, with tenants that no other test uses."""
    return Apart(helpdesk_of(database))


def helpdesk_awaited(engine: AsyncEngine, mapped: Any = (AGENTS, TEAMS)) -> Apart:
    """Return an async store over the helpdesk's tables, with tenants that no other test uses."""
    return Apart(AsyncMappedStore(async_sessionmaker(engine), mapped))


def account() -> str:
    """Return the name of a tenant that no other test uses."""
    return f"{os.getpid()}-{next(_numbers)}-{os.urandom(4).hex()}"
