"""`ResourceMapping`: how the resources of a type live in a model of the host's own.

What a column, a condition or a link is, depends on the back end. This module never reads a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from scimkit.schema.resource_types import ResourceType


@dataclass(frozen=True, slots=True)
class ResourceMapping:
    """Where the resources of a type live.

    `attributes` names paths, in the words of PATCH: `userName`, `name.givenName`, `emails[type eq "work"].value`,
    `urn:...:User:department`. Each has a column, or an entry such as `IsNull`, `Choice`, `Json`, `ReadOnly`,
    `Constant` or `Computed`. `emails.value`, without brackets, says that the one element of `emails` lives there:
    the primary one, or the first.
    """

    resource_type: ResourceType
    model: Any
    _: KW_ONLY
    id: Any
    """The column of the id: an integer, a UUID or a text, never used for another row again."""
    attributes: Mapping[str, Any]
    prefix: str = ""
    """What goes before the id, where two models number their rows: no two resources may have one id."""
    tenant: Any = None
    """The column that has the tenant; None when there is one tenant only."""
    rest: Any = None
    """A JSON column that keeps what no entry maps; None drops it."""
    complete: Sequence[str] = ()
    """Multi-valued attributes, such as `emails`, whose elements all have entries.

    `rest` then keeps no other element of them. So a filter on every element, such as `emails.value eq "..."`, is
    answered by the columns. Without a `rest` every attribute is complete.
    """
    version: Any = None
    """An integer column that counts the states of a row; None makes versions of what a row has."""
    created: Any = None
    """A datetime column for `meta.created`."""
    modified: Any = None
    """A datetime column for `meta.lastModified`."""
    order: Any = None
    """The column whose order is that of creation; the primary key when None."""
    members: Sequence[Any] = field(default_factory=tuple)
    """The links to the models whose rows are members."""
    where: Any = None
    """A condition of the host's that every row served must meet."""
    new: Callable[[], Any] | None = None
    """Makes an instance for a resource that is created; the model itself when None."""
    delete: Callable[[Any], object] | None = None
    """What is done to an instance in the place of deleting its row. `where` must no longer hold then."""
