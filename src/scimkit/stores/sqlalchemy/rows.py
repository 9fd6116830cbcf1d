"""The rows of one SQLAlchemy model and tenant within the transaction of a session.

Resources are written through instances of the application's model, so that validators and events run. Memberships may
be very many, and are written by statements. This module never begins or ends a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.exc import IntegrityError

from scimkit.errors import MutabilityViolation
from scimkit.stores.mapped.constraint_errors import STILL_NEEDED
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.references import references_of
from scimkit.stores.mapped.rows import check_unique
from scimkit.stores.protocol import Scope
from scimkit.stores.sqlalchemy.constraint_errors import rows_refused
from scimkit.stores.sqlalchemy.served_rows import ServedRows


class ModelRows(ServedRows):
    """The implementation of `scimkit.stores.mapped.rows.Rows` for SQLAlchemy."""

    def __init__(self, session: orm.Session, layout: Layout, scope: Scope, *, by_bytes: bool = False) -> None:
        super().__init__(session, layout, scope, by_bytes=by_bytes)
        self._session = session

    def new(self) -> Any:
        """Return a new instance with its tenant, as `Rows.new` does."""
        tenant = self._tenant_of_new_row()
        instance = (self.layout.mapped.new or self._model)()
        if self.layout.tenant is not None:
            setattr(instance, self.layout.tenant.name, tenant)
        self._session.add(instance)
        return instance

    def insert(self, instance: Any, taken: Mapping[str, Any]) -> None:
        """Insert the row of a new instance, as `Rows.insert` does."""
        check_unique(self, taken, None)
        self.save(instance)

    def save(self, instance: Any) -> None:
        """Write an instance to its row, as `Rows.save` does."""
        with rows_refused(self.layout):
            self._session.flush()
            self._session.refresh(instance)

    def delete(self, instance: Any) -> None:
        """Delete the row of an instance, as `Rows.delete` does."""
        instead = self.layout.mapped.delete
        try:
            if instead is None:
                self._session.delete(instance)
            else:
                instead(instance)
            self._session.flush()
        except IntegrityError:
            raise MutabilityViolation(STILL_NEEDED) from None

    def _select(self, lock: bool = False) -> Any:
        """Return the query for the served rows, as instances."""
        query = sa.select(self._model).where(self._own(self.layout, self._model))
        query = query.execution_options(populate_existing=True)
        if lock:
            return query.options(orm.lazyload("*")).with_for_update()
        return query.options(*(orm.selectinload(each.relation.source) for each in references_of(self.layout)))

    def _instance(self, row: Any) -> Any:
        """Return the instance of a row of the query."""
        return row[0]
