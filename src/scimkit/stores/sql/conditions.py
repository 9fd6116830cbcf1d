"""Filters as SQL conditions, with the meaning that `filters.predicate` has.

Constants are bound, never written into the text; every path has been resolved against the schema.
A value of a document is a row of `scim_value`; a path is met where such a row exists. This module
never runs a query.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from scimkit.filters.ast import And, Comparison, Node, Not, Or, Present, ValuePath
from scimkit.filters.predicate import comparable, comparison_value, resolve
from scimkit.schema.attributes import Attribute, AttributePath, folded
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import GROUPS, MEMBERS, META
from scimkit.stores.sql.keys import HEAD, encoded, slot
from scimkit.stores.sql.tables import MEMBERSHIPS, RESOURCES, VALUES
from scimkit.stores.stamps import has_members, is_computed

Condition: TypeAlias = sa.ColumnElement[bool]
_ORDER: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "gt": operator.gt, "ge": operator.ge, "lt": operator.lt, "le": operator.le,
}  # fmt: skip
_ALWAYS: Final[Condition] = sa.true()
_NEVER: Final[Condition] = sa.false()


class instr(GenericFunction[int]):  # the name of the SQL function
    """Where bytes are found in bytes, from 1; 0 when they are not."""

    type = sa.Integer()
    inherit_cache = True


@compiles(instr, "postgresql")
def _position(element: Any, compiler: Any, **options: Any) -> str:
    within, wanted = element.clauses
    return f"position({compiler.process(wanted, **options)} in {compiler.process(within, **options)})"


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a value stands in SQL: its key, its text, and the beginning of its key that an index holds."""

    key: Any
    text: Any
    head: Any = None


_Holds: TypeAlias = Callable[[_Column], Condition]


@dataclass(frozen=True, slots=True)
class _Test:
    """What a path is tested for: whether no value matches, and whether one does."""

    none: bool
    one: _Holds | None


def condition(node: Node, resource_type: ResourceType, tenant: str) -> Condition:
    """The condition on rows of `scim_resource` that a filter stands for.

    Whether it fits the type has been checked before. Raises: InvalidFilter for what SQL cannot say.
    """
    return _Compiler(resource_type, tenant).condition(node)


class _Compiler:
    def __init__(self, resource_type: ResourceType, tenant: str) -> None:
        self._type = resource_type
        self._tenant = tenant
        self._rows: dict[str, Callable[[], _Rows]] = {}
        if has_members(resource_type):
            types = resource_type.attributes[MEMBERS].children["$ref"].reference_types
            self._rows[MEMBERS] = lambda: _member_rows(tenant, types)
        if is_computed(resource_type, GROUPS):
            self._rows[GROUPS] = lambda: _group_rows(tenant)

    def condition(self, node: Node) -> Condition:
        if isinstance(node, And):
            return sa.and_(*map(self.condition, node.operands))
        if isinstance(node, Or):
            return sa.or_(*map(self.condition, node.operands))
        if isinstance(node, Not):
            return sa.not_(self.condition(node.operand))
        path = resolve(node.path, self._type)
        rows = self._rows.get(path.attribute.name) if path.extension is None else None
        if isinstance(node, ValuePath):
            if rows is not None:
                return rows().some(lambda each: _on_row(node.filter, path.attribute, each))
            if path.extension is None and path.attribute.name == META:
                return _on_meta(node.filter, path.attribute)
            return self._value_path(path, node.filter)
        if isinstance(node, Comparison):
            path = comparable(path)
        test = _test(path.leaf, node)
        if rows is not None:
            return _met_by_rows(rows(), path, test)
        if path.extension is None and (path.attribute.name == "id" or path.attribute.name == META):
            return _on_column(path, node, test)
        return self._met(path, test)

    def _slot(self, attribute: Attribute) -> int:
        return slot(self._tenant, self._type.name, attribute.path)

    def _met(self, path: AttributePath, test: _Test) -> Condition:
        """Some value at the path matches, or there is none and that matches."""
        number, one = self._slot(path.leaf), []
        if test.one is not None:
            values = VALUES.alias()
            matching = sa.select(values.c.resource).where(values.c.slot == number, test.one(_cell(path.leaf, values)))
            one.append(RESOURCES.c.sequence.in_(matching))
        if not test.none:
            return sa.or_(_NEVER, *one)
        if path.sub_attribute is None or not path.attribute.multi_valued:
            return sa.or_(~_exists(number), *one)
        elements, inner = VALUES.alias(), VALUES.alias()
        of_element = (inner.c.resource == elements.c.resource, inner.c.element == elements.c.element)
        lacking = sa.exists().where(
            elements.c.resource == RESOURCES.c.sequence,
            elements.c.slot == self._slot(path.attribute),
            ~sa.exists().where(*of_element, inner.c.slot == number),
        )
        return sa.or_(~_exists(self._slot(path.attribute)), lacking, *one)

    def _value_path(self, path: AttributePath, node: Node) -> Condition:
        elements = VALUES.alias()
        matching = sa.select(elements.c.resource).where(
            elements.c.slot == self._slot(path.leaf), self._on_element(node, path.leaf, elements)
        )
        return RESOURCES.c.sequence.in_(matching)

    def _on_element(self, node: Node, attribute: Attribute, elements: Any) -> Condition:
        """The filter of a value path, on the rows that stand for the elements."""
        if isinstance(node, And):
            return sa.and_(*(self._on_element(each, attribute, elements) for each in node.operands))
        if isinstance(node, Or):
            return sa.or_(*(self._on_element(each, attribute, elements) for each in node.operands))
        if isinstance(node, Not):
            return sa.not_(self._on_element(node.operand, attribute, elements))
        if attribute.type != "complex":
            test = _test(attribute, node)
            return _NEVER if test.one is None else test.one(_cell(attribute, elements))
        sub = attribute.children[node.path]
        test, values = _test(sub, node), VALUES.alias()
        met: list[Condition] = []
        if test.one is not None:
            matching = sa.select(values.c.resource, values.c.element).where(
                values.c.slot == self._slot(sub), test.one(_cell(sub, values))
            )
            met.append(sa.tuple_(elements.c.resource, elements.c.element).in_(matching))
        if test.none:
            same = (values.c.resource == elements.c.resource, values.c.element == elements.c.element)
            met.append(~sa.exists().where(*same, values.c.slot == self._slot(sub)))
        return sa.or_(_NEVER, *met)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Elements that are rows of their own: the members of a group, the groups of a user."""

    joined: Any
    owner: Any
    columns: dict[str, _Column]
    nullable: frozenset[str]
    within: Condition

    def some(self, holds: Callable[[_Rows], Condition]) -> Condition:
        matching = sa.select(self.owner).select_from(self.joined).where(self.within, holds(self))
        return RESOURCES.c.sequence.in_(matching)

    def is_null(self, name: str) -> Condition:
        return self.columns[name].text.is_(None) if name in self.nullable else _NEVER

    def holds(self, name: str, test: _Holds) -> Condition:
        column = self.columns[name]
        return sa.and_(column.text.is_not(None), test(column)) if name in self.nullable else test(column)


def _member_rows(tenant: str, types: Sequence[str]) -> _Rows:
    rows, member = MEMBERSHIPS.alias(), RESOURCES.alias()
    columns = {
        "value": _bytes_of(member.c.id),
        "type": _folded(member.c.type, types),
        "display": _Column(rows.c.display_key, rows.c.display_key),
    }
    joined = rows.join(member, member.c.sequence == rows.c.member)
    return _Rows(joined, rows.c.group, columns, frozenset({"display"}), member.c.tenant == tenant)


def _group_rows(tenant: str) -> _Rows:
    rows, group = MEMBERSHIPS.alias(), RESOURCES.alias()
    direct = sa.literal(b"direct", sa.LargeBinary())
    columns = {
        "value": _bytes_of(group.c.id),
        "type": _Column(direct, direct),
        "display": _Column(group.c.display_key, group.c.display_key),
    }
    joined = rows.join(group, group.c.sequence == rows.c.group)
    return _Rows(joined, rows.c.member, columns, frozenset({"display"}), group.c.tenant == tenant)


def _met_by_rows(rows: _Rows, path: AttributePath, test: _Test) -> Condition:
    name = None if path.sub_attribute is None else path.sub_attribute.name
    some = rows.some(lambda _: _ALWAYS)
    if name is None:
        return some
    met: list[Condition] = []
    if test.one is not None:
        holds = test.one
        met.append(rows.some(lambda each: each.holds(name, holds)))
    if test.none:
        met += [~some, rows.some(lambda each: each.is_null(name))]
    return sa.or_(_NEVER, *met)


def _on_row(node: Node, attribute: Attribute, rows: _Rows) -> Condition:
    """The filter of a value path, on rows that are the elements themselves."""
    if isinstance(node, And):
        return sa.and_(*(_on_row(each, attribute, rows) for each in node.operands))
    if isinstance(node, Or):
        return sa.or_(*(_on_row(each, attribute, rows) for each in node.operands))
    if isinstance(node, Not):
        return sa.not_(_on_row(node.operand, attribute, rows))
    sub = attribute.children[node.path]
    test = _test(sub, node)
    one = _NEVER if test.one is None else rows.holds(sub.name, test.one)
    return sa.or_(one, rows.is_null(sub.name)) if test.none else one


def _on_meta(node: Node, meta: Attribute) -> Condition:
    """The filter of a value path on `meta`, the one element that every resource has."""
    if isinstance(node, And):
        return sa.and_(*(_on_meta(each, meta) for each in node.operands))
    if isinstance(node, Or):
        return sa.or_(*(_on_meta(each, meta) for each in node.operands))
    if isinstance(node, Not):
        return sa.not_(_on_meta(node.operand, meta))
    sub = meta.children[node.path]
    return _on_column(AttributePath(meta, sub), node, _test(sub, node))


def _on_column(path: AttributePath, node: Any, test: _Test) -> Condition:
    """`id` and `meta`: every resource has them, in columns of its row."""
    columns = {
        "id": _bytes_of(RESOURCES.c.id),
        "meta.resourceType": _bytes_of(RESOURCES.c.type),
        "meta.created": _Column(RESOURCES.c.created_key, sa.type_coerce(RESOURCES.c.created, sa.LargeBinary())),
        "meta.lastModified": _Column(RESOURCES.c.modified_key, sa.type_coerce(RESOURCES.c.modified, sa.LargeBinary())),
    }
    if test.one is None:
        return _NEVER
    if isinstance(node, Present) or node.value is None:
        return _ALWAYS
    if path.text == "meta.version":
        return _on_version(node, test.one)
    return test.one(columns[path.text])


def _on_version(node: Comparison, test: _Holds) -> Condition:
    """Whether the entity tag matches; equality is a comparison of numbers."""
    if node.operator not in ("eq", "ne"):
        tag = sa.literal('W/"') + sa.cast(RESOURCES.c.version, sa.String(20)) + sa.literal('"')
        plain = sa.cast(tag, sa.LargeBinary)
        return test(_Column(plain, plain))
    text = str(node.value)
    number = text[3:-1]
    known = text[:3] == 'W/"' and text[-1:] == '"' and number.isascii() and number.isdigit() and number[0] != "0"
    equal = RESOURCES.c.version == int(number) if known and len(number) < 19 else _NEVER
    return equal if node.operator == "eq" else sa.not_(equal)


def _bytes_of(column: Any) -> _Column:
    plain = sa.type_coerce(column, sa.LargeBinary())
    return _Column(plain, plain, plain)


def _bytes(text: str) -> Any:
    return sa.literal(text.encode(), sa.LargeBinary())


def _folded(column: Any, words: Sequence[str]) -> _Column:
    """A column with one of a few words, which compares without case."""
    plain = sa.type_coerce(column, sa.LargeBinary())
    keys = [(plain == _bytes(word), _bytes(folded(word))) for word in words]
    key = sa.case(*keys, else_=plain) if keys else plain
    return _Column(key, key, key)


def _cell(attribute: Attribute, values: Any) -> _Column:
    text = sa.func.coalesce(values.c.whole, values.c.head, type_=sa.LargeBinary())
    if attribute.type == "dateTime":
        return _Column(values.c.head, text)
    return _Column(text, text, values.c.head)


def _exists(number: int) -> Condition:
    values = VALUES.alias()
    return sa.exists().where(values.c.resource == RESOURCES.c.sequence, values.c.slot == number)


def _test(attribute: Attribute, node: Any) -> _Test:
    if isinstance(node, Present):
        return _Test(False, lambda column: sa.func.length(column.key) > 0)
    constant = comparison_value(attribute, node)
    if constant is None:
        return _Test(True, None) if node.operator == "eq" else _Test(False, lambda _: _ALWAYS)
    if node.operator in ("co", "sw", "ew"):
        text = constant.encode()
        return _Test(False, lambda column: _TEXT[node.operator](column, text))
    key = encoded(constant)
    if node.operator == "eq":
        return _Test(False, lambda column: _equal(column, key))
    if node.operator == "ne":
        return _Test(True, lambda column: column.key != key)
    return _Test(False, lambda column: _ORDER[node.operator](column.key, key))


def _equal(column: _Column, key: bytes) -> Condition:
    """Equality that an index answers: its beginning first, then the whole where there is more."""
    if column.head is None or column.head is column.key:
        equal: Condition = column.key == key
        return equal
    return sa.and_(column.head == key[:HEAD], column.key == key)


def _contains(column: _Column, text: bytes) -> Condition:
    return instr(column.text, sa.literal(text, sa.LargeBinary())) > 0 if text else _ALWAYS


def _starts(column: _Column, text: bytes) -> Condition:
    """A range of the index: from the text to what follows all that start with it."""
    if not text:
        return _ALWAYS
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


def _ends(column: _Column, text: bytes) -> Condition:
    if not text:
        return _ALWAYS
    size = sa.func.length(column.text)
    end = sa.func.substr(column.text, size - len(text) + 1, len(text), type_=sa.LargeBinary())
    return sa.case((size >= len(text), end == text), else_=False)


_TEXT: Final[dict[str, Callable[[_Column, bytes], Condition]]] = {"co": _contains, "sw": _starts, "ew": _ends}
