"""`AsyncMappedStore`, the mapped store with coroutines.

SQLAlchemy runs the work of `MappedStore` in a greenlet. This module imports no event loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import nullcontext, suppress
from copy import copy
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.util import greenlet_spawn

from scimkit.documents import Document
from scimkit.events.resource_events import ResourceEvent
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.provisioning import LogEntry
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.database_error_kinds import UnsupportedCharacter
from scimkit.stores.mapped.collations import CollationCheck
from scimkit.stores.mapped.declaration import ResourceMapping
from scimkit.stores.mapped.memberships import Plan
from scimkit.stores.mapped.rows import Rows
from scimkit.stores.mapped.store import Call
from scimkit.stores.mapped.store_operations import Work
from scimkit.stores.protocol import (
    Capability,
    Page,
    Query,
    RequestedAttributes,
    Scope,
    ServedType,
    Store,
    StoreHealth,
    UnknownMembers,
    Written,
    all_attributes,
)
from scimkit.stores.sql.async_outbox import AsyncSqlOutbox
from scimkit.stores.sql.async_provisioning_log import AsyncSqlProvisioningLog
from scimkit.stores.sql.async_store import insisted
from scimkit.stores.sql.database import Attempts, Result, pool_size
from scimkit.stores.sql.hot_statements import make_check
from scimkit.stores.sql.log_statements import insert_entries
from scimkit.stores.sql.log_tables import LogTables
from scimkit.stores.sql.outbox_statements import insert_events
from scimkit.stores.sqlalchemy.async_outbox import AsyncSessionRunner
from scimkit.stores.sqlalchemy.columns import Columns, association, place_of
from scimkit.stores.sqlalchemy.connections import Connections, ConnectionWork
from scimkit.stores.sqlalchemy.outbox import no_log, no_outbox
from scimkit.stores.sqlalchemy.record_calls import RecordCalls, Use
from scimkit.stores.sqlalchemy.records import InstanceNeeded
from scimkit.stores.sqlalchemy.sessions import SessionWork, begin, comparisons_translated


class AsyncMappedStore:
    """A `Store` that keeps resources in the application's SQLAlchemy models. `MappedStore` is the synchronous variant.

    Args:
        source: The async engine or the `async_sessionmaker` of the application.
        mapped: The mapping of each resource type to a model.
        unknown_members: Treatment of a member that does not exist: `skip` or `reject`.
        outbox: The table of the outbox, from `outbox_table`.
        provisioning_log: The tables of the provisioning log, from `provisioning_log_tables`.
        always_instances: Read and write every resource as an instance of its model, as in `MappedStore`.

    Raises:
        TypeError: The source is not async.
        ValueError: A mapping does not fit its resource type or its model. The message names the entry.
    """

    is_async: Literal[True] = True

    def __init__(
        self,
        source: AsyncEngine | async_sessionmaker[Any],
        mapped: Sequence[ResourceMapping],
        *,
        unknown_members: UnknownMembers = "skip",
        outbox: sa.Table | None = None,
        provisioning_log: LogTables | None = None,
        always_instances: bool = False,
    ) -> None:
        if not isinstance(source, AsyncEngine | async_sessionmaker):
            raise TypeError(
                "AsyncMappedStore needs an AsyncEngine or an async_sessionmaker. "
                "For an Engine or a sessionmaker, use MappedStore of scimkit.stores.sqlalchemy."
            )
        self._maker = async_sessionmaker(source) if isinstance(source, AsyncEngine) else source
        self._plan = Plan(mapped, Columns, association)
        self._unknown_members: UnknownMembers = unknown_members
        options = self._maker.kw
        self._connections = Connections(options)  # the code runs in greenlets
        session_class = options.get("sync_session_class", self._maker.class_.sync_session_class)
        self._records = RecordCalls(
            self._plan,
            CollationCheck(self._plan, place_of),
            session_class,
            options,
            always_instances=always_instances,
        )
        self.unsupported: Collection[Capability] = self._plan.unsupported
        self.serves: tuple[ServedType, ...] = self._plan.serves
        self.outbox: AsyncSqlOutbox | None = None
        """The outbox, if the argument `outbox` is a table of `outbox_table`."""
        if outbox is not None:
            self.outbox = AsyncSqlOutbox(AsyncSessionRunner(self._maker), outbox)
        self.provisioning_log: AsyncSqlProvisioningLog | None = None
        """The provisioning log, if the argument `provisioning_log` is a value of `provisioning_log_tables`."""
        if provisioning_log is not None:
            self.provisioning_log = AsyncSqlProvisioningLog(AsyncSessionRunner(self._maker), provisioning_log)
        self._savepoints = True
        self.session: AsyncSession | None = None
        """The session of the present transaction, as in `MappedStore.session`. None outside a transaction."""

    @property
    def engine(self) -> AsyncEngine | None:
        """The engine of the sessions, or None if the sessions have no engine."""
        bind = self._maker.kw.get("bind")
        return bind if isinstance(bind, AsyncEngine) else None

    @property
    def pool_size(self) -> int | None:
        """Number of connections in the pool of the engine, or None if the sessions have no engine."""
        return None if self.engine is None else pool_size(self.engine.sync_engine)

    @property
    def without_savepoints(self) -> AsyncMappedStore:
        """A copy of this store that uses no savepoints. The caller must end the transaction after every error."""
        store = copy(self)
        store._savepoints = self.session is None
        return store

    async def check_health(self, deadline: float | None) -> StoreHealth:
        """Send a trivial query to the database.

        Args:
            deadline: Time of `time.monotonic()` by which the database must answer; None means no deadline.

        Raises:
            Unavailable: The database did not answer.
        """

        async def ask(_: Attempts) -> None:
            async with self._maker() as session:
                await session.execute(sa.select(1))

        await insisted(ask, deadline)
        return StoreHealth(True)

    async def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        return await self._run(scope, resource_type, lambda work: work.get(id, requested), "read")

    async def search(self, scope: Scope, query: Query) -> Page:
        return await self._run(scope, query.resource_type, lambda work: work.search(query), "read")

    async def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        return await self._run(scope, resource_type, lambda work: work.create(document), "create")

    async def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        return await self._run(
            scope, resource_type, lambda work: work.replace(id, document, expected_version), "change"
        )

    async def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        return await self._run(scope, resource_type, lambda work: work.change(id, changes, expected_version), "change")

    async def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        return await self._run(scope, resource_type, lambda work: work.delete(id, expected_version), "change")

    async def transaction(self, scope: Scope, work: Callable[[Store], Awaitable[Result]]) -> Result:
        async def run(session: AsyncSession) -> Result:
            result = await work(self._joined(session))
            check = scope.token_check  # the first read or write has usually made it
            await session.run_sync(lambda each: make_check(each.connection(), check))
            return result

        return await self._transaction(run, scope.deadline)

    def confirms_tokens_of(self, token_store: object) -> bool:
        """Report whether this store makes the checks of a token store, because both use the same engine."""
        return self.engine is not None and getattr(token_store, "engine", None) is self.engine

    async def record_events(self, events: Sequence[ResourceEvent]) -> None:
        """Add events to the outbox, in the transaction of the store.

        Raises:
            ValueError: The store has no outbox.
        """
        if self.outbox is None:
            raise no_outbox()
        insert = insert_events(self.outbox.table, events)
        await self._transaction(lambda session: session.run_sync(lambda each: insert(each.connection())), deadline=None)

    async def record_log(self, entries: Sequence[LogEntry]) -> None:
        """Add entries to the provisioning log, in the transaction of the store.

        Raises:
            ValueError: The store has no provisioning log.
        """
        if self.provisioning_log is None:
            raise no_log()
        insert = insert_entries(self.provisioning_log.tables, entries)

        async def run(session: AsyncSession) -> None:
            await session.run_sync(lambda each: insert(each.connection()))

        if self.session is None:
            await self._transaction(run, deadline=None)
        else:
            await run(self.session)  # without a savepoint, because a failure undoes the write too

    async def _run(self, scope: Scope, resource_type: ResourceType, call: Call[Result], use: Use) -> Result:
        """Run a call on records, or on instances if the application needs them."""
        layout = self._plan.layout(resource_type)

        def run(rows: Rows) -> Result:
            return call(Work(self._plan, rows, self._unknown_members, report_changes=scope.report_changes))

        async def attempt(by_bytes: bool) -> Result:
            if self._records.are_enough(layout, use):
                with suppress(InstanceNeeded):
                    work = self._records.on_records(layout, scope, run, by_bytes=by_bytes)
                    if use == "read":
                        return await self._read_connection(work, scope.deadline)
                    writes_once = self._records.write_once(layout, use)
                    return await self._write_connection(work, scope.deadline, writes_once=writes_once)
            in_session = self._read if use == "read" else self._write
            return await in_session(self._records.on_instances(layout, scope, run, by_bytes=by_bytes), scope.deadline)

        return await _by_index_or_bytes(attempt)

    async def _read_connection(self, work: ConnectionWork[Result], deadline: float | None) -> Result:
        """Run work that only reads on a connection, or on the connection of the present transaction."""
        if self.session is not None:
            return await self._read(lambda session: work(session.connection(), session), deadline)
        read = partial(self._connections.read, work)
        return await insisted(lambda _: greenlet_spawn(read), deadline)

    async def _write_connection(
        self, work: ConnectionWork[Result], deadline: float | None, *, writes_once: bool
    ) -> Result:
        """Run work that writes on a connection, or on the connection of the present transaction."""
        if self.session is not None:
            return await self._write(lambda session: work(session.connection(), session), deadline)
        write = partial(self._connections.write, work, writes_once=writes_once)
        return await insisted(lambda attempts: greenlet_spawn(write, attempts), deadline)

    async def _read(self, work: SessionWork[Result], deadline: float | None) -> Result:
        """Run work that only reads, in a transaction of its own or in the present transaction."""
        if self.session is not None:
            with comparisons_translated():
                return await self.session.run_sync(work)

        async def transaction(_: Attempts) -> Result:
            async with self._maker(autoflush=False) as session:
                await session.run_sync(begin, "BEGIN", scimkit_reads=True)
                return await session.run_sync(work)

        return await insisted(transaction, deadline)

    async def _write(self, work: SessionWork[Result], deadline: float | None) -> Result:
        """Run work that writes, in a transaction of its own or in a savepoint of the present transaction."""
        return await self._transaction(lambda session: session.run_sync(work), deadline)

    async def _transaction(self, work: Callable[[AsyncSession], Awaitable[Result]], deadline: float | None) -> Result:
        """Run a coroutine function in a transaction of its own or in a savepoint of the present transaction."""
        if self.session is not None:
            with comparisons_translated():
                async with self.session.begin_nested() if self._savepoints else nullcontext():
                    return await work(self.session)

        async def transaction(attempts: Attempts) -> Result:
            async with self._maker(autoflush=False) as session, session.begin():
                await session.run_sync(begin, "BEGIN IMMEDIATE")
                result = await work(session)
                await session.flush()
                attempts.committing = True
                return result

        return await insisted(transaction, deadline)

    def _joined(self, session: AsyncSession) -> AsyncMappedStore:
        """Return a copy of this store whose calls join the transaction of a session."""
        store = copy(self)
        store.session = session
        return store


async def _by_index_or_bytes(run: Callable[[bool], Awaitable[Result]]) -> Result:
    """Run work again with comparisons by bytes if a column cannot be compared with a text."""
    try:
        return await run(False)
    except UnsupportedCharacter:
        return await run(True)
