"""`AsyncSqlStore`, the SQL store with coroutines.

SQLAlchemy runs the work of `store_operations` in a greenlet, so that both SQL stores share the same code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import nullcontext, suppress
from copy import copy
from time import monotonic
from typing import Final, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util import await_only, greenlet_spawn

from scimkit.documents import Document
from scimkit.events.resource_events import ResourceEvent
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.provisioning import LogEntry
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.breaker import AsyncBreakerStore
from scimkit.stores.database_errors import no_answer
from scimkit.stores.protocol import (
    Capability,
    Members,
    Page,
    Query,
    RequestedAttributes,
    Scope,
    Store,
    StoreHealth,
    UnknownMembers,
    Written,
    all_attributes,
)
from scimkit.stores.sql import migrations, store_operations
from scimkit.stores.sql.async_outbox import AsyncSqlOutbox
from scimkit.stores.sql.async_provisioning_log import AsyncSqlProvisioningLog
from scimkit.stores.sql.database import (
    DRIVERS,
    Attempts,
    NeedsTransaction,
    Result,
    Transactions,
    Work,
    after_check,
    awaited_connection,
    engine_options,
    missing_driver,
    own,
    pool_size,
    prepared,
    with_driver,
)
from scimkit.stores.sql.direct_reads import HotRead, NeedsMore
from scimkit.stores.sql.hot_statements import Interfered, OutcomeUnknown, make_check, takes_single_statements
from scimkit.stores.sql.log_statements import insert_entries
from scimkit.stores.sql.outbox_statements import insert_events
from scimkit.stores.sql.tables import LOG, OUTBOX
from scimkit.stores.sql.timeouts import STATEMENT_TIMEOUT, AsyncBoundedPool, pool_deadline
from scimkit.tokens import TokenCheck

_ASYNC_DRIVERS: Final = {**DRIVERS, "sqlite": "sqlite+aiosqlite", "mysql": "mysql+asyncmy",
                         "mariadb": "mysql+asyncmy"}  # fmt: skip


AsyncWork: TypeAlias = Callable[[AsyncConnection], Awaitable[Result]]
"""Coroutine function that works on an async connection."""


class AsyncSqlStore:
    """A `Store` that keeps resources in tables of its own in a SQL database.

    Await `upgrade` before the first use.

    Args:
        url: The URL of the database, as for `SqlStore`, or an async engine of the application.
        unknown_members: Treatment of a member that does not exist: `skip` or `reject`.
        statement_timeout: Largest number of seconds for one statement or for the wait for one lock. An engine of the
            application keeps its timeouts.
        outbox: True if a service records its resource events in the table `scim_outbox`.
        provisioning_log: True if a service keeps its provisioning log in the tables `scim_log` and `scim_log_activity`.
        prepare_statements: True to prepare statements of PostgreSQL and to set timeouts once for each session. False to
            leave nothing in a session, for a connection pooler in transaction mode. By default, False if a pooler is
            found. An engine of the application keeps its own setting.
    """

    is_async: Literal[True] = True
    unsupported: Collection[Capability] = ()
    holds_references: bool = True
    logs_writes: bool = True
    """True, because a write adds the entry of `Scope.log_entry` to the provisioning log."""

    def __init__(
        self,
        url: str | AsyncEngine,
        *,
        unknown_members: UnknownMembers = "skip",
        statement_timeout: float = STATEMENT_TIMEOUT,
        outbox: bool = False,
        provisioning_log: bool = False,
        prepare_statements: bool | None = None,
    ) -> None:
        if isinstance(url, str):
            self.engine: AsyncEngine = async_engine(url, statement_timeout, prepare_statements=prepare_statements)
        else:
            self.engine = url
            prepared(url.sync_engine)
        database = AsyncDatabase(self.engine)
        self._database: AsyncDatabase | AsyncJoined = database
        self.outbox: AsyncSqlOutbox | None = AsyncSqlOutbox(database, OUTBOX) if outbox else None
        """The outbox, if the store has one."""
        self.provisioning_log: AsyncSqlProvisioningLog | None = (
            AsyncSqlProvisioningLog(database, LOG) if provisioning_log else None
        )
        """The provisioning log, if the store has one."""
        self._unknown_members: UnknownMembers = unknown_members

    @property
    def connection(self) -> AsyncConnection | None:
        """The connection of the present transaction, for statements of the application. None outside a transaction."""
        return self._database.connection

    @property
    def pool_size(self) -> int | None:
        """Number of connections in the pool of the engine; None if the pool has no fixed size."""
        return pool_size(self.engine.sync_engine)

    async def check_health(self, deadline: float | None) -> StoreHealth:
        """Read the version of the tables, and report whether the store can serve requests.

        Args:
            deadline: Time of `time.monotonic()` by which the database must answer; None means no deadline.

        Raises:
            Unavailable: The database did not answer.
        """
        return migrations.health(await self._database.read(migrations.current, deadline))

    async def upgrade(self) -> None:
        """Create the tables, or upgrade them to the newest version.

        Raises:
            Unavailable: The database failed.
        """
        await self._database.write(migrations.upgrade, takes_long=True)

    @property
    def without_savepoints(self) -> AsyncSqlStore:
        """A copy of this store that uses no savepoints. The caller must end the transaction after every error."""
        store = copy(self)
        if self.connection is not None:
            store._database = AsyncJoined(self.connection, savepoints=False)
        return store

    async def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        return await self._database.read(
            store_operations.get(scope, resource_type, id, requested), scope.deadline, scope.token_check
        )

    async def search(self, scope: Scope, query: Query) -> Page:
        return await self._database.read(store_operations.search(scope, query), scope.deadline, scope.token_check)

    async def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        return await self._database.write(
            store_operations.create(scope, resource_type, document, self._unknown_members),
            scope.deadline,
            once=store_operations.writes_once(resource_type, document),
            guarded=True,
        )

    async def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        return await self._database.write(
            store_operations.replace(scope, resource_type, id, document, expected_version, self._unknown_members),
            scope.deadline,
            once=store_operations.replaces_once(resource_type),
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
            store_operations.change(scope, resource_type, id, changes, expected_version, self._unknown_members),
            scope.deadline,
            once=store_operations.changes_once(resource_type, changes),
        )

    async def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        return await self._database.write(
            store_operations.delete(scope, resource_type, id, expected_version), scope.deadline
        )

    async def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members:
        return await self._database.read(
            store_operations.members(scope, resource_type, id, after, count), scope.deadline, scope.token_check
        )

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result:
        return await self._database.transaction(
            lambda connection: work(self._joined(connection)), scope.deadline, scope.token_check
        )

    def confirms_tokens_of(self, token_store: object) -> bool:
        """Report whether this store makes the checks of a token store, because both use the same engine."""
        return getattr(token_store, "engine", None) is self.engine

    def breaker_store(self) -> AsyncBreakerStore:
        """Return a store for the states of a breaker, in the same database."""
        from scimkit.stores.sql.async_breaker import AsyncSqlBreakerStore

        return AsyncSqlBreakerStore(self.engine)

    async def record_events(self, events: Sequence[ResourceEvent]) -> None:
        """Add events to the outbox, in the transaction of the store."""
        await self._add(insert_events(OUTBOX, events))

    async def record_log(self, entries: Sequence[LogEntry]) -> None:
        """Add entries to the provisioning log, in the transaction of the store."""
        await self._add(insert_entries(LOG, entries))

    async def _add(self, insert: Work[None]) -> None:
        """Insert rows in the present transaction, or in one of their own."""
        connection = self._database.connection
        if connection is None:
            await self._database.write(insert)
        else:
            await connection.run_sync(insert)  # without a savepoint, because a failure undoes the write too

    def _joined(self, connection: AsyncConnection) -> AsyncSqlStore:
        """Return a copy of this store whose calls join the transaction of a connection."""
        store = copy(self)
        store._database = AsyncJoined(connection)
        return store


def async_engine(
    url: str, statement_timeout: float = STATEMENT_TIMEOUT, *, prepare_statements: bool | None = None
) -> AsyncEngine:
    """Return an async engine for a URL.

    Raises:
        ValueError: The URL names an unsupported database.
        ModuleNotFoundError: The driver of the database is not installed.
    """
    parsed = with_driver(url, _ASYNC_DRIVERS)
    options = engine_options(parsed, AsyncBoundedPool)
    if parsed.get_driver_name() == "psycopg":
        options["connect_args"]["async_creator_fn"] = awaited_connection
    with missing_driver():
        engine = create_async_engine(parsed, **options)
    own(engine.sync_engine, statement_timeout, prepare_statements=prepare_statements)
    return engine


async def insisted(transaction: Callable[[Attempts], Awaitable[Result]], deadline: float | None = None) -> Result:
    """Await a transaction, and repeat the transaction as `database.insisted` does.

    Raises:
        Unavailable: The database failed, or did not answer by the deadline.
    """
    attempts = Attempts(deadline)
    while True:
        left = None if deadline is None else deadline - monotonic()
        try:
            # A driver with a deadline of its own ends the wait before this timeout.
            async with asyncio.timeout(None if left is None else left + 1):
                with pool_deadline(deadline):
                    return await transaction(attempts)
        except (DBAPIError, PoolTimeout, OutcomeUnknown, Interfered) as error:
            seconds = attempts.failed(error)
        except TimeoutError:
            raise no_answer() from None
        await asyncio.sleep(seconds)


class AsyncDatabase:
    """Runs work in transactions on an async engine."""

    connection: None = None

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._transactions = Transactions.on(engine.sync_engine)
        self._direct = self._transactions.direct

    async def read(self, work: Work[Result], deadline: float | None = None, check: TokenCheck | None = None) -> Result:
        """Run work that only reads, as `Database.read` does."""
        if self._direct is not None and isinstance(work, HotRead):
            direct, hot = self._direct, work
            rows = await insisted(lambda _: direct.awaited_rows(hot, deadline, check), deadline)
            if rows is not None:
                try:
                    result: Result = hot.result(rows)
                    return result
                except NeedsMore:
                    work = hot.otherwise
        checked = after_check(check, work)
        return await insisted(lambda _: greenlet_spawn(self._transactions.read, checked, deadline), deadline)

    async def write(
        self,
        work: Work[Result],
        deadline: float | None = None,
        *,
        takes_long: bool = False,
        once: bool = False,
        guarded: bool = False,
    ) -> Result:
        """Run work in a transaction, as `Database.write` does."""
        transactions = self._transactions
        if once and transactions.are_optional:
            with suppress(NeedsTransaction):
                return await insisted(lambda _: greenlet_spawn(transactions.write_once, work, deadline), deadline)
        return await insisted(
            lambda attempts: greenlet_spawn(transactions.write, work, attempts, takes_long=takes_long), deadline
        )

    async def transaction(
        self, work: AsyncWork[Result], deadline: float | None = None, check: TokenCheck | None = None
    ) -> Result:
        """Run a coroutine function in a transaction, as `write` does. One greenlet begins and ends the transaction."""

        def run(connection: sa.Connection) -> Result:
            result = await_only(work(AsyncConnection(self.engine, connection)))
            make_check(connection, check)  # the first read or write has usually made it
            return result

        return await self.write(run, deadline)


class AsyncJoined:
    """Runs work in a transaction that is already open on an async connection, as `Joined` does."""

    def __init__(self, connection: AsyncConnection, *, savepoints: bool = True) -> None:
        self.connection = connection
        self._savepoints = savepoints

    async def read(self, work: Work[Result], deadline: float | None = None, check: TokenCheck | None = None) -> Result:
        """Run work that only reads, as `Joined.read` does."""
        return await self.connection.run_sync(after_check(check, work))

    async def write(
        self,
        work: Work[Result],
        deadline: float | None = None,
        *,
        takes_long: bool = False,
        once: bool = False,
        guarded: bool = False,
    ) -> Result:
        """Run work in a savepoint, as `Joined.write` does."""
        if once and guarded and takes_single_statements(self.connection.dialect):
            return await self.connection.run_sync(work)
        return await self.transaction(lambda connection: connection.run_sync(work))

    async def transaction(
        self, work: AsyncWork[Result], deadline: float | None = None, check: TokenCheck | None = None
    ) -> Result:
        """Run a coroutine function in a savepoint, or without one if savepoints are off."""
        async with self.connection.begin_nested() if self._savepoints else nullcontext():
            result = await work(self.connection)
            if check is not None:
                await self.connection.run_sync(make_check, check)
            return result
