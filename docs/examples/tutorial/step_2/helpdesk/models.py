import os
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.sqlalchemy import token_table


class Base(orm.DeclarativeBase):
    pass


NOT_ARCHIVED = {f"{database}_where": sa.text("archived_at IS NULL") for database in ("sqlite", "postgresql")}


class Agent(Base):
    __tablename__ = "agent"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    login: orm.Mapped[str] = orm.mapped_column(sa.String(150))
    first_name: orm.Mapped[str] = orm.mapped_column(sa.String(100), default="")
    last_name: orm.Mapped[str] = orm.mapped_column(sa.String(100), default="")
    email: orm.Mapped[str | None] = orm.mapped_column(sa.String(200))
    role: orm.Mapped[str] = orm.mapped_column(sa.String(20), default="agent")  # or "administrator"
    disabled_at: orm.Mapped[datetime | None]  # NULL while the agent may sign in
    archived_at: orm.Mapped[datetime | None]  # NULL while the agent exists
    __table_args__ = (sa.Index("agent_login", sa.func.lower(login.column), unique=True, **NOT_ARCHIVED),)

    def archive(self) -> None:
        """Keep the row for the tickets that the agent closed, and free the login."""
        self.archived_at = now()


class Ticket(Base):
    __tablename__ = "ticket"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    subject: orm.Mapped[str] = orm.mapped_column(sa.String(200))
    agent_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("agent.id"), index=True)  # NULL: the queue
    agent: orm.Mapped[Agent | None] = orm.relationship()
    closed_at: orm.Mapped[datetime | None]


scim_tokens = token_table(Base.metadata)


def now() -> datetime:
    """Return the time in UTC, without an offset, as the columns keep it."""
    return datetime.now(UTC).replace(tzinfo=None)


engine = sa.create_engine(os.environ.get("HELPDESK_DATABASE", "sqlite:///helpdesk.db"))
sessions = orm.sessionmaker(engine)
