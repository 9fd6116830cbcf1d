"""The collations of unique columns on MariaDB and MySQL, with a warning if one treats different values as equal.

This module never talks to a database.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from scimkit.stores.mapped.attribute_mappings import field_of
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.memberships import Plan

_log = logging.getLogger("scimkit")

_INSENSITIVE: Final = re.compile(r"_(ci|ai)(_|$)")
_WITHOUT_CASE: Final = re.compile(r"_ci(_|$)")

Place: TypeAlias = tuple[str | None, str, str]
"""The schema of a column, its table and its name. None as the schema means the schema of the connection."""

COLLATION_QUERY: Final = (
    "SELECT COLLATION_NAME FROM information_schema.COLUMNS "
    "WHERE TABLE_SCHEMA = COALESCE({}, DATABASE()) AND TABLE_NAME = {} AND COLUMN_NAME = {}"
)
"""The statement that returns the collation of a column. It has three placeholders for the parameters."""


class CollationCheck:
    """Warns once about unique columns whose collation ignores case or accents.

    An equality of such a column then uses its index (`fields.ColumnCollation`).

    Args:
        plan: The declared mappings.
        place_of: Returns the schema, the table and the name of a field's column; None if the field has no column.
    """

    def __init__(self, plan: Plan, place_of: Callable[[Field], Place | None]) -> None:
        self._plan = plan
        self._place_of = place_of
        self._warned: set[str] = set()
        self.is_done: bool = False
        """True if the check has run to its end. Until then, each call runs it, so no statement is built too early."""

    def run(self, is_mysql: bool, collation_of: Callable[[Place], str | None]) -> None:
        """Read the collations and log a warning for each affected column. Later calls do nothing."""
        if self.is_done:
            return
        for path, field, place in self._columns() if is_mysql else ():
            collation = collation_of(place)
            field.collation.ignores_case = collation is not None and bool(_WITHOUT_CASE.search(collation))
            if collation is not None and _INSENSITIVE.search(collation) and path not in self._warned:
                self._warned.add(path)
                _log.warning(
                    "The column %s.%s has the collation %s, so the database treats different values of %s as equal. "
                    "Give the column a binary collation, or map Column(..., key=...) to a column that contains "
                    "scimkit.schema.attributes.folded(...) and has a binary collation.",
                    place[1], place[2], collation, path,
                )  # fmt: skip
        self.is_done = True

    def _columns(self) -> Iterator[tuple[str, Field, Place]]:
        """Yield the path, the field and the column of each unique attribute that is stored as a text."""
        for layout in self._plan.layouts.values():
            for path in layout.resource_type.unique:
                field = field_of(layout.leaves[path].entry)
                if field is None or not field.name or field.type is not str or field.keys:
                    continue
                place = self._place_of(field)
                if place is not None:
                    yield path, field, place
