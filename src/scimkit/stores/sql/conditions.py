"""Filters as SQL conditions, with the same meaning as `filters.predicate`.

Values are always passed as bound parameters, and every path was resolved against the schema. A value of a document is
a row of `scim_value`, and a path matches if such a row exists. This module never runs a statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from scimkit.filters.ast import And, Comparison, Node, Not, Or, Present, ValuePath
from scimkit.filters.comparisons import comparison_value
from scimkit.filters.predicate import comparable, resolve
from scimkit.schema.attributes import Attribute, AttributePath, folded
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.database_errors import MOST_JOINS
from scimkit.stores.metadata import has_members, is_computed
from scimkit.stores.protocol import GROUPS, MEMBERS, META
from scimkit.stores.sql.comparisons import ALWAYS, NEVER, Column, Condition, Holds, Test, bytes_of, cell, test_of
from scimkit.stores.sql.index_entries import encoded, slot
from scimkit.stores.sql.statements import of_tenant
from scimkit.stores.sql.tables import MEMBERSHIPS, RESOURCES, VALUES

_VALUE: Final = VALUES.alias()
_ELEMENT: Final = VALUES.alias()
"""Aliases for the rows of values, and for the rows of the elements that contain these values."""


def condition(node: Node, resource_type: ResourceType, tenant: str) -> Condition:
    """Build the condition on rows of `scim_resource` for a filter.

    The caller has checked that the filter fits the resource type.

    Raises:
        InvalidFilter: The filter cannot be expressed in SQL.
    """
    return _Compiler(resource_type, tenant).condition(node)


def leads_to_few(node: Node, resource_type: ResourceType) -> bool:
    """Report whether few resources can match a filter, so that the filter itself leads to their rows."""
    if isinstance(node, And):
        return any(leads_to_few(each, resource_type) for each in node.operands)
    if isinstance(node, Or):
        return all(leads_to_few(each, resource_type) for each in node.operands)
    if isinstance(node, (Not, Present)):
        return False
    path = resolve(node.path, resource_type)
    if isinstance(node, ValuePath):
        return path.leaf.type == "complex" and _selective_operand(node.filter, path.leaf) is not None
    return node.operator == "eq" and node.value is not None and _is_selective(comparable(path).leaf)


def indexed_value(node: Node, resource_type: ResourceType, tenant: str) -> tuple[int, bytes] | None:
    """Return the slot and the key of the only value that a filter compares, if few resources have an equal value.

    Returns None for every other filter, and for values that are not in `scim_value`.
    """
    if not isinstance(node, Comparison) or node.operator != "eq" or node.value is None:
        return None
    path = comparable(resolve(node.path, resource_type))
    name = path.attribute.name
    in_columns = name in ("id", META) or (name == MEMBERS and has_members(resource_type))
    if path.extension is None and (in_columns or (name == GROUPS and is_computed(resource_type, GROUPS))):
        return None
    if not _is_selective(path.leaf):
        return None
    key = encoded(comparison_value(path.leaf, node))
    return slot(tenant, resource_type.name, path.leaf.path), key


def _is_selective(attribute: Attribute) -> bool:
    """Report whether few resources share a value of an attribute, and an index finds them.

    This does not hold for booleans and for attributes such as `type`.
    """
    if attribute.type in ("boolean", "dateTime", "decimal", "complex") or attribute.name in ("type", "resourceType"):
        return False
    return attribute.path not in ("meta.version", "members.display", "groups.display")


def _selective_operand(node: Node, attribute: Attribute) -> Comparison | None:
    """Return the operand of a value path's filter that few elements match, or None."""
    for each in node.operands if isinstance(node, And) else (node,):
        if isinstance(each, Comparison) and each.operator == "eq" and each.value is not None:
            sub = attribute.children.find(each.path)
            if sub is not None and _is_selective(sub):
                return each
    return None


class _Compiler:
    """Compiles filters of one resource type and tenant."""

    def __init__(self, resource_type: ResourceType, tenant: str) -> None:
        self._type = resource_type
        self._tenant = tenant
        self._rows: dict[str, Callable[[], _Rows]] = {}
        if has_members(resource_type):
            types = resource_type.attributes[MEMBERS].children["$ref"].reference_types
            self._rows[MEMBERS] = lambda: _member_rows(types)
        if is_computed(resource_type, GROUPS):
            self._rows[GROUPS] = _group_rows

    def condition(self, node: Node) -> Condition:
        """Build the condition for a filter."""
        if isinstance(node, And):
            return self._all(node.operands)
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
        test = test_of(path.leaf, node)
        if rows is not None:
            return _rows_condition(rows(), path, test)
        if path.extension is None and (path.attribute.name == "id" or path.attribute.name == META):
            return _on_column(path, node, test)
        return self._met(path, test)

    def _all(self, operands: Sequence[Node]) -> Condition:
        """Join conditions by `and`. Conditions that few resources match come first, so that the database joins them."""
        if len(operands) > MOST_JOINS:
            operands = sorted(operands, key=lambda each: not leads_to_few(each, self._type))
        met = [self.condition(each) for each in operands]
        return sa.and_(*met[:MOST_JOINS], *(each.is_(sa.true()) for each in met[MOST_JOINS:]))

    def _slot(self, attribute: Attribute) -> int:
        """Return the number of an attribute in the table of values."""
        return slot(self._tenant, self._type.name, attribute.path)

    def _met(self, path: AttributePath, test: Test) -> Condition:
        """Build the condition that a value at the path matches, or that no value exists and its absence matches."""
        number, one = self._slot(path.leaf), []
        if test.one is not None:
            values = _VALUE
            matching = sa.select(values.c.resource).where(values.c.slot == number, test.one(cell(path.leaf, values)))
            one.append(RESOURCES.c.sequence.in_(matching))
        if not test.none:
            return sa.or_(NEVER, *one)
        if path.sub_attribute is None or not path.attribute.multi_valued:
            return sa.or_(~_exists(number), *one)
        elements, inner = _ELEMENT, _VALUE
        of_element = (inner.c.resource == elements.c.resource, inner.c.element == elements.c.element)
        lacking = sa.exists().where(
            elements.c.resource == RESOURCES.c.sequence,
            elements.c.slot == self._slot(path.attribute),
            ~sa.exists().where(*of_element, inner.c.slot == number),
        )
        return sa.or_(~_exists(self._slot(path.attribute)), lacking, *one)

    def _value_path(self, path: AttributePath, node: Node) -> Condition:
        """Build the condition that an element matches the filter of a value path.

        If an operand leads to few elements, the database finds the elements by this operand.
        """
        elements, attribute = _ELEMENT, path.leaf
        telling = _selective_operand(node, attribute) if attribute.type == "complex" else None
        if telling is None:
            met = [elements.c.slot == self._slot(attribute), self._on_element(node, attribute, elements)]
        else:
            sub, others = attribute.children[telling.path], node.operands if isinstance(node, And) else ()
            one = test_of(sub, telling).one
            assert one is not None
            met = [elements.c.slot == self._slot(sub), one(cell(sub, elements))]
            met += [self._on_element(each, attribute, elements) for each in others if each is not telling]
        return RESOURCES.c.sequence.in_(sa.select(elements.c.resource).where(*met))

    def _on_element(self, node: Node, attribute: Attribute, elements: Any) -> Condition:
        """Build the condition on the row of one element for the filter of a value path."""
        if isinstance(node, And):
            return sa.and_(*(self._on_element(each, attribute, elements) for each in node.operands))
        if isinstance(node, Or):
            return sa.or_(*(self._on_element(each, attribute, elements) for each in node.operands))
        if isinstance(node, Not):
            return sa.not_(self._on_element(node.operand, attribute, elements))
        if attribute.type != "complex":
            test = test_of(attribute, node)
            return NEVER if test.one is None else test.one(cell(attribute, elements))
        sub = attribute.children[node.path]
        test, values = test_of(sub, node), _VALUE
        same = (
            values.c.resource == elements.c.resource, values.c.element == elements.c.element,
            values.c.slot == self._slot(sub),
        )  # fmt: skip
        met: list[Condition] = []
        if test.one is not None:
            # Databases may evaluate EXISTS for all values of the kind first. They evaluate a count per element.
            some = sa.select(sa.func.count()).select_from(values).where(*same, test.one(cell(sub, values)))
            met.append(some.correlate(elements).scalar_subquery() > 0)
        if test.none:
            met.append(~sa.exists().where(*same))
        return sa.or_(NEVER, *met)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Elements that are rows of their own: the members of a group, or the groups of a user."""

    joined: Any
    owner: Any
    columns: dict[str, Column]
    nullable: frozenset[str]
    within: Condition

    def some(self, holds: Callable[[_Rows], Condition]) -> Condition:
        """Build the condition that a row exists that meets a condition."""
        matching = sa.select(self.owner).select_from(self.joined).where(self.within, holds(self))
        return RESOURCES.c.sequence.in_(matching)

    def is_null(self, name: str) -> Condition:
        """Build the condition that a sub-attribute of a row has no value."""
        return self.columns[name].text.is_(None) if name in self.nullable else NEVER

    def holds(self, name: str, test: Holds) -> Condition:
        """Build the condition that a sub-attribute of a row has a value that meets a test."""
        column = self.columns[name]
        return sa.and_(column.text.is_not(None), test(column)) if name in self.nullable else test(column)


def _member_rows(types: Sequence[str]) -> _Rows:
    """Return the rows of the members of groups."""
    rows, member = MEMBERSHIPS.alias(), RESOURCES.alias()
    columns = {
        "value": bytes_of(member.c.id, rows.c.member),
        "type": _folded(member.c.type, types),
        "display": Column(rows.c.display_key, rows.c.display_key),
    }
    joined = rows.join(member, member.c.sequence == rows.c.member)
    return _Rows(joined, rows.c.group, columns, frozenset({"display"}), of_tenant(member))


def _group_rows() -> _Rows:
    """Return the rows of the groups of members."""
    rows, group = MEMBERSHIPS.alias(), RESOURCES.alias()
    direct = sa.literal(b"direct", sa.LargeBinary())
    columns = {
        "value": bytes_of(group.c.id, rows.c.group),
        "type": Column(direct, direct),
        "display": Column(group.c.display_key, group.c.display_key),
    }
    joined = rows.join(group, group.c.sequence == rows.c.group)
    return _Rows(joined, rows.c.member, columns, frozenset({"display"}), of_tenant(group))


def _rows_condition(rows: _Rows, path: AttributePath, test: Test) -> Condition:
    """Build the condition for a test on members or groups."""
    name = None if path.sub_attribute is None else path.sub_attribute.name
    some = rows.some(lambda _: ALWAYS)
    if name is None:
        return some
    met: list[Condition] = []
    if test.one is not None:
        holds = test.one
        met.append(rows.some(lambda each: each.holds(name, holds)))
    if test.none:
        met += [~some, rows.some(lambda each: each.is_null(name))]
    return sa.or_(NEVER, *met)


def _on_row(node: Node, attribute: Attribute, rows: _Rows) -> Condition:
    """Build the condition on a row of a member or group for the filter of a value path."""
    if isinstance(node, And):
        return sa.and_(*(_on_row(each, attribute, rows) for each in node.operands))
    if isinstance(node, Or):
        return sa.or_(*(_on_row(each, attribute, rows) for each in node.operands))
    if isinstance(node, Not):
        return sa.not_(_on_row(node.operand, attribute, rows))
    sub = attribute.children[node.path]
    test = test_of(sub, node)
    one = NEVER if test.one is None else rows.holds(sub.name, test.one)
    return sa.or_(one, rows.is_null(sub.name)) if test.none else one


def _on_meta(node: Node, meta: Attribute) -> Condition:
    """Build the condition on `meta` for the filter of a value path. Every resource has exactly one `meta`."""
    if isinstance(node, And):
        return sa.and_(*(_on_meta(each, meta) for each in node.operands))
    if isinstance(node, Or):
        return sa.or_(*(_on_meta(each, meta) for each in node.operands))
    if isinstance(node, Not):
        return sa.not_(_on_meta(node.operand, meta))
    sub = meta.children[node.path]
    return _on_column(AttributePath(meta, sub), node, test_of(sub, node))


def _on_column(path: AttributePath, node: Any, test: Test) -> Condition:
    """Build the condition for a test on `id` or `meta`. Every resource has these values in columns of its row."""
    columns = {
        "id": bytes_of(RESOURCES.c.id),
        "meta.resourceType": bytes_of(RESOURCES.c.type),
        "meta.created": Column(RESOURCES.c.created_key, sa.type_coerce(RESOURCES.c.created, sa.LargeBinary())),
        "meta.lastModified": Column(RESOURCES.c.modified_key, sa.type_coerce(RESOURCES.c.modified, sa.LargeBinary())),
    }
    if test.one is None:
        return NEVER
    if isinstance(node, Present) or node.value is None:
        return ALWAYS
    if path.text == "meta.version":
        return _on_version(node, test.one)
    return test.one(columns[path.text])


def _on_version(node: Comparison, test: Holds) -> Condition:
    """Build the condition for a comparison of the entity tag. Equality compares version numbers."""
    if node.operator not in ("eq", "ne"):
        tag = sa.literal('W/"') + sa.cast(RESOURCES.c.version, sa.String(20)) + sa.literal('"')
        plain = sa.cast(tag, sa.LargeBinary)
        return test(Column(plain, plain))
    text = str(node.value)
    number = text[3:-1]
    known = text[:3] == 'W/"' and text[-1:] == '"' and number.isascii() and number.isdigit() and number[0] != "0"
    equal = RESOURCES.c.version == int(number) if known and len(number) < 19 else NEVER
    return equal if node.operator == "eq" else sa.not_(equal)


def _bytes(text: str) -> Any:
    return sa.literal(text.encode(), sa.LargeBinary())


def _folded(column: Any, words: Sequence[str]) -> Column:
    """Return the expressions for a column that contains one of a few words, compared without case."""
    plain = sa.type_coerce(column, sa.LargeBinary())
    keys = [(plain == _bytes(word), _bytes(folded(word))) for word in words]
    key = sa.case(*keys, else_=plain) if keys else plain
    return Column(key, key, key)


def _exists(number: int) -> Condition:
    """Build the condition that a resource has a value of an attribute."""
    return sa.exists().where(_VALUE.c.resource == RESOURCES.c.sequence, _VALUE.c.slot == number)
