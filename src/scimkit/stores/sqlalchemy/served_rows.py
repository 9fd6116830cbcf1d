"""Look-ups of the rows of one SQLAlchemy model and tenant.

A subclass decides whether a row becomes an instance of the model. This module never begins or ends a transaction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from scimkit.errors import NotFound
from scimkit.stores.mapped.rows import Window
from scimkit.stores.paging import Position
from scimkit.stores.sqlalchemy.conditions import among
from scimkit.stores.sqlalchemy.linked_rows import LinkedRows
from scimkit.stores.sqlalchemy.pages import Pages


class ServedRows(LinkedRows, ABC):
    """The rows that a store serves, found by id or by condition."""

    def find(self, id: str, *, lock: bool = False) -> Any:
        """Return the instance with an id, as `Rows.find` does."""
        value = self.layout.id.value(id)
        missing = NotFound(f"This {self.layout.resource_type.name} does not exist.")
        if value is None:
            raise missing
        name = self.layout.id.field.name
        found = [self._instance(row) for row in self._with_id(value, lock)]
        instance = next((each for each in found if self.layout.id.of(getattr(each, name)) == id), None)
        if instance is None:
            raise missing
        return instance

    def matching(self, condition: Any, window: Window) -> tuple[int, Sequence[Any], Sequence[Position]]:
        """Return one page of the matching instances, as `Rows.matching` does."""
        wanted = self._own(self.layout, self._model)
        if condition is not True:
            wanted = sa.and_(wanted, condition)
        options: dict[str, Any] = {} if window.is_cached else {"compiled_cache": None}
        counted = sa.select(sa.func.count()).select_from(self._model).where(wanted)
        if not window.count:
            return self._executor.scalar(counted, execution_options=options) or 0, [], []
        pages = Pages(self.conditions, self.layout, window)
        query = pages.of(self._select().where(wanted))
        found = self._executor.execute(query, execution_options=options).all()
        rows = pages.in_order(found)
        total = window.total(len(rows))
        if total is None:
            total = self._executor.scalar(counted, execution_options=options) or 0
        return total, [self._instance(row) for row in rows], [pages.position(row) for row in rows]

    def _with_id(self, value: Any, lock: bool) -> Sequence[Any]:
        """Return the rows with a value of the id column."""
        column = getattr(self._model, self.layout.id.field.name)
        query = self._select(lock).where(among(column, [value], by_bytes=self._by_bytes))
        rows: Sequence[Any] = self._executor.execute(query).all()
        return rows

    @abstractmethod
    def _select(self, lock: bool = False) -> Any:
        """Return the query for the served rows of the model."""

    @abstractmethod
    def _instance(self, row: Any) -> Any:
        """Return the instance or the record of a row of the query."""
