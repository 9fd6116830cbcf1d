"""Syntax tree to predicate: nested closures over documents, specialised by operator and type.

Paths are resolved and constants prepared once; what runs per document only looks up and compares.
This module never parses and never does I/O.

Semantics (RFC 7644 section 3.4.2.2), the same in every store:

* An attribute without a value compares as null: `ne` holds, `eq null` holds, all else does not.
* A multi-valued attribute matches when any of its values does, `ne` included; without values it
  compares as null, and so does an element that lacks the sub-attribute.
* A complex attribute compares by its sub-attribute `value`.
* A value path is met when one element meets its whole filter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, Protocol, TypeAlias

from scimkit.documents import Document
from scimkit.errors import InvalidFilter
from scimkit.filters.ast import And, Comparison, Node, Not, Operator, Or, Value, ValuePath
from scimkit.schema.attributes import Attribute, AttributePath, folded
from scimkit.schema.instants import parse_instant

Predicate: TypeAlias = Callable[[Document], bool]
"""Whether a document matches."""

Test: TypeAlias = Callable[[Any], bool]
"""Whether one value, or None for no value, matches."""

_EMPTY: Final[Mapping[str, Any]] = {}
_NUMBERS: Final = frozenset({bool, int, float})
"""The types whose values are never empty."""
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {"gt": gt, "ge": ge, "lt": lt, "le": le}
_EQUALITY: Final[Mapping[str, Callable[[Any, Any], bool]]] = {"eq": eq, "ne": ne}
_TEXT_OPERATORS: Final = frozenset({"co", "sw", "ew"})
_TEXT_TYPES: Final = frozenset({"string", "reference", "binary", "dateTime"})
_UNORDERED_TYPES: Final = frozenset({"boolean", "binary"})


class Scope(Protocol):
    """What paths are resolved against: a resource type, or an attribute inside a value path."""

    def resolve(self, text: str) -> AttributePath | None:
        """The attribute of that name, or None."""
        ...


class ElementScope:
    """The sub-attributes of one attribute: what a value path's brackets can name.

    The values of an attribute that is not complex are named `value`, as in `schemas[value eq "x"]`.
    """

    __slots__ = ("attribute",)

    def __init__(self, attribute: Attribute) -> None:
        self.attribute = attribute

    def resolve(self, text: str) -> AttributePath | None:
        found = self.attribute.children.find(text)
        return None if found is None else AttributePath(found)


Coercion: TypeAlias = Callable[[Attribute, Value], Value]
"""Asked for a value of the attribute's type when a filter compares with another type."""


def refuse_value(attribute: Attribute, value: Value) -> Value:
    """The `Coercion` that refuses. Raises: InvalidFilter."""
    raise InvalidFilter(f"The value compared with {attribute.path} is not {_a(attribute.type)}.")


def compile_filter(node: Node, scope: Scope, coerce: Coercion = refuse_value) -> Predicate:
    """The predicate of a filter on documents of `scope`.

    Raises: InvalidFilter when a path names no attribute, or an operator or a value does not fit it.
    """
    if isinstance(node, Comparison):
        target = comparable(resolve(node.path, scope))
        return _reach(target, value_test(target.leaf, node, coerce))
    if isinstance(node, And):
        return _all([compile_filter(each, scope, coerce) for each in node.operands])
    if isinstance(node, Or):
        return _any([compile_filter(each, scope, coerce) for each in node.operands])
    if isinstance(node, Not):
        operand = compile_filter(node.operand, scope, coerce)
        return lambda document: not operand(document)
    path = resolve(node.path, scope)
    if isinstance(node, ValuePath):
        return _some_element(path, compile_element_filter(path.leaf, node.filter, coerce))
    return _reach(path, is_present)


def check_filter(node: Node, scope: Scope) -> None:
    """Check that a filter can be compiled, without that where it is one expression. Raises as `compile_filter`."""
    if not isinstance(node, Comparison):
        compile_filter(node, scope)
    elif comparison_value(comparable(resolve(node.path, scope)).leaf, node) is None:
        _null_test(node.operator)


def compile_element_filter(attribute: Attribute, node: Node, coerce: Coercion = refuse_value) -> Test:
    """The predicate of a value path's filter on one element of `attribute`. Raises: InvalidFilter."""
    if attribute.type == "complex":
        return compile_filter(node, ElementScope(attribute), coerce)
    wrapped = compile_filter(node, _ScalarScope(attribute), coerce)
    return lambda value: wrapped({"value": value})


class _ScalarScope:
    """The scope of a value path on an attribute that is not complex: only `value`."""

    def __init__(self, attribute: Attribute) -> None:
        kind = attribute.type
        self._value = AttributePath(
            Attribute("value", kind, case_exact=attribute.case_exact, path=attribute.path, key=attribute.key)
        )

    def resolve(self, text: str) -> AttributePath | None:
        return self._value if text.lower() == "value" else None


def resolve(text: str, scope: Scope) -> AttributePath:
    """The attribute a filter names. Raises: InvalidFilter when there is none, or none to be filtered."""
    path = scope.resolve(text)
    if path is None:
        raise InvalidFilter("The filter names an attribute that this endpoint does not have.")
    if not path.is_searchable:
        raise InvalidFilter(f"{path.text} cannot be filtered.")
    return path


def comparable(path: AttributePath) -> AttributePath:
    """The path itself, or for a complex attribute its `value` (RFC 7644 figure 3: `emails co "x"`).

    Raises: InvalidFilter when a complex attribute has no `value`.
    """
    leaf = path.leaf
    if leaf.type != "complex":
        return path
    value = leaf.value_attribute
    if value is None or path.sub_attribute is not None:
        raise InvalidFilter(f"{path.text} is complex; name one of its sub-attributes.")
    return AttributePath(path.attribute, value, path.extension)


def comparison_value(attribute: Attribute, node: Comparison, coerce: Coercion = refuse_value) -> Any:
    """The comparison key of a filter's constant. Raises: InvalidFilter when it does not fit the attribute."""
    operator, value, kind = node.operator, node.value, attribute.type
    if value is None:
        return None
    if operator in _TEXT_OPERATORS:
        if kind not in _TEXT_TYPES:
            raise InvalidFilter(f"The operator {operator} does not apply to {attribute.path}.")
        if type(value) is not str:
            value = coerce(attribute, value)
            if type(value) is not str:
                refuse_value(attribute, value)
        return folded(value) if kind == "string" and not attribute.case_exact else value
    if operator in _ORDER and kind in _UNORDERED_TYPES:
        raise InvalidFilter(f"The operator {operator} does not apply to {attribute.path}.")
    if not _fits(kind, value):
        value = coerce(attribute, value)
        if not _fits(kind, value):
            refuse_value(attribute, value)
    return attribute.key(value)


def value_test(attribute: Attribute, node: Comparison, coerce: Coercion = refuse_value) -> Test:
    """The test of one value of `attribute`, or of None for no value. Raises: InvalidFilter."""
    constant = comparison_value(attribute, node, coerce)
    if constant is None:
        return _null_test(node.operator)
    if node.operator in _TEXT_OPERATORS:
        return _text_test(attribute, node.operator, constant)
    key = attribute.key
    plain = attribute.type not in ("string", "dateTime") or (attribute.type == "string" and attribute.case_exact)
    if plain and node.operator in _EQUALITY:
        return partial(_EQUALITY[node.operator], constant)
    if node.operator == "eq":
        return lambda value: value is not None and key(value) == constant
    if node.operator == "ne":
        return lambda value: value is None or key(value) != constant
    compare = _ORDER[node.operator]
    return lambda value: value is not None and compare(key(value), constant)


def is_present(value: Any) -> bool:
    """Whether a value counts as present: not null and not empty (`pr`)."""
    return bool(value) or type(value) in _NUMBERS


def _null_test(operator: Operator) -> Test:
    if operator == "eq":
        return lambda value: value is None
    if operator == "ne":
        return lambda value: value is not None
    raise InvalidFilter(f"The operator {operator} does not apply to null.")


def _text_test(attribute: Attribute, operator: str, constant: str) -> Test:
    if attribute.type == "string" and not attribute.case_exact:
        if operator == "co":
            return lambda value: value is not None and constant in folded(value)
        if operator == "sw":
            return lambda value: value is not None and folded(value).startswith(constant)
        return lambda value: value is not None and folded(value).endswith(constant)
    if operator == "co":
        return lambda value: value is not None and constant in value
    if operator == "sw":
        return lambda value: value is not None and value.startswith(constant)
    return lambda value: value is not None and value.endswith(constant)


def _fits(kind: str, value: Value) -> bool:
    if kind == "boolean":
        return type(value) is bool
    if kind in ("integer", "decimal"):
        return type(value) is int or (type(value) is float and math.isfinite(value))
    if kind == "dateTime":
        return type(value) is str and parse_instant(value) is not None
    return type(value) is str


def _a(kind: str) -> str:
    return {"integer": "a number", "decimal": "a number", "dateTime": "a date and time"}.get(kind, f"a {kind}")


def _all(operands: list[Predicate]) -> Predicate:
    if len(operands) == 2:
        first, second = operands
        return lambda document: first(document) and second(document)
    return lambda document: all(operand(document) for operand in operands)


def _any(operands: list[Predicate]) -> Predicate:
    if len(operands) == 2:
        first, second = operands
        return lambda document: first(document) or second(document)
    return lambda document: any(operand(document) for operand in operands)


def _reach(path: AttributePath, test: Test) -> Predicate:
    """Apply a test of one value at the end of a path, to any value where there are several."""
    attribute, sub = path.attribute, path.sub_attribute
    name = attribute.name
    if sub is None:
        at = _any_value(name, test) if attribute.multi_valued else _one_value(name, test)
    elif attribute.multi_valued:
        at = _any_sub_value(name, _any_value(sub.name, test) if sub.multi_valued else _one_value(sub.name, test))
    else:
        inner = _any_value(sub.name, test) if sub.multi_valued else _one_value(sub.name, test)
        at = _within(name, inner)
    return at if path.extension is None else _within(path.extension.name, at)


def _one_value(name: str, test: Test) -> Predicate:
    return lambda document: test(document.get(name))


def _within(name: str, inner: Predicate) -> Predicate:
    return lambda document: inner(document.get(name) or _EMPTY)


def _any_value(name: str, test: Test) -> Predicate:
    def matches(document: Document) -> bool:
        values = document.get(name)
        if not values:
            return test(None)
        return any(map(test, values))

    return matches


def _any_sub_value(name: str, inner: Predicate) -> Predicate:
    def matches(document: Document) -> bool:
        elements = document.get(name)
        if not elements:
            return inner(_EMPTY)
        for element in elements:  # noqa: SIM110  # a generator costs twice the loop here
            if inner(element):
                return True
        return False

    return matches


def _some_element(path: AttributePath, element: Test) -> Predicate:
    """A value path: on a singular attribute its one value is the element."""
    attribute = path.leaf
    name = attribute.name

    def matches(document: Document) -> bool:
        value = document.get(name)
        if value is None:
            return False
        if attribute.multi_valued:
            return any(map(element, value))
        return element(value)

    if path.sub_attribute is not None:
        raise InvalidFilter(f"{path.text} takes no filter in brackets.")
    return matches if path.extension is None else _within(path.extension.name, matches)
