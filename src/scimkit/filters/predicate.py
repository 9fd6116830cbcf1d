"""Syntax tree to predicate: nested closures over documents, specialized by operator and type.

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

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

from scimkit.documents import Document
from scimkit.errors import InvalidFilter
from scimkit.filters.ast import LONGEST_CACHED, And, Comparison, Node, Not, Or, ValuePath
from scimkit.filters.comparisons import (
    Coercion,
    Test,
    check_null_operator,
    comparison_value,
    is_present,
    refuse_value,
    value_test,
)
from scimkit.schema.attributes import Attribute, AttributePath

Predicate: TypeAlias = Callable[[Document], bool]
"""Whether a document matches."""

_EMPTY: Final[Mapping[str, Any]] = {}


class Scope(Protocol):
    """What paths are resolved against: a resource type, or an attribute inside a value path."""

    def resolve(self, text: str) -> AttributePath | None:
        """The attribute of that name, or None."""
        ...

    def __hash__(self) -> int: ...


class ElementScope:
    """The sub-attributes of one attribute: what a value path's brackets can name.

    The values of an attribute that is not complex are named `value`, as in `schemas[value eq "x"]`.
    """

    __slots__ = ("attribute",)

    def __init__(self, attribute: Attribute) -> None:
        self.attribute: Attribute = attribute

    def resolve(self, text: str) -> AttributePath | None:
        found = self.attribute.children.find(text)
        return None if found is None else AttributePath(found)


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


def compared(node: Comparison, scope: Scope) -> tuple[AttributePath, Any]:
    """What one expression compares, and the key that it compares it with. Raises as `compile_filter` does."""
    path = (_compared_at if len(node.path) <= LONGEST_CACHED else _compared_at.__wrapped__)(node.path, scope)
    key = comparison_value(path.leaf, node)
    if key is None:
        check_null_operator(node.operator)
    return path, key


@lru_cache(maxsize=1024)
def _compared_at(text: str, scope: Scope) -> AttributePath:
    return comparable(resolve(text, scope))


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

    if path.sub_attribute is not None or attribute.type != "complex":
        raise InvalidFilter(f"{path.text} takes no filter in brackets.")
    return matches if path.extension is None else _within(path.extension.name, matches)
