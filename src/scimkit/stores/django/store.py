"""`DjangoStore`, a store that keeps resources in the project's own Django models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from scimkit.events.resource_events import ResourceEvent
from scimkit.provisioning import LogEntry
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.django.breaker import DjangoBreakerStore
from scimkit.stores.django.fields import ModelFields, association, place_of
from scimkit.stores.django.outbox.outbox import DjangoOutbox
from scimkit.stores.django.provisioning_log.log import DjangoProvisioningLog
from scimkit.stores.django.rows import ModelRows
from scimkit.stores.django.transactions import Joined, Result, Transactions
from scimkit.stores.mapped.collations import COLLATION_QUERY, CollationCheck, Place
from scimkit.stores.mapped.declaration import ResourceMapping
from scimkit.stores.mapped.memberships import Plan
from scimkit.stores.mapped.store import Call, RowStore, by_index_or_bytes
from scimkit.stores.protocol import Scope, SyncStore, UnknownMembers


class DjangoStore(RowStore):
    """A `SyncStore` that keeps resources in the project's own Django models.

    Models save and delete their instances, so that signals and overridden `save` methods run. Code in signals and
    `save` methods runs inside the store's transaction.

    Args:
        mapped: The mapping of each resource type to a model.
        using: The alias of the database in `DATABASES`.
        unknown_members: Treatment of a member that does not exist: `skip` or `reject`.
        outbox: True if a service records its resource events in the table of the app `scimkit.stores.django.outbox`.
        provisioning_log: True if a service keeps its provisioning log in the tables of the app
            `scimkit.stores.django.provisioning_log`.

    Raises:
        ValueError: A mapping does not fit its resource type or its model. The message names the entry.
    """

    def __init__(
        self,
        mapped: Sequence[ResourceMapping],
        *,
        using: str = DEFAULT_DB_ALIAS,
        unknown_members: UnknownMembers = "skip",
        outbox: bool = False,
        provisioning_log: bool = False,
    ) -> None:
        super().__init__(Plan(mapped, ModelFields, association), unknown_members)
        self._transactions: Transactions | Joined = Transactions(using)
        self.outbox: DjangoOutbox | None = DjangoOutbox(using) if outbox else None
        """The outbox, in the table of the app `scimkit.stores.django.outbox`."""
        self.provisioning_log: DjangoProvisioningLog | None = DjangoProvisioningLog(using) if provisioning_log else None
        """The provisioning log, in the tables of the app `scimkit.stores.django.provisioning_log`."""
        self._collations = CollationCheck(self._plan, place_of)

    @property
    def using(self) -> str:
        """The alias of the database."""
        return self._transactions.using

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        joined = copy(self)
        joined._transactions = Joined(self._transactions.using)
        return self._transactions.write(lambda: work(joined), scope.deadline)

    def breaker_store(self) -> DjangoBreakerStore:
        """Return a store for the states of a breaker, in the same database."""
        return DjangoBreakerStore(self.using)

    def record_events(self, events: Sequence[ResourceEvent]) -> None:
        """Add events to the outbox, in the transaction of the store.

        Raises:
            ValueError: The store has no outbox.
        """
        outbox = self.outbox
        if outbox is None:
            raise ValueError("the store has no outbox; create it with outbox=True")
        self._transactions.write(lambda: outbox.add(events))

    def record_log(self, entries: Sequence[LogEntry]) -> None:
        """Add entries to the provisioning log, in the transaction of the store.

        Raises:
            ValueError: The store has no provisioning log.
        """
        log = self.provisioning_log
        if log is None:
            raise ValueError("the store has no provisioning log; create it with provisioning_log=True")
        if isinstance(self._transactions, Joined):
            log.insert(entries)  # without a savepoint, because a failure undoes the write too
        else:
            self._transactions.write(lambda: log.insert(entries))

    def _read(self, scope: Scope, resource_type: ResourceType, call: Call[Result]) -> Result:
        run = self._on_rows(scope, resource_type, call)
        return by_index_or_bytes(lambda by_bytes: self._transactions.read(lambda: run(by_bytes), scope.deadline))

    def _write(self, scope: Scope, resource_type: ResourceType, call: Call[Result], *, creates: bool = False) -> Result:
        run = self._on_rows(scope, resource_type, call)
        return by_index_or_bytes(lambda by_bytes: self._transactions.write(lambda: run(by_bytes), scope.deadline))

    def _on_rows(self, scope: Scope, resource_type: ResourceType, call: Call[Result]) -> Callable[[bool], Result]:
        """Return the function that runs a call on the rows of a resource type. Its argument is `by_bytes`."""

        def run(by_bytes: bool) -> Result:
            connection: Any = connections[self._transactions.using]
            self._collations.run(connection.vendor == "mysql", lambda place: _collation(connection, place))
            layout = self._plan.layout(resource_type)
            return call(self._work(ModelRows(self._transactions.using, layout, scope, by_bytes=by_bytes), scope))

        return run


def _collation(connection: Any, place: Place) -> str | None:
    """Return the collation of a column of MariaDB or MySQL, or None if the column has none."""
    with connection.cursor() as cursor:
        cursor.execute(COLLATION_QUERY.format("%s", "%s", "%s"), place)
        row = cursor.fetchone()
        return None if row is None else row[0]
