"""The check whether the stored record of a token still gives the access that a record in memory gives.

The check is a condition within another statement, or a statement of its own. This module never runs a statement.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from scimkit.tokens import TokenRecord
from scimkit.tokens.checks import ACCESS

_MAX_RECORDS: Final = 1024


class TokenAccess:
    """The check of tokens in one table.

    Args:
        table: The table of the token records.
        row_of: Returns the column values for a record.
    """

    __slots__ = ("__weakref__", "_parameters", "_row_of", "is_same")

    def __init__(self, table: sa.Table, row_of: Any) -> None:
        columns = table.c
        binds = {name: sa.bindparam(f"token_{name}", type_=columns[name].type) for name in ACCESS}
        same = [
            columns[name].is_not_distinct_from(bind) if columns[name].nullable else columns[name] == bind
            for name, bind in binds.items()
        ]
        self.is_same: sa.ColumnElement[bool] = sa.exists(sa.select(sa.literal(1)).select_from(table).where(*same))
        """The condition that the stored record gives the same access as the record of the parameters."""
        self._row_of = row_of
        self._parameters: OrderedDict[str, tuple[TokenRecord, Mapping[str, Any]]] = OrderedDict()

    def parameters(self, record: TokenRecord) -> Mapping[str, Any]:
        """Return the parameters of the condition for a record."""
        kept = self._parameters.get(record.id)
        if kept is not None and kept[0] is record:
            return kept[1]
        row = self._row_of(record)
        found = {f"token_{name}": row[name] for name in ACCESS}
        while len(self._parameters) >= _MAX_RECORDS:
            self._parameters.popitem(last=False)
        self._parameters[record.id] = record, found
        return found
