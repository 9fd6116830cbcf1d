"""`RowStore`, the methods of the store protocol for stores over the application's own models.

This module never begins or ends a transaction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import Literal, TypeAlias, TypeVar

from scimkit.documents import Document
from scimkit.patch.changes import ChangeSet, EffectiveChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.database_error_kinds import UnsupportedCharacter
from scimkit.stores.mapped.memberships import Plan
from scimkit.stores.mapped.rows import Rows
from scimkit.stores.mapped.store_operations import Work
from scimkit.stores.protocol import (
    Capability,
    Page,
    Query,
    RequestedAttributes,
    Scope,
    ServedType,
    SyncStore,
    UnknownMembers,
    Written,
    all_attributes,
)

Result = TypeVar("Result")

Call: TypeAlias = Callable[[Work], Result]
"""Function that calls one method of `Work`."""


def by_index_or_bytes(run: Callable[[bool], Result]) -> Result:
    """Run work, and run the work again with comparisons by bytes if a column cannot be compared with a text.

    Args:
        run: Does the work in a transaction. Its argument tells whether to compare by bytes.
    """
    try:
        return run(False)
    except UnsupportedCharacter:
        return run(True)


class RowStore(ABC):
    """A `SyncStore` over the application's own models. Each backend implements the transactions."""

    is_async: Literal[False] = False
    blocking = True

    def __init__(self, plan: Plan, unknown_members: UnknownMembers) -> None:
        self.unsupported: Collection[Capability] = plan.unsupported
        self.serves: tuple[ServedType, ...] = plan.serves
        self._plan = plan
        self._unknown_members: UnknownMembers = unknown_members

    @abstractmethod
    def _read(self, scope: Scope, resource_type: ResourceType, call: Call[Result]) -> Result:
        """Run a call that only reads, and return its result.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """

    @abstractmethod
    def _write(self, scope: Scope, resource_type: ResourceType, call: Call[Result], *, creates: bool = False) -> Result:
        """Run a call in a transaction, and return its result. `creates` is True if the call adds a resource.

        Raises:
            Unavailable: The database failed, or the deadline has passed.
        """

    @abstractmethod
    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        """Run a function in one transaction, as `SyncStore.transaction` does."""

    def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        return self._read(scope, resource_type, lambda work: work.get(id, requested))

    def search(self, scope: Scope, query: Query) -> Page:
        return self._read(scope, query.resource_type, lambda work: work.search(query))

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        return self._write(scope, resource_type, lambda work: work.create(document), creates=True)

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        return self._write(scope, resource_type, lambda work: work.replace(id, document, expected_version))

    def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        return self._write(scope, resource_type, lambda work: work.change(id, changes, expected_version))

    def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        return self._write(scope, resource_type, lambda work: work.delete(id, expected_version))

    def _work(self, rows: Rows, scope: Scope) -> Work:
        """Return the methods of the store protocol on some rows."""
        return Work(self._plan, rows, self._unknown_members, report_changes=scope.report_changes)
