"""`SqlStore`, a synchronous store on SQLite, PostgreSQL, MariaDB or MySQL.

Each call of a method runs in a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import copy
from typing import Literal

import sqlalchemy as sa

from scimkit.documents import Document
from scimkit.events.resource_events import ResourceEvent
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.provisioning import LogEntry
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import (
    Capability,
    Members,
    Page,
    Query,
    RequestedAttributes,
    Scope,
    StoreHealth,
    SyncStore,
    UnknownMembers,
    Written,
    all_attributes,
)
from scimkit.stores.sql import migrations, store_operations
from scimkit.stores.sql.breaker import SqlBreakerStore
from scimkit.stores.sql.database import Database, Joined, Result, Work, pool_size, prepared, sync_engine
from scimkit.stores.sql.hot_statements import make_check
from scimkit.stores.sql.log_statements import insert_entries
from scimkit.stores.sql.outbox import SqlOutbox
from scimkit.stores.sql.outbox_statements import insert_events
from scimkit.stores.sql.provisioning_log import SqlProvisioningLog
from scimkit.stores.sql.tables import LOG, OUTBOX
from scimkit.stores.sql.timeouts import STATEMENT_TIMEOUT


class SqlStore:
    """A `SyncStore` that keeps resources in tables of its own in a SQL database.

    Args:
        url: The URL of the database, or an engine of the application. URLs are `sqlite:///FILE`,
            `postgresql+psycopg://...` and `mysql+pymysql://...`.
        unknown_members: Treatment of a member that does not exist: `skip` or `reject`.
        upgrade: True to create the tables or to upgrade them to the newest version.
        statement_timeout: Largest number of seconds for one statement or for the wait for one lock. After that, the
            database cancels the statement, and the client receives 503 with Retry-After. An engine of the application
            keeps its timeouts.
        outbox: True if a service records its resource events in the table `scim_outbox`.
        provisioning_log: True if a service keeps its provisioning log in the tables `scim_log` and `scim_log_activity`.
        prepare_statements: True to prepare statements of PostgreSQL and to set timeouts once for each session. False to
            leave nothing in a session, for a connection pooler in transaction mode. By default, False if a pooler is
            found. An engine of the application keeps its own setting.
    """

    is_async: Literal[False] = False
    blocking = True
    unsupported: Collection[Capability] = ()
    holds_references: bool = True
    logs_writes: bool = True
    """True, because a write adds the entry of `Scope.log_entry` to the provisioning log."""

    def __init__(
        self,
        url: str | sa.Engine,
        *,
        unknown_members: UnknownMembers = "skip",
        upgrade: bool = True,
        statement_timeout: float = STATEMENT_TIMEOUT,
        outbox: bool = False,
        provisioning_log: bool = False,
        prepare_statements: bool | None = None,
    ) -> None:
        self.engine: sa.Engine = (
            sync_engine(url, statement_timeout, prepare_statements=prepare_statements)
            if isinstance(url, str)
            else prepared(url)
        )
        database = Database(self.engine)
        self._database: Database | Joined = database
        self.outbox: SqlOutbox | None = SqlOutbox(database, OUTBOX) if outbox else None
        """The outbox, if the store has one."""
        self.provisioning_log: SqlProvisioningLog | None = (
            SqlProvisioningLog(database, LOG) if provisioning_log else None
        )
        """The provisioning log, if the store has one."""
        self._unknown_members: UnknownMembers = unknown_members
        if upgrade:
            self.upgrade()

    @property
    def connection(self) -> sa.Connection | None:
        """The connection of the present transaction, for statements of the application. None outside a transaction."""
        return self._database.connection

    @property
    def schema_version(self) -> str | None:
        """The version of the tables, such as `0002`; None if the tables do not exist.

        Raises:
            Unavailable: The database failed.
        """
        return self._database.read(migrations.current)

    @property
    def pool_size(self) -> int | None:
        """Number of connections in the pool of the engine; None if the pool has no fixed size."""
        return pool_size(self.engine)

    def check_health(self, deadline: float | None) -> StoreHealth:
        """Read the version of the tables, and report whether the store can serve requests.

        Args:
            deadline: Time of `time.monotonic()` by which the database must answer; None means no deadline.

        Raises:
            Unavailable: The database did not answer.
        """
        return migrations.health(self._database.read(migrations.current, deadline))

    def upgrade(self) -> None:
        """Create the tables, or upgrade them to the newest version.

        Raises:
            Unavailable: The database failed.
        """
        self._database.write(migrations.upgrade, takes_long=True)

    @property
    def without_savepoints(self) -> SqlStore:
        """A copy of this store that uses no savepoints. The caller must end the transaction after every error."""
        store = copy(self)
        if self.connection is not None:
            store._database = Joined(self.connection, savepoints=False)
        return store

    def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        return self._database.read(
            store_operations.get(scope, resource_type, id, requested), scope.deadline, scope.token_check
        )

    def search(self, scope: Scope, query: Query) -> Page:
        return self._database.read(store_operations.search(scope, query), scope.deadline, scope.token_check)

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        return self._database.write(
            store_operations.create(scope, resource_type, document, self._unknown_members),
            scope.deadline,
            once=store_operations.writes_once(resource_type, document),
            guarded=True,
        )

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        return self._database.write(
            store_operations.replace(scope, resource_type, id, document, expected_version, self._unknown_members),
            scope.deadline,
            once=store_operations.replaces_once(resource_type),
        )

    def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        return self._database.write(
            store_operations.change(scope, resource_type, id, changes, expected_version, self._unknown_members),
            scope.deadline,
            once=store_operations.changes_once(resource_type, changes),
        )

    def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        return self._database.write(store_operations.delete(scope, resource_type, id, expected_version), scope.deadline)

    def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members:
        return self._database.read(
            store_operations.members(scope, resource_type, id, after, count), scope.deadline, scope.token_check
        )

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        def run(connection: sa.Connection) -> Result:
            result = work(self._joined(connection))
            make_check(connection, scope.token_check)  # the first read or write has usually made it
            return result

        return self._database.write(run, scope.deadline)

    def confirms_tokens_of(self, token_store: object) -> bool:
        """Report whether this store makes the checks of a token store, because both use the same engine."""
        return getattr(token_store, "engine", None) is self.engine

    def breaker_store(self) -> SqlBreakerStore:
        """Return a store for the states of a breaker, in the same database."""
        return SqlBreakerStore(self.engine)

    def record_events(self, events: Sequence[ResourceEvent]) -> None:
        """Add events to the outbox, in the transaction of the store."""
        self._add(insert_events(OUTBOX, events))

    def record_log(self, entries: Sequence[LogEntry]) -> None:
        """Add entries to the provisioning log, in the transaction of the store."""
        self._add(insert_entries(LOG, entries))

    def _add(self, insert: Work[None]) -> None:
        """Insert rows in the present transaction, or in one of their own."""
        connection = self._database.connection
        if connection is None:
            self._database.write(insert)
        else:
            insert(connection)  # without a savepoint, because a failure undoes the write too

    def _joined(self, connection: sa.Connection) -> SqlStore:
        """Return a copy of this store whose calls join the transaction of a connection."""
        store = copy(self)
        store._database = Joined(connection)
        return store
