"""The options of the provisioning log: which values an entry keeps, and for how long."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class LogOptions:
    """The options of the provisioning log of a service.

    Raises:
        ValueError: An option has a value that is not allowed.
    """

    values: Literal["all", "names"] = "all"
    """`all` keeps the values of changed attributes before and after. `names` keeps the paths of the attributes only."""
    redact: Collection[str] = ()
    """Paths of attributes whose values are not kept, such as `phoneNumbers` or `name.familyName`.

    With `userName` or `displayName`, entries have no label. With `externalId`, entries have no external id.
    """
    retention: timedelta = timedelta(days=30)
    """Entries that are older are deleted by the service itself, some each minute in which it is used."""

    def __post_init__(self) -> None:
        if self.values not in ("all", "names"):
            raise ValueError("values must be all or names")
        if self.retention <= timedelta(0):
            raise ValueError("retention must be a positive time")
        if isinstance(self.redact, str):
            raise ValueError("redact must be a list of attribute paths, such as ['phoneNumbers']")
