"""Comparisons of a filter as SQL conditions on the columns that contain the values.

Values are always passed as bound parameters. This module never runs a statement.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from scimkit.filters.ast import Present
from scimkit.filters.comparisons import comparison_value
from scimkit.schema.attributes import Attribute
from scimkit.stores.sql.index_entries import HEAD, encoded
from scimkit.stores.sql.statements import of_tenant
from scimkit.stores.sql.tables import RESOURCES

Condition: TypeAlias = sa.ColumnElement[bool]
_ORDER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
_NAMED: Final = RESOURCES.alias()
"""The row of the resource whose id a filter names."""
ALWAYS: Final[Condition] = sa.true()
NEVER: Final[Condition] = sa.false()


class instr(GenericFunction[int]):  # SQLAlchemy takes the name of the SQL function from the class
    """The SQL function that returns the one-based position of bytes within bytes, or 0 if they do not occur."""

    type: sa.types.TypeEngine[int] = sa.Integer()
    inherit_cache: bool = True


@compiles(instr, "postgresql")
def _position(element: Any, compiler: Any, **options: Any) -> str:
    """Compile `instr` to `position` for PostgreSQL."""
    within, wanted = element.clauses
    return f"position({compiler.process(wanted, **options)} in {compiler.process(within, **options)})"


@dataclass(frozen=True, slots=True)
class Column:
    """The SQL expressions of a value: its comparison key, its text, and the indexed beginning of its key.

    `number` is the column with the sequence number of the resource, if the value is the id of a resource.
    """

    key: Any
    text: Any
    head: Any = None
    number: Any = None


Holds: TypeAlias = Callable[[Column], Condition]
"""Function that builds the condition that a column matches."""


@dataclass(frozen=True, slots=True)
class Test:
    """A test of the values at a path.

    `none` is True if an absent value matches. `one` builds the condition that a value matches; None means that no
    value matches.
    """

    none: bool
    one: Holds | None


def cell(attribute: Attribute, values: Any) -> Column:
    """Return the expressions for the values of an attribute in rows of `scim_value`."""
    text = sa.func.coalesce(values.c.whole, values.c.head, type_=sa.LargeBinary())
    if attribute.type == "dateTime":
        return Column(values.c.head, text)
    return Column(text, text, values.c.head)


def bytes_of(column: Any, number: Any = None) -> Column:
    """Return the expressions for a text column that is compared byte by byte."""
    plain = sa.type_coerce(column, sa.LargeBinary())
    return Column(plain, plain, plain, number)


def test_of(attribute: Attribute, node: Any) -> Test:
    """Return the test that a comparison or a presence filter makes on the values of an attribute."""
    if isinstance(node, Present):
        return Test(False, lambda column: sa.func.length(column.key) > 0)
    constant = comparison_value(attribute, node)
    if constant is None:
        return Test(True, None) if node.operator == "eq" else Test(False, lambda _: ALWAYS)
    if node.operator in ("co", "sw", "ew"):
        text = constant.encode()
        return Test(False, lambda column: _TEXT[node.operator](column, text))
    key = encoded(constant)
    if node.operator == "eq":
        return Test(False, lambda column: _equal(column, key))
    if node.operator == "ne":
        return Test(True, lambda column: column.key != key)
    return Test(False, lambda column: _ORDER[node.operator](column.key, key))


def _equal(column: Column, key: bytes) -> Condition:
    """Build an equality that uses a database index: first the beginning of the key, and then the full key.

    For an id, the resource is looked up once, because a group may have a million members to compare with the id.
    """
    if column.number is not None:
        same = sa.type_coerce(_NAMED.c.id, sa.LargeBinary()) == key
        named = sa.select(_NAMED.c.sequence).where(same, of_tenant(_NAMED)).correlate(None)
        number: Condition = column.number == named.scalar_subquery()
        return number
    if column.head is None or column.head is column.key:
        equal: Condition = column.key == key
        return equal
    return sa.and_(column.head == key[:HEAD], column.key == key)


def _contains(column: Column, text: bytes) -> Condition:
    """Build the condition of the operator `co`."""
    return instr(column.text, sa.literal(text, sa.LargeBinary())) > 0 if text else ALWAYS


def _starts(column: Column, text: bytes) -> Condition:
    """Build the condition of the operator `sw`, with a range of keys that the index answers."""
    if not text:
        return ALWAYS
    met: list[Condition] = [sa.func.substr(column.text, 1, len(text), type_=sa.LargeBinary()) == text]
    if column.head is not None:
        met.append(column.head >= text[:HEAD])
        after = _after(text[:HEAD])
        if after is not None:
            met.append(column.head < after)
    return sa.and_(*met)


def _after(text: bytes) -> bytes | None:
    """Return the smallest bytes after all bytes with a prefix, or None if there are none."""
    kept = text.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None


def _ends(column: Column, text: bytes) -> Condition:
    """Build the condition of the operator `ew`."""
    if not text:
        return ALWAYS
    size = sa.func.length(column.text)
    end = sa.func.substr(column.text, size - len(text) + 1, len(text), type_=sa.LargeBinary())
    return sa.case((size >= len(text), end == text), else_=False)


_TEXT: Final[dict[str, Callable[[Column, bytes], Condition]]] = {"co": _contains, "sw": _starts, "ew": _ends}
