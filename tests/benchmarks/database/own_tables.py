"""Hosts with scimkit over models of an application, for `tests.benchmarks.database.served`.

The environment variable `BENCHMARK_URL` has the URL of the database.
"""

from __future__ import annotations

import os

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from scimkit import USER, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.stores.sql import AsyncSqlTokenStore, SqlTokenStore
from scimkit.stores.sqlalchemy import AsyncMappedStore, Constant, MappedStore, ResourceMapping, token_table
from scimkit.tokens import AsyncTokenRegistry


class Base(orm.DeclarativeBase):
    """The base of the models."""


class Agent(Base):
    """A user of the application."""

    __tablename__ = "own_agent"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    tenant: orm.Mapped[str] = orm.mapped_column(sa.String(20))
    login: orm.Mapped[str] = orm.mapped_column(sa.String(100))
    external: orm.Mapped[str | None] = orm.mapped_column(sa.String(100))
    display: orm.Mapped[str | None] = orm.mapped_column(sa.String(100))
    first_name: orm.Mapped[str | None] = orm.mapped_column(sa.String(100))
    last_name: orm.Mapped[str | None] = orm.mapped_column(sa.String(100))
    email: orm.Mapped[str | None] = orm.mapped_column(sa.String(200))
    active: orm.Mapped[bool] = orm.mapped_column(default=True)
    scim_version: orm.Mapped[int] = orm.mapped_column(default=1)
    __table_args__ = (
        sa.Index("own_agent_login", "tenant", sa.func.lower(login.column), unique=True).ddl_if(
            callable_=lambda *_, dialect, **__: dialect.name not in ("mysql", "mariadb")
        ),
        sa.Index("own_agent_name", "tenant", "login", unique=True).ddl_if(dialect=("mysql", "mariadb")),
    )


TOKENS = token_table(Base.metadata, "own_token")

AGENTS = ResourceMapping(
    USER,
    Agent,
    id=Agent.id,
    version=Agent.scim_version,
    tenant=Agent.tenant,
    attributes={
        "userName": Agent.login, "externalId": Agent.external, "displayName": Agent.display, "active": Agent.active,
        "name.givenName": Agent.first_name, "name.familyName": Agent.last_name,
        'emails[type eq "work"].value': Agent.email, 'emails[type eq "work"].primary': Constant(True),
    },
)  # fmt: skip


_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "mysql+pymysql": "mysql+asyncmy"}


def sync_host() -> ScimApp:
    """Return a host with `MappedStore`, whose requests run in threads."""
    engine = sa.create_engine(os.environ["BENCHMARK_URL"], pool_size=10)
    store = MappedStore(orm.sessionmaker(engine), [AGENTS])
    return ScimApp(ScimService(store, tokens=TokenRegistry(SqlTokenStore(engine, table=TOKENS))))


def async_host() -> ScimApp:
    """Return a host with `AsyncMappedStore`, whose requests run on the event loop."""
    url = sa.make_url(os.environ["BENCHMARK_URL"])
    url = url.set(drivername=_ASYNC_DRIVERS.get(url.drivername, url.drivername))
    engine = create_async_engine(url, pool_size=10)
    store = AsyncMappedStore(async_sessionmaker(engine), [AGENTS])
    return ScimApp(ScimService(store, tokens=AsyncTokenRegistry(AsyncSqlTokenStore(engine, table=TOKENS))))
