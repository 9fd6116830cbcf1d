"""`SqlStore`: the store port on SQLite, PostgreSQL, MariaDB and MySQL. Each method is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import copy
from typing import Literal

import sqlalchemy as sa

from scimkit.documents import Document
from scimkit.events.resource_events import ResourceEvent
from scimkit.patch.changes import ChangeSet, EffectiveChanges
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
from scimkit.stores.sql.database import Database, Joined, Result, pool_size, prepared, sync_engine
from scimkit.stores.sql.outbox import SqlOutbox
from scimkit.stores.sql.outbox_statements import insert_events
from scimkit.stores.sql.tables import OUTBOX
from scimkit.stores.sql.timeouts import STATEMENT_TIMEOUT


class SqlStore:
    """A `SyncStore` in a SQL database: `sqlite:///FILE`, `postgresql+psycopg://...`, `mysql+pymysql://...`.

    Args:
        url: The URL of the database, or an engine of the host's own.
        unknown_members: What becomes of a member that does not exist.
        upgrade: Whether to make the tables or upgrade them.
        statement_timeout: Seconds that one statement, or the wait for one lock, may take. Then it is cancelled, and the
            client gets 503 with Retry-After. An engine of the host's own keeps its timeouts.
        outbox: Whether a service records its resource events in the table `scim_outbox`.

    Raises:
        ValueError: The URL is of another database.
        Unavailable: The database cannot be reached.
    """

    is_async: Literal[False] = False
    blocking = True
    unsupported: Collection[Capability] = ()

    def __init__(
        self,
        url: str | sa.Engine,
        *,
        unknown_members: UnknownMembers = "skip",
        upgrade: bool = True,
        statement_timeout: float = STATEMENT_TIMEOUT,
        outbox: bool = False,
    ) -> None:
        self.engine: sa.Engine = sync_engine(url, statement_timeout) if isinstance(url, str) else prepared(url)
        database = Database(self.engine)
        self._database: Database | Joined = database
        self.outbox: SqlOutbox | None = SqlOutbox(database, OUTBOX) if outbox else None
        """The outbox, if the store has one."""
        self._unknown_members: UnknownMembers = unknown_members
        if upgrade:
            self.upgrade()

    @property
    def connection(self) -> sa.Connection | None:
        """The connection of the transaction it was given in, for rows of the host's own; None outside of one."""
        return self._database.connection

    @property
    def schema_version(self) -> str | None:
        """The version that the tables are at, such as `0002`; None when there are none. Raises: Unavailable."""
        return self._database.read(migrations.current)

    @property
    def pool_size(self) -> int | None:
        """How many connections the pool of the engine keeps; None if it does not say."""
        return pool_size(self.engine)

    def check_health(self, deadline: float | None) -> StoreHealth:
        """Ask the database for the version of its tables. Raises Unavailable."""
        return migrations.health(self._database.read(migrations.current, deadline))

    def upgrade(self) -> None:
        """Bring the tables to the newest schema. Raises: Unavailable."""
        self._database.write(migrations.upgrade, takes_long=True)

    def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        return self._database.read(store_operations.get(scope, resource_type, id, requested), scope.deadline)

    def search(self, scope: Scope, query: Query) -> Page:
        return self._database.read(store_operations.search(scope, query), scope.deadline)

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        return self._database.write(
            store_operations.create(scope, resource_type, document, self._unknown_members), scope.deadline
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
        )

    def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        return self._database.write(store_operations.delete(scope, resource_type, id, expected_version), scope.deadline)

    def members(self, scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Members:
        return self._database.read(store_operations.members(scope, resource_type, id, after, count), scope.deadline)

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        return self._database.write(lambda connection: work(self._joined(connection)), scope.deadline)

    def record_events(self, events: Sequence[ResourceEvent]) -> None:
        """Add events to the outbox, in the transaction of the store."""
        insert, connection = insert_events(OUTBOX, events), self._database.connection
        if connection is None:
            self._database.write(insert)
        else:
            insert(connection)  # without a savepoint, because a failure undoes the write too

    def _joined(self, connection: sa.Connection) -> SqlStore:
        """This store within a transaction."""
        store = copy(self)
        store._database = Joined(connection)
        return store
