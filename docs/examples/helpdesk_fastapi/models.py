from datetime import UTC, datetime
from enum import IntEnum
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.schema.attributes import folded
from scimkit.stores.sqlalchemy import outbox_table, token_table


class Role(IntEnum):
    AGENT = 1
    LEAD = 2
    ADMIN = 3


class Base(orm.DeclarativeBase):
    pass


class Account(Base):
    """A customer of the helpdesk: a tenant of SCIM."""

    __tablename__ = "account"
    name: orm.Mapped[str] = orm.mapped_column(sa.String(64), primary_key=True)
    seats: orm.Mapped[int]


membership = sa.Table(
    "membership",
    Base.metadata,
    sa.Column("team_id", sa.ForeignKey("team.id"), primary_key=True),
    sa.Column("agent_id", sa.ForeignKey("agent.id"), primary_key=True, index=True),
)


class Team(Base):
    __tablename__ = "team"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    public_id: orm.Mapped[str] = orm.mapped_column(sa.String(36), unique=True, default=lambda: str(uuid4()))
    account: orm.Mapped[str] = orm.mapped_column(sa.String(64))
    name: orm.Mapped[str] = orm.mapped_column(sa.String(200))
    grants: orm.Mapped[int | None]  # the role of the members; the identity provider does not know it
    external_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    scim_version: orm.Mapped[int] = orm.mapped_column(default=1)
    agents: orm.Mapped[list["Agent"]] = orm.relationship(secondary=membership, viewonly=True)
    __table_args__ = (sa.UniqueConstraint("account", "name"),)


class Agent(Base):
    __tablename__ = "agent"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    public_id: orm.Mapped[str] = orm.mapped_column(sa.String(36), unique=True, default=lambda: str(uuid4()))
    account: orm.Mapped[str] = orm.mapped_column(sa.String(64))
    login: orm.Mapped[str] = orm.mapped_column(sa.String(150))
    login_key: orm.Mapped[str | None] = orm.mapped_column(sa.String(150))  # NULL for archived agents
    first_name: orm.Mapped[str] = orm.mapped_column(sa.String(100), default="")
    last_name: orm.Mapped[str] = orm.mapped_column(sa.String(100), default="")
    email: orm.Mapped[str | None] = orm.mapped_column(sa.String(200))
    other_email: orm.Mapped[str | None] = orm.mapped_column(sa.String(200))
    manager_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("agent.id"))
    manager: orm.Mapped["Agent | None"] = orm.relationship(remote_side=id)
    role: orm.Mapped[int] = orm.mapped_column(default=Role.AGENT)  # computed in roles.py
    user_type: orm.Mapped[str] = orm.mapped_column(sa.String(20), default="Agent")  # or "Owner"
    disabled_at: orm.Mapped[datetime | None]
    archived_at: orm.Mapped[datetime | None]
    external_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(255))
    scim_rest: orm.Mapped[dict[str, Any] | None] = orm.mapped_column(sa.JSON)
    scim_version: orm.Mapped[int] = orm.mapped_column(default=1)
    __table_args__ = (sa.UniqueConstraint("account", "login_key"),)

    @orm.validates("login")
    def fold_login(self, _: str, login: str) -> str:
        self.login_key = folded(login)
        return login

    def archive(self) -> None:
        """Keep the row for the tickets that the agent closed, and free the login."""
        self.archived_at, self.login_key = now(), None


outbox = outbox_table(Base.metadata)
"""Events for other systems, written in the transaction of the change."""

scim_tokens = token_table(Base.metadata)
"""The tokens of identity providers. The table keeps their hashes only."""


class Ticket(Base):
    __tablename__ = "ticket"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    account: orm.Mapped[str] = orm.mapped_column(sa.String(64))
    subject: orm.Mapped[str] = orm.mapped_column(sa.String(200))
    agent_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("agent.id"), index=True)  # NULL: the queue
    agent: orm.Mapped[Agent | None] = orm.relationship()
    closed_at: orm.Mapped[datetime | None]


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
