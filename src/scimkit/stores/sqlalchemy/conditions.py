"""Filters as conditions on SQLAlchemy models.

Values are always passed as bound parameters. Texts are compared by their bytes, so that the result does not depend on
collations. An equality also compares the column itself, so that the database can use an index. This module never runs a
query.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from scimkit.errors import InvalidFilter
from scimkit.stores.database_errors import MOST_JOINS
from scimkit.stores.mapped.fields import Field
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.memberships import End
from scimkit.stores.mapped.references import Reference
from scimkit.stores.sql.comparisons import instr
from scimkit.stores.sqlalchemy.columns import Pairs

Condition: TypeAlias = sa.ColumnElement[bool]

_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip


class utf8(GenericFunction[bytes]):  # compiled to a different expression for each database
    """The SQL function that returns the UTF-8 bytes of a text."""

    type: sa.types.TypeEngine[bytes] = sa.LargeBinary()
    inherit_cache: bool = True


@compiles(utf8)
def _blob(element: Any, compiler: Any, **options: Any) -> str:
    """Compile `utf8` for SQLite."""
    return f"CAST({compiler.process(element.clauses, **options)} AS BLOB)"


@compiles(utf8, "postgresql")
def _converted(element: Any, compiler: Any, **options: Any) -> str:
    """Compile `utf8` for PostgreSQL."""
    return f"convert_to({compiler.process(element.clauses, **options)}::text, 'UTF8')"


@compiles(utf8, "mysql", "mariadb")
def _binary(element: Any, compiler: Any, **options: Any) -> str:
    """Compile `utf8` for MariaDB and MySQL."""
    return f"CAST(CONVERT({compiler.process(element.clauses, **options)} USING utf8mb4) AS BINARY)"


class same_for_unique(GenericFunction[bool]):
    """The SQL condition that two texts are equal for a unique index.

    MariaDB and MySQL compare by the collation. The other databases compare bytes.
    """

    type: sa.types.TypeEngine[bool] = sa.Boolean()
    inherit_cache: bool = True


@compiles(same_for_unique)
def _same_bytes(element: Any, compiler: Any, **options: Any) -> str:
    """Compile the condition as a comparison of bytes."""
    column, given = element.clauses
    return f"({compiler.process(utf8(column), **options)} = {compiler.process(utf8(given), **options)})"


@compiles(same_for_unique, "mysql", "mariadb")
def _same_by_collation(element: Any, compiler: Any, **options: Any) -> str:
    """Compile the condition as a comparison by collation."""
    column, given = element.clauses
    return f"({compiler.process(column, **options)} = {compiler.process(given, **options)})"


class ModelConditions:
    """Conditions on the rows of a model, or of an alias of the model.

    Args:
        entity: The model or the alias.
        own: Returns the condition that linked rows must meet, such as the tenant.
        by_bytes: Compare texts by their bytes only. This comparison uses no index, but accepts characters that the
            charset of a column lacks.
    """

    def __init__(self, entity: Any, own: Callable[[Any, Any], Condition], *, by_bytes: bool = False) -> None:
        self.entity = entity
        self._own = own
        self._by_bytes = by_bytes

    def all(self, conditions: Sequence[Condition]) -> Condition:
        """Join conditions by `and`. See `scimkit.stores.database_errors.MOST_JOINS`."""
        return sa.and_(*conditions[:MOST_JOINS], *(each.is_(sa.true()) for each in conditions[MOST_JOINS:]))

    def any(self, conditions: Sequence[Condition]) -> Condition:
        """Join conditions by `or`."""
        return sa.or_(*conditions)

    def no(self, condition: Condition) -> Condition:
        """Negate a condition."""
        return sa.not_(condition)

    def absent(self, field: Field) -> Condition:
        """Build the condition that a field has no value."""
        place = self.place(field)
        absent: Condition = utf8(place) == b"" if field.blank else place.is_(None)
        return absent

    def one_of(self, field: Field, values: Sequence[Any]) -> Condition:
        """Build the condition that a field has one of some values."""
        place = self.place(field)
        return sa.and_(place.is_not(None), among(place, values, by_bytes=self._by_bytes))

    def compare(self, field: Field, operator: str, value: Any, *, folds: bool) -> Condition:
        """Build the condition for a comparison."""
        place = self.place(field, value)
        there = utf8(place) != b"" if field.blank else place.is_not(None)
        if type(value) is not str:
            return sa.and_(there, _COMPARE[operator](place, value))
        if "\0" in value:  # some databases allow no NUL character in a text
            text = sa.literal((value.lower() if folds else value).encode(), sa.LargeBinary())
            return sa.and_(there, {**_COMPARE, **_TEXT}[operator](utf8(sa.func.lower(place) if folds else place), text))
        return there if operator in _TEXT and not value else self._compare_text(field, operator, value, folds=folds)

    def equal(self, field: Field, parameter: sa.BindParameter[Any], *, folds: bool) -> Condition:
        """Build the condition that a field has the value of a parameter, as `compare` does for a value.

        The value must not be empty, and must not contain a NUL character.
        """
        place = self.place(field)
        if is_text_parameter(parameter):
            return self._compare_text(field, "eq", parameter, folds=folds)
        return sa.and_(place.is_not(None), place == parameter)

    def _compare_text(self, field: Field, operator: str, value: Any, *, folds: bool) -> Condition:
        """Build the condition for a comparison with a text or with a parameter."""
        place = self.place(field)
        there = utf8(place) != b"" if field.blank else place.is_not(None)
        constant: Any = sa.literal(value, sa.String()) if type(value) is str else value
        column, given = (sa.func.lower(place), sa.func.lower(constant)) if folds else (place, constant)
        key, wanted = utf8(column), utf8(given)
        if operator in _TEXT:
            return sa.and_(there, _TEXT[operator](key, wanted))
        if operator not in ("eq", "ne") or self._by_bytes:
            return sa.and_(there, _COMPARE[operator](key, wanted))
        if field.collated:
            same = place == constant
        else:
            same = same_for_unique(column, given) if field.unique else key == wanted
        if operator == "ne":
            return sa.and_(there, sa.not_(same))
        if field.collated:
            return sa.and_(there, same)
        is_found = place == constant if field.unique and field.collation.ignores_case else column == given
        return sa.and_(there, is_found, same)

    def within(self, link: Any) -> LinkedConditions:
        """Return conditions on the rows that a link leads to."""
        return LinkedConditions(self.entity, link, self._own, by_bytes=self._by_bytes)

    def place(self, field: Field, value: Any = "") -> Any:
        """Return the column of a field. A value inside JSON is returned as a text or a boolean."""
        if not field.name:
            return field.source
        column = getattr(self.entity, field.name)
        if not field.keys:
            return column
        within = column[field.keys]
        return within.as_boolean() if type(value) is bool else within.as_string()


class LinkedConditions(ModelConditions):
    """Conditions on the linked rows of a membership, or on the row that a reference names."""

    def __init__(
        self, near: Any, link: End | Reference, own: Callable[[Any, Any], Condition], *, by_bytes: bool = False
    ) -> None:
        layout: Any = link.other if isinstance(link, End) else link.target
        super().__init__(orm.aliased(layout.mapped.model), own, by_bytes=by_bytes)
        self._layout: Layout = layout
        if isinstance(link, End):
            rows, one, other = sides(link)
            joined = sa.select(sa.literal(1)).select_from(rows)
            self._linked = joined.where(one == key_of(near), other == key_of(self.entity))
        else:
            ((local, remote),) = link.relation.source.property.local_remote_pairs
            matching = _attribute(near, local) == _attribute(self.entity, remote)
            self._linked = sa.select(sa.literal(1)).select_from(self.entity).where(matching)

    def exists(self, condition: Condition | None) -> Condition:
        """Build the condition that a linked row exists that meets a condition."""
        query = self._linked.where(self._own(self._layout, self.entity))
        return (query if condition is None else query.where(condition)).exists()

    def place(self, field: Field, value: Any = "") -> Any:
        """Return the column of a field of the linked row.

        Raises:
            InvalidFilter: The field is an expression.
        """
        if not field.name:
            raise InvalidFilter(
                "The filter uses a computed attribute of another resource. Filter by another attribute."
            )
        return super().place(field, value)


def equal(column: Any, value: Any, *, by_bytes: bool = False) -> Condition:
    """Build the condition that a column has exactly a value, or exactly the value of a parameter."""
    if type(value) is str and "\0" in value:  # some databases allow no NUL character in a text
        return sa.false()
    same: Condition = column == value
    if type(value) is not str and not is_text_parameter(value):
        return same
    exact: Condition = utf8(column) == utf8(sa.literal(value, sa.String()) if type(value) is str else value)
    return exact if by_bytes else sa.and_(same, exact)


def is_text_parameter(value: Any) -> bool:
    """Report whether a value is a parameter of a statement that stands for a text."""
    return isinstance(value, sa.BindParameter) and isinstance(value.type, sa.String)


def among(column: Any, values: Sequence[Any], *, by_bytes: bool = False) -> Condition:
    """Build the condition that a column has one of some values."""
    values = [each for each in values if not (type(each) is str and "\0" in each)]
    if by_bytes and any(type(each) is str for each in values):
        texts: Condition = utf8(column).in_([str(each).encode() for each in values])
        return texts
    found: Condition = column.in_(values)
    return found


def sides(end: End) -> tuple[Any, Any, Any]:
    """Return an alias of the association of a link, with its columns for the near row and for the far row."""
    pairs: Pairs = end.link.source
    rows = pairs.table.alias()
    group, member = rows.c[pairs.group.key], rows.c[pairs.member.key]
    return (rows, group, member) if end.from_group else (rows, member, group)


def key_of(entity: Any) -> Any:
    """Return the primary key of a model or of an alias of the model."""
    return _attribute(entity, sa.inspect(entity).mapper.primary_key[0])


def _attribute(entity: Any, column: Any) -> Any:
    """Return the attribute of a model, or of an alias of the model, for a column."""
    return getattr(entity, sa.inspect(entity).mapper.get_property_by_column(column).key)


def _starts(key: Any, wanted: Any) -> Any:
    """Build the condition of the operator `sw` on bytes."""
    return sa.func.substr(key, 1, sa.func.length(wanted), type_=sa.LargeBinary()) == wanted


def _ends(key: Any, wanted: Any) -> Any:
    """Build the condition of the operator `ew` on bytes."""
    size, more = sa.func.length(wanted), sa.func.length(key) - sa.func.length(wanted)
    end = sa.func.substr(key, more + 1, size, type_=sa.LargeBinary())
    return sa.case((more >= 0, end == wanted), else_=False)


_TEXT: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "co": lambda key, wanted: instr(key, wanted) > 0, "sw": _starts, "ew": _ends,
}  # fmt: skip
