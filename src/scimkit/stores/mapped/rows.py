"""`Rows`, the protocol by which a mapped store reads and writes rows. Each backend implements `Rows`.

Every statement contains the tenant and the condition of the mapping. This module contains no rule of SCIM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scimkit.errors import Uniqueness
from scimkit.stores.mapped.conditions import Conditions, Folded
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.memberships import End
from scimkit.stores.paging import Position


@dataclass(frozen=True, slots=True)
class Order:
    """The column to sort by. Rows with equal values keep the order of creation."""

    field: Field
    descending: bool
    folds: bool


@dataclass(frozen=True, slots=True)
class Window:
    """The sort order and the limits of one page, as in `protocol.Query`."""

    order: Order | None
    start_index: int
    count: int
    after: Position | None
    before: Position | None
    is_cached: bool = True
    """True if the compiled statement is cached for requests with a filter of the same form."""

    def total(self, found: int) -> int | None:
        """Return the number of all matching rows if a page with `found` rows is the last one. None if unknown."""
        first = max(self.start_index, 1)
        if self.after is not None or self.before is not None or found >= self.count:
            return None
        return first - 1 + found if found or first == 1 else None


@dataclass(frozen=True, slots=True)
class Far:
    """The id and the `displayName` of a row at the far end of a link."""

    id: str
    display: Any
    """The displayName, or None if no column contains it."""


class Rows(Protocol):
    """The rows of one layout and tenant within one transaction. The caller begins and ends the transaction.

    An *instance* is an object of the application's model. Its *key* is the primary key.
    """

    @property
    def layout(self) -> Layout:
        """The layout of the rows."""
        ...

    @property
    def conditions(self) -> Conditions[Any]:
        """The object that builds conditions on these rows."""
        ...

    def find(self, id: str, *, lock: bool = False) -> Any:
        """Return the instance with an id.

        Args:
            id: The id of the resource.
            lock: True to prevent other transactions from changing the row before this transaction ends.

        Raises:
            NotFound: The tenant has no row with this id.
        """
        ...

    def matching(self, condition: Folded, window: Window) -> tuple[int, Sequence[Any], Sequence[Position]]:
        """Return the number of rows that meet a condition, the instances on one page, and their positions."""
        ...

    def others(self, condition: Folded, instance: Any) -> bool:
        """Report whether another row than that of an instance meets a condition. None stands for no instance."""
        ...

    def new(self) -> Any:
        """Return a new instance with its tenant. The instance has no row yet."""
        ...

    def insert(self, instance: Any, taken: Mapping[str, Folded]) -> None:
        """Insert the row of a new instance, as `save` does, unless another row meets a condition.

        Args:
            instance: The instance.
            taken: The condition for a row with the same value of a unique attribute, by the path of the attribute.

        Raises:
            Uniqueness: Another row has the same value of a unique attribute.
            InvalidValue: The database or the application refused a value.
        """
        ...

    def save(self, instance: Any) -> None:
        """Insert or update the row of an instance, and read back the values that the database set.

        Raises:
            Uniqueness: Another row has the same value of a unique attribute.
            InvalidValue: The database or the application refused a value.
        """
        ...

    def delete(self, instance: Any) -> None:
        """Delete the row of an instance, or call the function `delete` of the mapping.

        Raises:
            MutabilityViolation: Another record still refers to the row.
        """
        ...

    def key(self, instance: Any) -> Any:
        """Return the primary key of an instance, as used by `far` and `known`."""
        ...

    def far(self, end: End, keys: Sequence[Any]) -> Mapping[Any, list[Far]]:
        """Return the rows at the far end of a link, by the keys of the near rows, in the order of creation."""
        ...

    def known(self, end: End, ids: Iterable[str], *, lock: bool = False) -> Mapping[str, Any]:
        """Return the keys of the rows that have some ids, by id. The rows need not be linked.

        Args:
            end: The link whose far rows are searched.
            ids: The ids to look for.
            lock: True to prevent the deletion of the rows before this transaction ends.
        """
        ...

    def ids(self, layout: Layout, keys: Collection[Any]) -> Mapping[Any, str]:
        """Return the ids of rows of any layout by their primary keys."""
        ...

    def linked(self, end: End, instance: Any, keys: Collection[Any] | None = None) -> set[Any]:
        """Return the keys of the far rows that are linked to an instance.

        Args:
            end: The link.
            instance: The instance at the near end.
            keys: The keys to look for; None means all.
        """
        ...

    def link(self, end: End, instance: Any, keys: Collection[Any]) -> None:
        """Link an instance to rows. The rows must not be linked yet.

        Raises:
            Unavailable: Another transaction added the same member.
            InvalidValue: The database refused a link.
        """
        ...

    def unlink(self, end: End, instance: Any, keys: Collection[Any] | None = None) -> bool:
        """Remove the links of an instance to some rows, or to all rows. Report whether there were any."""
        ...

    def touch(self, layout: Layout, keys: Collection[Any]) -> None:
        """Increment the version and set the time of the last change of rows whose linked row was deleted."""
        ...


def check_unique(rows: Rows, taken: Mapping[str, Folded], instance: Any) -> None:
    """Check that no other row than that of an instance meets a condition of `Rows.insert`.

    Raises:
        Uniqueness: Another row meets a condition.
    """
    for path, condition in taken.items():
        if rows.others(condition, instance):
            raise Uniqueness(path)
