"""What a value is compared with, as SQL over the columns it stands in.

Constants are bound, never written into the text. This module never runs a query.
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
"""The resource that a filter names by its id."""
ALWAYS: Final[Condition] = sa.true()
NEVER: Final[Condition] = sa.false()


class instr(GenericFunction[int]):  # the name of the SQL function
    """Where bytes are found in bytes, from 1; 0 when they are not."""

    type: sa.types.TypeEngine[int] = sa.Integer()
    inherit_cache: bool = True


@compiles(instr, "postgresql")
def _position(element: Any, compiler: Any, **options: Any) -> str:
    within, wanted = element.clauses
    return f"position({compiler.process(wanted, **options)} in {compiler.process(within, **options)})"


@dataclass(frozen=True, slots=True)
class Column:
    """Where a value stands in SQL: its key, its text, and the beginning of its key that an index holds.

    `number` is the number of the resource that has the key as its id.
    """

    key: Any
    text: Any
    head: Any = None
    number: Any = None


Holds: TypeAlias = Callable[[Column], Condition]


@dataclass(frozen=True, slots=True)
class Test:
    """What a path is tested for: whether no value matches, and whether one does."""

    none: bool
    one: Holds | None


def cell(attribute: Attribute, values: Any) -> Column:
    """Where the values of an attribute stand in rows of `scim_value`."""
    text = sa.func.coalesce(values.c.whole, values.c.head, type_=sa.LargeBinary())
    if attribute.type == "dateTime":
        return Column(values.c.head, text)
    return Column(text, text, values.c.head)


def bytes_of(column: Any, number: Any = None) -> Column:
    """A column of text that compares as its bytes."""
    plain = sa.type_coerce(column, sa.LargeBinary())
    return Column(plain, plain, plain, number)


def test_of(attribute: Attribute, node: Any) -> Test:
    """What a comparison or a presence asks of the values of an attribute."""
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
    """Equality that an index answers: its beginning first, then the whole where there is more.

    The resource of an id is looked up once, before all else: a group may have a million others to compare with it.
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
    return instr(column.text, sa.literal(text, sa.LargeBinary())) > 0 if text else ALWAYS


def _starts(column: Column, text: bytes) -> Condition:
    """A range of the index: from the text to what follows all that start with it."""
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
    kept = text.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None


def _ends(column: Column, text: bytes) -> Condition:
    if not text:
        return ALWAYS
    size = sa.func.length(column.text)
    end = sa.func.substr(column.text, size - len(text) + 1, len(text), type_=sa.LargeBinary())
    return sa.case((size >= len(text), end == text), else_=False)


_TEXT: Final[dict[str, Callable[[Column, bytes], Condition]]] = {"co": _contains, "sw": _starts, "ew": _ends}
