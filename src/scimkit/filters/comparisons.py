"""Comparison of a single attribute value with the constant of a filter, depending on operator and attribute type.

This module knows no paths and no documents. Source: RFC 7644 section 3.4.2.2, table 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final, TypeAlias

from scimkit.errors import InvalidFilter
from scimkit.filters.ast import Comparison, Operator, Value
from scimkit.schema.attributes import Attribute, folded
from scimkit.schema.date_times import parse_instant

Test: TypeAlias = Callable[[Any], bool]
"""Function that reports whether a value matches. The argument None stands for an unassigned attribute."""

_NUMBERS: Final = frozenset({bool, int, float})
"""The types whose values are never empty."""
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {"gt": gt, "ge": ge, "lt": lt, "le": le}
_EQUALITY: Final[Mapping[str, Callable[[Any, Any], bool]]] = {"eq": eq, "ne": ne}
_TEXT_OPERATORS: Final = frozenset({"co", "sw", "ew"})
_TEXT_TYPES: Final = frozenset({"string", "reference", "binary", "dateTime"})
_UNORDERED_TYPES: Final = frozenset({"boolean", "binary"})

Coercion: TypeAlias = Callable[[Attribute, Value], Value]
"""Function that converts the constant of a filter to the type of the attribute if the types differ."""


def refuse_value(attribute: Attribute, value: Value) -> Value:
    """Refuse a filter constant of another type. This is the default `Coercion`.

    Raises:
        InvalidFilter: Always.
    """
    raise InvalidFilter(f"The value compared with {attribute.path} is not {_with_article(attribute.type)}.")


def comparison_value(attribute: Attribute, node: Comparison, coerce: Coercion = refuse_value) -> Any:
    """Return the comparison key of the constant in a comparison.

    Raises:
        InvalidFilter: The operator or the constant does not fit the attribute.
    """
    operator, value, kind = node.operator, node.value, attribute.type
    if value is None:
        return None
    if kind == "string" and type(value) is str:
        return attribute.key(value)
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
    """Return the test that a comparison applies to one value of an attribute.

    Raises:
        InvalidFilter: The operator or the constant does not fit the attribute.
    """
    constant = comparison_value(attribute, node, coerce)
    if constant is None:
        return check_null_operator(node.operator)
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
    """Report whether a value is present in the sense of `pr`: neither null nor empty."""
    return bool(value) or type(value) in _NUMBERS


def check_null_operator(operator: Operator) -> Test:
    """Return the test of a comparison with null.

    Raises:
        InvalidFilter: The operator is neither `eq` nor `ne`.
    """
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


def _with_article(kind: str) -> str:
    return {"integer": "a number", "decimal": "a number", "dateTime": "a date and time"}.get(kind, f"a {kind}")
