"""All results that the RFC allows for a filter, with the result of the reference model first.

Where RFC 7644 section 3.4.2.2 leaves the meaning open, a comparison may be true or false:

- `ne` on an attribute without a value,
- a comparison with `null`,
- `eq` and `ne` of two dateTime texts for the same instant (`gt`, `ge`, `lt` and `le` are chronological).

A service provider may also refuse a comparison of a complex attribute without a sub-attribute, and brackets after a
singular attribute.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scimkit.filters.ast import And, Comparison, Node, Not, Or, Present, ValuePath
from scimkit.filters.parser import parse
from scimkit.schema.attributes import Attribute
from scimkit.schema.resource_types import ResourceType
from scimkit.testing import reference
from tests.corpus.candidates import Result, error

Possible = frozenset[bool]
_BOTH = frozenset({True, False})


def filter_results(kind: ResourceType, document: dict[str, Any], text: str) -> tuple[Result, ...]:
    """Return the expected result of a filter, and the other results that the RFC allows."""
    node = parse(text)
    expected = reference.matches(kind, document, node)
    possible = _possible(kind, document, node)
    assert expected in possible
    results: list[Result] = [{"matches": expected}]
    results += [{"matches": other} for other in possible - {expected}]
    return (*results, error("invalidFilter")) if _may_be_refused(kind, node) else tuple(results)


def element_matches(attribute: Attribute, element: dict[str, Any], node: Node) -> Possible:
    """Return the possible results of the filter in the brackets of a value path for one element."""
    if isinstance(node, And | Or | Not):
        return _combined(node, [element_matches(attribute, element, each) for each in _operands(node)])
    assert isinstance(node, Comparison | Present)
    child = attribute.children[node.path]
    return _any(_holds(value, child, node) for value in _listed(element.get(child.name)))


def _operands(node: And | Or | Not) -> tuple[Node, ...]:
    return (node.operand,) if isinstance(node, Not) else node.operands


def _combined(node: And | Or | Not, parts: list[Possible]) -> Possible:
    if isinstance(node, Not):
        return frozenset(not each for each in parts[0])
    if isinstance(node, Or):
        return _any(parts)
    return frozenset(not each for each in _any(frozenset(not each for each in part) for part in parts))


def _any(parts: Iterable[Possible]) -> Possible:
    """Return the possible results of "one of them holds"."""
    known = list(parts)
    found = set()
    if any(True in part for part in known):
        found.add(True)
    if all(False in part for part in known):
        found.add(False)
    return frozenset(found)


def _possible(kind: ResourceType, document: dict[str, Any], node: Node) -> Possible:
    if isinstance(node, And | Or | Not):
        return _combined(node, [_possible(kind, document, each) for each in _operands(node)])
    path = kind.resolve(node.path)
    assert path is not None
    holder = document if path.extension is None else document.get(path.extension.name, {})
    attribute, sub = path.attribute, path.sub_attribute
    value = holder.get(attribute.name)
    if isinstance(node, ValuePath):
        elements = [] if value is None else value if attribute.multi_valued else [value]
        return _any(element_matches(attribute, each, node.filter) for each in elements)
    if isinstance(node, Comparison) and attribute.type == "complex" and sub is None:
        sub = attribute.children["value"]
    values = _listed(value)
    if sub is not None:
        values = [inner for each in values for inner in _listed((each or {}).get(sub.name))]
    return _any(_holds(each, sub or attribute, node) for each in values)


def _listed(value: Any) -> list[Any]:
    return (value or [None]) if isinstance(value, list) else [value]


def _holds(value: Any, attribute: Attribute, node: Comparison | Present) -> Possible:
    known = reference._holds(value, attribute, node)
    if isinstance(node, Present):
        return frozenset({known})
    if node.value is None or (value is None and node.operator == "ne"):
        return _BOTH
    if attribute.type == "dateTime" and node.operator in ("eq", "ne") and value != node.value:
        return frozenset({node.operator == "ne", known})
    return frozenset({known})


def _may_be_refused(kind: ResourceType, node: Node) -> bool:
    if isinstance(node, And | Or | Not):
        return any(_may_be_refused(kind, each) for each in _operands(node))
    path = kind.resolve(node.path)
    assert path is not None
    if isinstance(node, ValuePath):
        return not path.attribute.multi_valued or path.attribute.type != "complex"
    return isinstance(node, Comparison) and path.leaf.type == "complex"
