"""The statements on the records of a layout. Each statement is built once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.rows import Window
from scimkit.stores.sql.hot_statements import HotStatement, make_check, takes_single_statements
from scimkit.stores.sql.token_access import TokenAccess
from scimkit.stores.sqlalchemy.conditions import is_text_parameter, key_of, utf8
from scimkit.stores.sqlalchemy.linked_rows import served
from scimkit.stores.sqlalchemy.pages import Pages
from scimkit.stores.sqlalchemy.record_conditions import Equality, RecordConditions
from scimkit.stores.sqlalchemy.records import RecordTable
from scimkit.tokens import TokenCheck

TENANT: Final = "scimkit_tenant"
ID: Final = "scimkit_id"
KEY: Final = "scimkit_key"
VALUE: Final = "scimkit_value"
COUNT: Final = "scimkit_count"
OFFSET: Final = "scimkit_offset"


_PLAIN: Final = (sa.String, sa.Integer, sa.Boolean, sa.LargeBinary)


class RecordQuery:
    """A query whose text never changes.

    With psycopg, it goes straight to the driver if SQLAlchemy would neither convert a parameter nor a result.

    Args:
        statement: The query.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._hot = HotStatement(statement, binary=False) if _is_plain(statement) else None

    def rows(
        self, connection: sa.Connection, parameters: Mapping[str, Any], check: TokenCheck | None = None
    ) -> Sequence[Any]:
        """Run the query and return all rows.

        Raises:
            TokenChanged: The token is not the one of the check.
        """
        if self._hot is not None and takes_single_statements(connection.dialect):
            return self._hot.rows(connection, parameters, check)
        make_check(connection, check)
        return connection.execute(self._statement, parameters).all()


def _is_plain(statement: Any) -> bool:
    """Report whether all columns and parameters of a query have types that the driver handles alone."""
    kinds = [each.type for each in statement.selected_columns]
    kinds += [each.type for each in visitors.iterate(statement) if isinstance(each, sa.BindParameter)]
    return all(map(_is_plain_type, kinds))


def _is_plain_type(kind: Any) -> bool:
    """Report whether SQLAlchemy converts no value of a type. Types of the application may convert."""
    is_own = type(kind).__module__.startswith("sqlalchemy.")
    return is_own and isinstance(kind, _PLAIN) and not isinstance(kind, sa.Enum)


@dataclass(frozen=True, slots=True)
class PageStatements:
    """The statements for one page, and for the number of all matching rows."""

    rows: RecordQuery
    total: Any
    pages: Pages


class RecordStatements:
    """The statements on the records of one layout.

    Args:
        layout: The layout.
        by_bytes: Compare texts by their bytes only, as `ModelConditions` does.
    """

    def __init__(self, layout: Layout, *, by_bytes: bool) -> None:
        self.table: RecordTable = RecordTable(layout)
        self.layout: Layout = layout
        self._by_bytes = by_bytes
        self._model: Any = layout.mapped.model
        tenant = None if layout.tenant is None else getattr(self._model, layout.tenant.name)
        parameter: Any = "" if tenant is None else sa.bindparam(TENANT, type_=tenant.type)
        self._own = served(layout, self._model, parameter, by_bytes=by_bytes)
        self._built: dict[Any, Any] = {}

    def find(self, *, lock: bool) -> RecordQuery:
        """Return the query for the rows with the parameter `ID`."""
        return self._once(("find", lock), partial(self._find, lock))  # type: ignore[no-any-return]

    def with_key(self) -> Any:
        """Return the query for the row whose primary key is the parameter `KEY`."""
        return self._once("key", lambda: sa.select(*self.table.selected()).where(self._key_is()))

    def page(self, equality: Equality | None) -> PageStatements:
        """Return the statements for a page in the order of creation, with the parameters `COUNT` and `OFFSET`."""
        return self._once(("page", equality and equality.form), partial(self._page, equality))  # type: ignore[no-any-return]

    def others(self, equality: Equality, *, has_row: bool) -> Any:
        """Return the query for another row than that with the parameter `KEY`, or for any row."""
        return self._once(("others", has_row, equality.form), partial(self._others, equality, has_row=has_row))

    def insert(self, *, returns: bool) -> Any:
        """Return the INSERT statement, which returns the columns if the database supports that."""
        return self._once(("insert", returns), lambda: self._returning(sa.insert(self.table.table), returns=returns))

    def insert_unless(self, equality: Equality, keys: tuple[str, ...], access: TokenAccess | None = None) -> Any:
        """Return the INSERT statement that returns the columns, or no row if a row meets the equality.

        Args:
            equality: The equality, with the parameter `VALUE`.
            keys: The keys of the columns that have a value.
            access: The check of a token, if the statement makes it too. It inserts no row for another token.
        """
        return self._once(("insert", keys, equality.form, access), partial(self._insert_unless, equality, keys, access))

    def update(self, *, returns: bool) -> Any:
        """Return the UPDATE statement for the row with the parameter `KEY`."""
        column = self.table.columns[self.table.key]
        changed = sa.update(self.table.table).where(column == sa.bindparam(KEY, type_=column.type))
        return self._once(("update", returns), lambda: self._returning(changed, returns=returns))

    def select(self) -> Any:
        """Return the query for all served rows, with the parameter `TENANT`."""
        return sa.select(*self.table.selected()).where(self._own)

    def _once(self, form: Any, build: Callable[[], Any]) -> Any:
        """Return the statement of a form, which is built at the first call."""
        found = self._built.get(form)
        if found is None:
            found = self._built[form] = build()
        return found

    def _find(self, lock: bool) -> RecordQuery:
        """Build the query for the rows with an id."""
        column = getattr(self._model, self.layout.id.field.name)
        parameter = sa.bindparam(ID, type_=column.type)
        bytewise = self._by_bytes and is_text_parameter(parameter)
        query: Any = self.select().where(utf8(column) == utf8(parameter) if bytewise else column == parameter)
        return RecordQuery(query.with_for_update() if lock else query)

    def _page(self, equality: Equality | None) -> PageStatements:
        """Build the statements for a page."""
        on = RecordConditions(self._model, lambda *_: sa.true(), by_bytes=self._by_bytes)
        condition = sa.true() if equality is None else on.parameterized(equality, VALUE)
        pages = Pages(on, self.layout, Window(None, 1, 1, None, None))
        rows = pages.ordered(self.select().where(condition))
        rows = rows.limit(sa.bindparam(COUNT, type_=sa.Integer())).offset(sa.bindparam(OFFSET, type_=sa.Integer()))
        total = sa.select(sa.func.count()).select_from(self._model).where(self._own, condition)
        return PageStatements(RecordQuery(rows), total, pages)

    def _others(self, equality: Equality, *, has_row: bool) -> Any:
        """Build the query for another row that meets an equality."""
        on = RecordConditions(self._model, lambda *_: sa.true(), by_bytes=self._by_bytes)
        query: Any = sa.select(sa.literal_column("1")).select_from(self._model)
        query = query.where(self._own, on.parameterized(equality, VALUE))
        return (query.where(sa.not_(self._key_is())) if has_row else query).limit(1)

    def _insert_unless(self, equality: Equality, keys: tuple[str, ...], access: TokenAccess | None) -> Any:
        """Build the INSERT statement that inserts nothing if a row meets an equality."""
        table = self.table.table
        values = [_typed_parameter(table.c[each]) for each in keys]
        chosen = sa.select(*values).where(~self._others(equality, has_row=False).exists())
        if access is not None:
            chosen = chosen.where(access.is_same)
        return self._returning(sa.insert(table).from_select(list(keys), chosen), returns=True)

    def _key_is(self) -> Any:
        """Build the condition that the primary key is the parameter `KEY`."""
        key = key_of(self._model)
        return key == sa.bindparam(KEY, type_=key.type)

    def _returning(self, statement: Any, *, returns: bool) -> Any:
        """Add the columns of a record to the result of a statement."""
        return statement.returning(*self.table.columns.values()) if returns else statement


def _typed_parameter(column: sa.Column[Any]) -> Any:
    """Return the parameter for a column in a SELECT, where PostgreSQL cannot see the type of the column.

    SQLAlchemy declares texts itself. A cast of a text to its column would cut the text.
    """
    kind = column.type
    parameter: Any = sa.bindparam(column.key, type_=kind)
    plain = kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind
    return parameter if isinstance(plain, sa.String) else sa.cast(parameter, kind)
