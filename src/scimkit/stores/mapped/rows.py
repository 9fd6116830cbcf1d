"""What a back end gives so that a mapped store can read and write: the rows of one layout within one transaction.

Every statement carries the tenant and the host's own condition. This module holds no rule of SCIM.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scimkit.stores.mapped.conditions import Conditions, Folded
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.memberships import End
from scimkit.stores.paging import Position


@dataclass(frozen=True, slots=True)
class Order:
    """The column to sort by, before the order of creation."""

    field: Field
    descending: bool
    folds: bool


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the ordered rows is wanted; as in `protocol.Query`."""

    order: Order | None
    start_index: int
    count: int
    after: Position | None
    before: Position | None
    is_cached: bool = True
    """Whether the compiled statement is kept for the next request with a filter of the same form."""


@dataclass(frozen=True, slots=True)
class Far:
    """What stands at the far end of a link: its id, and its `displayName` if a column has that."""

    id: str
    display: Any


class Rows(Protocol):
    """The rows of one layout and tenant, within one transaction that someone else opens and ends.

    An *instance* is a row as the host's own model has it; its *key* is its primary key.
    """

    @property
    def layout(self) -> Layout:
        """The layout whose rows these are."""
        ...

    @property
    def conditions(self) -> Conditions[Any]:
        """What conditions on these rows are made with."""
        ...

    def find(self, id: str, *, lock: bool = False) -> Any:
        """The instance of an id; with `lock`, no other transaction changes it before this one ends.

        Raises: NotFound.
        """
        ...

    def matching(self, condition: Folded, window: Window) -> tuple[int, Sequence[Any], Sequence[Position]]:
        """How many rows meet a condition, the instances in a window of them, and their positions."""
        ...

    def others(self, condition: Folded, instance: Any) -> bool:
        """Whether a row that meets a condition is there besides an instance, or at all when that is None."""
        ...

    def new(self) -> Any:
        """An instance that is not a row yet, with its tenant."""
        ...

    def save(self, instance: Any) -> None:
        """Make a row of an instance, or bring its row to what it has now; what the database set is read back.

        Raises: Uniqueness, InvalidValue.
        """
        ...

    def delete(self, instance: Any) -> None:
        """Delete the row of an instance, or do what the host does in its place. Raises: Conflict."""
        ...

    def key(self, instance: Any) -> Any:
        """The primary key of an instance, as `far` and `known` have it."""
        ...

    def far(self, end: End, keys: Sequence[Any]) -> Mapping[Any, list[Far]]:
        """What stands at the far end of a link, by the keys of the rows at the near one, in the order of creation."""
        ...

    def known(self, end: End, ids: Iterable[str], *, lock: bool = False) -> Mapping[str, Any]:
        """The keys of the rows at the far end of a link that have one of some ids, linked or not, by id.

        With `lock`, none of them is deleted before the transaction ends.
        """
        ...

    def ids(self, layout: Layout, keys: Collection[Any]) -> Mapping[Any, str]:
        """Return the ids of rows of any layout by their primary keys."""
        ...

    def linked(self, end: End, instance: Any, keys: Collection[Any] | None = None) -> set[Any]:
        """Which of some keys, or of all, the far ends have that an instance is linked to."""
        ...

    def link(self, end: End, instance: Any, keys: Collection[Any]) -> None:
        """Link an instance to rows it is not linked to yet. Raises: Conflict."""
        ...

    def unlink(self, end: End, instance: Any, keys: Collection[Any] | None = None) -> bool:
        """Take away the links of an instance to some rows, or to all; whether there were any."""
        ...

    def touch(self, layout: Layout, keys: Collection[Any]) -> None:
        """Give rows of another layout their next version and instant: something linked to them has gone."""
        ...
