"""`AsyncSqlStore`: the SQL store awaited. SQLAlchemy runs the same work on its own bridge; nothing is written twice.

This module imports no event loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from copy import copy
from typing import Final, Literal, TypeAlias

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from scimkit.documents import Document
from scimkit.patch.changes import ChangeSet
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import Lack, Members, Page, Query, Scope, Store, UnknownMembers, Wants, Written, everything
from scimkit.stores.sql import migrations, work
from scimkit.stores.sql.database import (
    DRIVERS,
    Attempts,
    Result,
    Work,
    engine_options,
    own,
    prepared,
    reading,
    with_driver,
)

_ASYNC_DRIVERS: Final = {**DRIVERS, "sqlite": "sqlite+aiosqlite", "mysql": "mysql+asyncmy",
                         "mariadb": "mysql+asyncmy"}  # fmt: skip


AsyncWork: TypeAlias = Callable[[AsyncConnection], Awaitable[Result]]


class AsyncSqlStore:
    """A `Store` in a SQL database, awaited; the URLs are those of `SqlStore`.

    `sleep` is that of the event loop, such as `asyncio.sleep`. Await `upgrade` before the first use.
    """

    is_async: Literal[True] = True
    lacks: Collection[Lack] = ()

    def __init__(
        self,
        url: str | AsyncEngine,
        *,
        sleep: Callable[[float], Awaitable[object]],
        unknown_members: UnknownMembers = "skip",
    ) -> None:
        if isinstance(url, str):
            self.engine = async_engine(url)
        else:
            self.engine = url
            prepared(url.sync_engine)
        self._database: AsyncDatabase | AsyncJoined = AsyncDatabase(self.engine, sleep)
        self._unknown_members: UnknownMembers = unknown_members

    @property
    def connection(self) -> AsyncConnection | None:
        """The connection of the transaction it was given in, for rows of the host's own; None outside of one."""
        return self._database.connection

    async def upgrade(self) -> None:
        """Bring the tables to the newest schema. Raises: Unavailable."""
        await self._database.write(migrations.upgrade)

    async def get(self, scope: Scope, resource_type: ResourceType, id: str, wants: Wants = everything) -> Document:
        return await self._database.read(work.get(scope, resource_type, id, wants))

    async def search(self, scope: Scope, query: Query) -> Page:
        return await self._database.read(work.search(scope, query))

    async def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        return await self._database.write(work.create(scope, resource_type, document, self._unknown_members))

    async def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        return await self._database.write(
            work.replace(scope, resource_type, id, document, expected_version, self._unknown_members)
        )

    async def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        return await self._database.write(
            work.change(scope, resource_type, id, changes, expected_version, self._unknown_members)
        )

    async def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> None:
        await self._database.write(work.delete(scope, resource_type, id, expected_version))

    async def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members:
        return await self._database.read(work.members(scope, resource_type, id, after, count))

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result:
        return await self._database.transaction(lambda connection: work(self._joined(connection)))

    def _joined(self, connection: AsyncConnection) -> AsyncSqlStore:
        """This store within a transaction."""
        store = copy(self)
        store._database = AsyncJoined(connection)
        return store


def async_engine(url: str) -> AsyncEngine:
    """An async engine for the same URLs. Raises: ValueError for another database."""
    parsed = with_driver(url, _ASYNC_DRIVERS)
    engine = create_async_engine(parsed, **engine_options(parsed))
    own(engine.sync_engine)
    return engine


async def insisted(
    transaction: Callable[[Attempts], Awaitable[Result]],
    sleep: Callable[[float], Awaitable[object]],
    *,
    reads: bool = False,
) -> Result:
    """As `database.insisted`, for a transaction that is awaited."""
    attempts = Attempts(reads)
    while True:
        try:
            return await transaction(attempts)
        except DBAPIError as error:
            seconds = attempts.failed(error)
        await sleep(seconds)


class AsyncDatabase:
    """Runs work in transactions on an async engine; `sleep` is the event loop's."""

    connection: None = None

    def __init__(self, engine: AsyncEngine, sleep: Callable[[float], Awaitable[object]]) -> None:
        self.engine = engine
        self._sleep = sleep

    async def read(self, work: Work[Result]) -> Result:
        """As `Database.read`."""
        options = reading(self.engine.dialect.name)

        async def transaction(_: Attempts) -> Result:
            async with self.engine.connect() as connection:
                await connection.execution_options(**options)
                return await connection.run_sync(work)

        return await insisted(transaction, self._sleep, reads=True)

    async def write(self, work: Work[Result]) -> Result:
        """As `Database.write`."""
        return await self.transaction(lambda connection: connection.run_sync(work))

    async def transaction(self, work: AsyncWork[Result]) -> Result:
        """As `Database.write`, for work that is awaited."""

        async def transaction(attempts: Attempts) -> Result:
            async with self.engine.begin() as connection:
                result = await work(connection)
                attempts.committing = True
            return result

        return await insisted(transaction, self._sleep)


class AsyncJoined:
    """As `Joined`, on an async connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def read(self, work: Work[Result]) -> Result:
        """As `Joined.read`."""
        return await self.connection.run_sync(work)

    async def write(self, work: Work[Result]) -> Result:
        """As `Joined.write`."""
        return await self.transaction(lambda connection: connection.run_sync(work))

    async def transaction(self, work: AsyncWork[Result]) -> Result:
        """As `Joined.write`, for work that is awaited."""
        async with self.connection.begin_nested():
            return await work(self.connection)
