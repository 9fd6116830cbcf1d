"""`ResourceMapping`, the declaration of how a model of the application stores the resources of a type.

The backend decides what a column, a condition or a link is. This module never reads a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from scimkit.schema.resource_types import ResourceType


@dataclass(frozen=True, slots=True)
class ResourceMapping:
    """A mapping of the attributes of a resource type to the columns of a model.

    `attributes` maps paths in the syntax of PATCH, such as `userName`, `name.givenName`, `emails[type eq "work"].value`
    or `urn:...:User:department`. Each path maps to a column, or to an entry such as `IsNull`, `Choice`, `Json`,
    `ReadOnly`, `Constant` or `Computed`. A path without brackets, such as `emails.value`, means that the columns
    contain the only element of `emails`. If a request has several elements, the columns take the primary or the first
    element.
    """

    resource_type: ResourceType
    """The resource type."""
    model: Any
    """The model class."""
    _: KW_ONLY
    id: Any
    """The column of the id: an integer, a UUID or a text.

    The application must never use an id for another row again.
    """
    attributes: Mapping[str, Any]
    """The entry of each mapped attribute, by path."""
    prefix: str = ""
    """Text before the value of the id column. Prefixes keep ids unique if several models number their rows."""
    tenant: Any = None
    """The column with the name of the tenant; None if there is one tenant only."""
    rest: Any = None
    """A JSON column for all attributes without an entry. Without this column, the store drops these attributes."""
    complete: Sequence[str] = ()
    """Multi-valued attributes, such as `emails`, whose elements all have entries.

    `rest` then keeps no other element of these attributes. The columns therefore answer a filter on all elements, such
    as `emails.value eq "..."`. Without `rest`, every attribute is complete.
    """
    version: Any = None
    """An integer column that counts the versions of a row. Without this column, the version is a hash of the row."""
    created: Any = None
    """A datetime column for `meta.created`."""
    modified: Any = None
    """A datetime column for `meta.lastModified`."""
    order: Any = None
    """The column that gives the order of creation; None means the primary key."""
    members: Sequence[Any] = field(default_factory=tuple)
    """The links to the models whose rows are members."""
    where: Any = None
    """A condition of the application that every served row must meet."""
    new: Callable[[], Any] | None = None
    """Creates an instance for a new resource; None means the model class."""
    delete: Callable[[Any], object] | None = None
    """Called with an instance in place of deleting its row. After the call, the row must no longer meet `where`."""
