import os
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.sqlalchemy import provisioning_log_tables, token_table


class Base(orm.DeclarativeBase):
    pass


membership = sa.Table(
    "membership",
    Base.metadata,
    sa.Column("team_id", sa.ForeignKey("team.id"), primary_key=True),
    sa.Column("agent_id", sa.ForeignKey("agent.id"), primary_key=True, index=True),
)

NOT_ARCHIVED = {f"{database}_where": sa.text("archived_at IS NULL") for database in ("sqlite", "postgresql")}


class Agent(Base):
    __tablename__ = "agent"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    login: orm.Mapped[str] = orm.mapped_column(sa.String(150))
    first_name: orm.Mapped[str] = orm.mapped_column(sa.String(100), default="")
    last_name: orm.Mapped[str] = orm.mapped_column(sa.String(100), default="")
    email: orm.Mapped[str | None] = orm.mapped_column(sa.String(200))
    role: orm.Mapped[str] = orm.mapped_column(sa.String(20), default="agent")  # or "administrator"
    title: orm.Mapped[str | None] = orm.mapped_column(sa.String(100))
    manager_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("agent.id"), index=True)
    manager: orm.Mapped["Agent | None"] = orm.relationship(remote_side=id)
    external_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(255), index=True)
    scim_rest: orm.Mapped[dict[str, Any] | None] = orm.mapped_column(sa.JSON)
    scim_version: orm.Mapped[int] = orm.mapped_column(default=1)
    disabled_at: orm.Mapped[datetime | None]  # NULL while the agent may sign in
    archived_at: orm.Mapped[datetime | None]  # NULL while the agent exists
    __table_args__ = (sa.Index("agent_login", sa.func.lower(login.column), unique=True, **NOT_ARCHIVED),)

    def archive(self) -> None:
        """Keep the row for the tickets that the agent closed, and free the login."""
        self.archived_at = now()


class Team(Base):
    __tablename__ = "team"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(200))
    external_id: orm.Mapped[str | None] = orm.mapped_column(sa.String(255), index=True)
    scim_version: orm.Mapped[int] = orm.mapped_column(default=1)
    agents: orm.Mapped[list[Agent]] = orm.relationship(secondary=membership, viewonly=True)
    __table_args__ = (
        sa.Index("team_name", sa.func.lower(name.column), unique=True),
        {"sqlite_autoincrement": True},  # SQLite: never give the id of a deleted team to another one
    )


class Ticket(Base):
    __tablename__ = "ticket"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    subject: orm.Mapped[str] = orm.mapped_column(sa.String(200))
    agent_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("agent.id"), index=True)  # NULL: the queue
    agent: orm.Mapped[Agent | None] = orm.relationship()
    closed_at: orm.Mapped[datetime | None]


scim_tokens = token_table(Base.metadata)
scim_log = provisioning_log_tables(Base.metadata)


def now() -> datetime:
    """Return the time in UTC, without an offset, as the columns keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


engine = sa.create_engine(os.environ.get("HELPDESK_DATABASE", "sqlite:///helpdesk.db"))
sessions = orm.sessionmaker(engine)
