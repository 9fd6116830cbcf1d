"""`MappedStore`, a store that keeps resources in the application's SQLAlchemy models. This module runs no query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.events.resource_events import ResourceEvent
from scimkit.provisioning import LogEntry
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.mapped.collations import CollationCheck
from scimkit.stores.mapped.declaration import ResourceMapping
from scimkit.stores.mapped.memberships import Plan
from scimkit.stores.mapped.rows import Rows
from scimkit.stores.mapped.store import Call, RowStore, by_index_or_bytes
from scimkit.stores.protocol import Scope, StoreHealth, SyncStore, UnknownMembers
from scimkit.stores.sql.database import Result, pool_size, wait_for_pool
from scimkit.stores.sql.hot_statements import make_check
from scimkit.stores.sql.log_statements import insert_entries
from scimkit.stores.sql.log_tables import LogTables
from scimkit.stores.sql.outbox import SqlOutbox
from scimkit.stores.sql.outbox_statements import insert_events
from scimkit.stores.sql.provisioning_log import SqlProvisioningLog
from scimkit.stores.sqlalchemy.columns import Columns, association, place_of
from scimkit.stores.sqlalchemy.outbox import SessionRunner, no_log, no_outbox
from scimkit.stores.sqlalchemy.record_calls import RecordCalls, Use
from scimkit.stores.sqlalchemy.records import InstanceNeeded
from scimkit.stores.sqlalchemy.sessions import JoinedSession, Sessions


class MappedStore(RowStore):
    """A `SyncStore` that keeps resources in the application's SQLAlchemy models.

    The store creates no table and adds no column.

    Args:
        source: The engine or the sessionmaker of the application.
        mapped: The mapping of each resource type to a model.
        unknown_members: Treatment of a member that does not exist: `skip` or `reject`.
        outbox: The table of the outbox, from `outbox_table`.
        provisioning_log: The tables of the provisioning log, from `provisioning_log_tables`.
        always_instances: Read and write every resource as an instance of its model. By default, the store uses
            statements where no code of the application can see the difference.

    Raises:
        TypeError: The source is async. Use `AsyncMappedStore` instead.
        ValueError: A mapping does not fit its resource type or its model. The message names the entry.
    """

    def __init__(
        self,
        source: sa.Engine | orm.sessionmaker[Any],
        mapped: Sequence[ResourceMapping],
        *,
        unknown_members: UnknownMembers = "skip",
        outbox: sa.Table | None = None,
        provisioning_log: LogTables | None = None,
        always_instances: bool = False,
    ) -> None:
        super().__init__(Plan(mapped, Columns, association), unknown_members)
        if not _is_sync(source):
            raise TypeError(
                "MappedStore needs an Engine or a sessionmaker. For an AsyncEngine or an async_sessionmaker, use "
                "AsyncMappedStore of scimkit.stores.sqlalchemy.async_store."
            )
        maker = orm.sessionmaker(source) if isinstance(source, sa.Engine) else source
        sessions = Sessions(maker)
        self._sessions: Sessions | JoinedSession = sessions
        self.outbox: SqlOutbox | None = None if outbox is None else SqlOutbox(SessionRunner(sessions), outbox)
        """The outbox, if the argument `outbox` is a table of `outbox_table`."""
        self.provisioning_log: SqlProvisioningLog | None = None
        """The provisioning log, if the argument `provisioning_log` is a value of `provisioning_log_tables`."""
        if provisioning_log is not None:
            self.provisioning_log = SqlProvisioningLog(SessionRunner(sessions), provisioning_log)
        self._records = RecordCalls(
            self._plan,
            CollationCheck(self._plan, place_of),
            maker.class_,
            maker.kw,
            always_instances=always_instances,
        )

    @property
    def session(self) -> orm.Session | None:
        """The session of the present transaction, for statements of the application. None outside a transaction.

        The session does not flush automatically before a query.
        """
        return self._sessions.session

    @property
    def pool_size(self) -> int | None:
        """Number of connections in the pool of the engine, or None if the sessions have no engine."""
        engine = self._sessions.engine
        return pool_size(engine) if engine is not None else None

    @property
    def without_savepoints(self) -> MappedStore:
        """A copy of this store that uses no savepoints. The caller must end the transaction after every error."""
        store = copy(self)
        if self.session is not None:
            store._sessions = JoinedSession(self.session, savepoints=False)
        return store

    def check_health(self, deadline: float | None) -> StoreHealth:
        """Send a trivial query to the database.

        Args:
            deadline: Time of `time.monotonic()` by which the database must answer; None means no deadline.

        Raises:
            Unavailable: The database did not answer.
        """
        if self._sessions.engine is not None:
            wait_for_pool(self._sessions.engine, deadline)
        self._sessions.read(lambda session: session.execute(sa.select(1)), deadline)
        return StoreHealth(True)

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        def run(session: orm.Session) -> Result:
            result = work(self._joined(session))
            make_check(session.connection(), scope.token_check)  # the first read or write has usually made it
            return result

        return self._sessions.write(run, scope.deadline)

    def confirms_tokens_of(self, token_store: object) -> bool:
        """Report whether this store makes the checks of a token store, because both use the same engine."""
        engine = self._sessions.engine
        return engine is not None and getattr(token_store, "engine", None) is engine

    def record_events(self, events: Sequence[ResourceEvent]) -> None:
        """Add events to the outbox, in the transaction of the store.

        Raises:
            ValueError: The store has no outbox.
        """
        if self.outbox is None:
            raise no_outbox()
        insert = insert_events(self.outbox.table, events)
        self._sessions.write(lambda session: insert(session.connection()))

    def record_log(self, entries: Sequence[LogEntry]) -> None:
        """Add entries to the provisioning log, in the transaction of the store.

        Raises:
            ValueError: The store has no provisioning log.
        """
        if self.provisioning_log is None:
            raise no_log()
        insert = insert_entries(self.provisioning_log.tables, entries)
        if self.session is None:
            self._sessions.write(lambda session: insert(session.connection()))
        else:
            insert(self.session.connection())  # without a savepoint, because a failure undoes the write too

    def _read(self, scope: Scope, resource_type: ResourceType, call: Call[Result]) -> Result:
        return self._run(scope, resource_type, call, "read")

    def _write(self, scope: Scope, resource_type: ResourceType, call: Call[Result], *, creates: bool = False) -> Result:
        return self._run(scope, resource_type, call, "create" if creates else "change")

    def _run(self, scope: Scope, resource_type: ResourceType, call: Call[Result], use: Use) -> Result:
        """Run a call on records, or on instances if the application needs them."""
        layout = self._plan.layout(resource_type)

        def run(rows: Rows) -> Result:
            return call(self._work(rows, scope))

        def attempt(by_bytes: bool) -> Result:
            if self._records.are_enough(layout, use):
                with suppress(InstanceNeeded):
                    work = self._records.on_records(layout, scope, run, by_bytes=by_bytes)
                    if use == "read":
                        return self._sessions.read_connection(work, scope.deadline)
                    writes_once = self._records.write_once(layout, use)
                    return self._sessions.write_connection(work, scope.deadline, writes_once=writes_once)
            in_session = self._sessions.read if use == "read" else self._sessions.write
            return in_session(self._records.on_instances(layout, scope, run, by_bytes=by_bytes), scope.deadline)

        return by_index_or_bytes(attempt)

    def _joined(self, session: orm.Session) -> MappedStore:
        """Return a copy of this store whose calls join the transaction of a session."""
        store = copy(self)
        store._sessions = JoinedSession(session)
        return store


def _is_sync(source: object) -> bool:
    """Report whether a source creates synchronous sessions."""
    if not isinstance(source, orm.sessionmaker):
        return isinstance(source, sa.Engine)
    return issubclass(source.class_, orm.Session) and isinstance(
        source.kw.get("bind"), sa.Engine | sa.Connection | None
    )
