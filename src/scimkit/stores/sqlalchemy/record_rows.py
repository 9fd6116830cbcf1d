"""The rows of one SQLAlchemy model and tenant as records, within the transaction of a connection.

This module never begins or ends a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.errors import Uniqueness
from scimkit.stores.mapped.rows import Window, check_unique
from scimkit.stores.paging import Position
from scimkit.stores.protocol import Scope
from scimkit.stores.sql.hot_statements import make_check
from scimkit.stores.sql.token_access import TokenAccess
from scimkit.stores.sqlalchemy.conditions import ModelConditions
from scimkit.stores.sqlalchemy.constraint_errors import rows_refused
from scimkit.stores.sqlalchemy.linked_rows import tenant_of
from scimkit.stores.sqlalchemy.record_conditions import Equality, RecordConditions, built
from scimkit.stores.sqlalchemy.record_statements import COUNT, ID, KEY, OFFSET, TENANT, VALUE, RecordStatements
from scimkit.stores.sqlalchemy.records import InstanceNeeded, Record
from scimkit.stores.sqlalchemy.rows import ModelRows
from scimkit.stores.sqlalchemy.served_rows import ServedRows


class RecordRows(ServedRows):
    """The implementation of `scimkit.stores.mapped.rows.Rows` without instances. Records stand for instances.

    Args:
        connection: The connection of the transaction.
        statements: The statements of the layout.
        scope: The tenant.
        session: The session of the application that the transaction belongs to, or None.
        by_bytes: Compare texts by their bytes only, as `ModelConditions` does.
    """

    def __init__(
        self,
        connection: sa.Connection,
        statements: RecordStatements,
        scope: Scope,
        session: orm.Session | None = None,
        *,
        by_bytes: bool = False,
    ) -> None:
        super().__init__(connection, statements.layout, scope, by_bytes=by_bytes)
        self.conditions: ModelConditions = RecordConditions(self._model, self._own, by_bytes=by_bytes)
        self._connection = connection
        self._statements = statements
        self._session = session
        self._check = scope.token_check
        self._tenants: dict[str, Any] | None = self._tenant_parameters()

    def matching(self, condition: Any, window: Window) -> tuple[int, Sequence[Any], Sequence[Position]]:
        """Return one page of the matching records, as `Rows.matching` does."""
        is_known = condition is True or isinstance(condition, Equality)
        is_plain = window.order is None and window.after is None and window.before is None
        if self._tenants is None or not (is_known and is_plain and window.count):
            return super().matching(built(condition, self.conditions), window)
        equality = condition if isinstance(condition, Equality) else None
        page = self._statements.page(equality)
        wanted = self._tenants if equality is None else {**self._tenants, VALUE: equality.value}
        limits = {COUNT: window.count, OFFSET: max(window.start_index, 1) - 1}
        rows = page.rows.rows(self._connection, {**wanted, **limits}, self._check)
        total = window.total(len(rows))
        if total is None:
            total = self._connection.scalar(page.total, wanted) or 0
        return total, [self._instance(row) for row in rows], [page.pages.position(row) for row in rows]

    def others(self, condition: Any, instance: Any) -> bool:
        """Report whether another row meets a condition, as `Rows.others` does."""
        if self._tenants is None or not isinstance(condition, Equality):
            return super().others(built(condition, self.conditions), instance)
        parameters = {**self._tenants, VALUE: condition.value}
        if instance is not None:
            parameters[KEY] = self.key(instance)
        query = self._statements.others(condition, has_row=instance is not None)
        return self._connection.scalar(query, parameters) is not None

    def new(self) -> Record:
        """Return a new record with its tenant, as `Rows.new` does."""
        tenant = self._tenant_of_new_row()
        record = self._statements.table.new()
        if self.layout.tenant is not None:
            setattr(record, self.layout.tenant.name, tenant)
        return record

    def insert(self, instance: Record, taken: Mapping[str, Any]) -> None:
        """Insert the row of a new record, as `Rows.insert` does.

        PostgreSQL checks and inserts in one statement.
        """
        path, condition = next(iter(taken.items()), ("", None))
        is_postgresql = self._connection.dialect.name == "postgresql"
        if not is_postgresql or len(taken) != 1 or not isinstance(condition, Equality) or self._tenants is None:
            check_unique(self, taken, None)
            self.save(instance)
            return
        self._flush()
        values = self._values(instance)
        if any(map(_is_expression, values.values())):
            raise InstanceNeeded
        check = self._check if self._check is not None and self._check.is_pending else None
        access: TokenAccess | None = None if check is None else check.store.access
        statement = self._statements.insert_unless(condition, tuple(values), access)
        values.update(self._tenants, **{VALUE: condition.value})
        if check is not None and access is not None:
            values.update(access.parameters(check.record))
        with rows_refused(self.layout):
            row = self._connection.execute(statement, values).first()
        if row is None:
            make_check(self._connection, check)
            raise Uniqueness(path)
        if check is not None:
            check.settle(True)
        self._read_back(instance, row)

    def save(self, instance: Record) -> None:
        """Write the changed columns of a record to its row, as `Rows.save` does."""
        make_check(self._connection, self._check)
        self._flush()
        values = self._values(instance)
        with rows_refused(self.layout):
            row = self._update(instance, values) if instance.has_row else self._insert(values)
        self._read_back(instance, row)

    def delete(self, instance: Record) -> None:
        """Delete the row of a record, as `Rows.delete` does. The ORM decides what else it deletes."""
        own = None if self._session is not None else orm.Session(self._connection, autoflush=False)
        with nullcontext(self._session) if own is None else own as session:
            assert session is not None
            found = session.get(self._model, self.key(instance), populate_existing=True)
            ModelRows(session, self.layout, self._scope, by_bytes=self._by_bytes).delete(found)

    def key(self, instance: Record) -> Any:
        """Return the primary key of a record, as `Rows.key` does."""
        return getattr(instance, self._statements.table.key)

    def _flush(self) -> None:
        """Write the instances that the application changed in its session."""
        if self._session is not None:
            self._session.flush()

    def _values(self, record: Record) -> dict[str, Any]:
        """Return the values that a record changed, by the key of the column."""
        columns = self._statements.table.columns
        return {columns[name].key: value for name, value in record.changed().items()}

    def _insert(self, values: dict[str, Any]) -> Any:
        """Insert a row and return its columns."""
        returns = self._connection.dialect.insert_returning
        result: Any = self._execute(self._statements.insert(returns=returns), values)
        return result.one() if returns else self._read_again(result.inserted_primary_key[0])

    def _update(self, record: Record, values: dict[str, Any]) -> Any:
        """Update the row of a record and return its columns."""
        key = self.key(record)
        if not values:
            return self._read_again(key)
        returns = self._connection.dialect.update_returning
        result = self._execute(self._statements.update(returns=returns), {**values, KEY: key})
        return result.one() if returns else self._read_again(key)

    def _execute(self, statement: Any, values: dict[str, Any]) -> Any:
        """Run a statement that writes. SQL expressions, such as `func.now()`, become part of the statement."""
        expressions = {name: value for name, value in values.items() if _is_expression(value)}
        if expressions:
            statement = statement.values(expressions)
            values = {name: value for name, value in values.items() if name not in expressions}
        return self._connection.execute(statement, values)

    def _read_again(self, key: Any) -> Any:
        """Return the columns of the row with a primary key."""
        return self._connection.execute(self._statements.with_key(), {KEY: key}).one()

    def _read_back(self, record: Record, row: Any) -> None:
        """Take over the columns of a row, also in the instance that the application has in its session."""
        columns = self._statements.table.columns
        record.read_back(tuple(columns), row[: len(columns)])
        if self._session is not None:
            mapper: orm.Mapper[Any] = sa.inspect(self._model)
            instance = self._session.identity_map.get(mapper.identity_key_from_primary_key((self.key(record),)))
            if instance is not None:
                self._session.refresh(instance)

    def _with_id(self, value: Any, lock: bool) -> Sequence[Any]:
        """Return the rows with a value of the id column."""
        if self._tenants is None or (type(value) is str and "\0" in value):
            return super()._with_id(value, lock)
        return self._statements.find(lock=lock).rows(self._connection, {**self._tenants, ID: value}, self._check)

    def _select(self, lock: bool = False) -> Any:
        """Return the query for the served rows, as records."""
        query = sa.select(*self._statements.table.selected()).where(self._own(self.layout, self._model))
        return query.with_for_update() if lock else query

    def _instance(self, row: Any) -> Record:
        """Return the record of a row of the query."""
        return self._statements.table.record(row)

    def _tenant_parameters(self) -> dict[str, Any] | None:
        """Return the parameters for the tenant, or None if the tenant cannot have rows."""
        tenant = tenant_of(self._scope, self.layout)
        if tenant is None or (type(tenant) is str and "\0" in tenant):
            return None
        return {} if self.layout.tenant is None else {TENANT: tenant}


def _is_expression(value: Any) -> bool:
    """Report whether a value is an SQL expression, which the database evaluates."""
    return isinstance(value, sa.ClauseElement)
