"""A greedy reduction of a candidate to the smallest one with the same coverage signature.

The signature of a filter has each operator with the kind of attribute and the result for each value, and each logical
operator with its result. The signature of a PATCH has the same for each operation: kind of path, state before, elements
that the filter selects, and whether the document changed. Two candidates with one signature exercise the same rules.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from scimkit.errors import ScimError
from scimkit.filters.ast import And, Comparison, Node, Not, Or, Present, ValuePath
from scimkit.filters.parser import parse
from scimkit.patch import PATCH_OP_SCHEMA
from scimkit.schema.attributes import Attribute, AttributePath
from scimkit.schema.reading import read_resource
from scimkit.schema.resource_types import ResourceType
from scimkit.testing import reference
from scimkit.testing.corpus import resource_type
from tests.corpus.candidates import Candidate, Result
from tests.corpus.filter_readings import filter_results
from tests.corpus.patch_readings import Unanswered, patch_results

Signature = frozenset[object]


def results_of(candidate: Candidate) -> tuple[Result, ...]:
    """Return the results of a candidate: its own, or those of the reference model.

    Raises:
        Unanswered: The RFC does not answer the question.
    """
    if candidate.results:
        return candidate.results
    if not is_valid(candidate):
        raise Unanswered("the document is not valid")
    kind = resource_type(candidate.schemas)
    if candidate.kind == "filter":
        return filter_results(kind, dict(candidate.document), candidate.request)
    return patch_results(kind, candidate.document, candidate.request["Operations"])


def reduced(candidate: Candidate) -> Candidate:
    """Return the smallest candidate that has the same signature and that the greedy search finds."""
    wanted = signature(candidate)
    while True:
        for smaller in _smaller(candidate):
            if _signature_or_none(smaller) == wanted:
                candidate = smaller
                break
        else:
            return candidate


def is_valid(candidate: Candidate) -> bool:
    """Report whether a client may create the document: a POST of the document is read as the same document."""
    kind = resource_type(candidate.schemas)
    document = {"schemas": kind.schemas_of(candidate.document), **candidate.document}
    try:
        return read_resource(kind, document) == document
    except ScimError:
        return False


def _signature_or_none(candidate: Candidate) -> Signature | None:
    try:
        return signature(candidate)
    except (Unanswered, AssertionError, KeyError):
        return None


def _smaller(candidate: Candidate) -> Iterator[Candidate]:
    """Yield candidates with one part less: an operation, an operand, an attribute or an element."""
    if candidate.kind == "filter":
        for node in _smaller_filters(parse(candidate.request)):
            yield replace(candidate, request=str(node))
    else:
        operations = candidate.request["Operations"]
        for place in range(len(operations)) if len(operations) > 1 else ():
            fewer = [*operations[:place], *operations[place + 1 :]]
            yield replace(candidate, request={"schemas": [PATCH_OP_SCHEMA], "Operations": fewer})
    for document in _smaller_values(dict(candidate.document)):
        yield replace(candidate, document=document)


def _smaller_filters(node: Node) -> Iterator[Node]:
    if isinstance(node, And | Or):
        yield from node.operands
        if len(node.operands) > 2:
            for place in range(len(node.operands)):
                yield type(node)((*node.operands[:place], *node.operands[place + 1 :]))
        for place, operand in enumerate(node.operands):
            for smaller in _smaller_filters(operand):
                if not isinstance(smaller, type(node)):
                    yield type(node)((*node.operands[:place], smaller, *node.operands[place + 1 :]))
    elif isinstance(node, Not):
        yield node.operand
        yield from map(Not, _smaller_filters(node.operand))
    elif isinstance(node, ValuePath):
        for smaller in _smaller_filters(node.filter):
            yield ValuePath(node.path, smaller)


def _smaller_values(value: Any) -> Iterator[Any]:
    """Yield values with one member or element less, at any depth."""
    if isinstance(value, dict):
        for name in value:
            yield {other: item for other, item in value.items() if other != name}
        for name, item in value.items():
            for smaller in _smaller_values(item):
                if smaller not in ([], {}):
                    yield {**value, name: smaller}
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield [*value[:place], *value[place + 1 :]]
            for smaller in _smaller_values(item):
                if smaller != {}:
                    yield [*value[:place], smaller, *value[place + 1 :]]


def signature(candidate: Candidate) -> Signature:
    """Return the coverage signature of a candidate whose results come from the reference model."""
    results = results_of(candidate)
    kind = resource_type(candidate.schemas)
    found: set[object] = {tuple(_kind_of(each) for each in results)}
    if candidate.kind == "filter":
        found.add(_filter_features(kind, dict(candidate.document), parse(candidate.request), found.add))
        found.add(("result", results[0]["matches"]))
    else:
        document: Any = copy.deepcopy(dict(candidate.document))
        for operation in candidate.request["Operations"]:
            after = patch_results(kind, document, [operation])[0]
            found.add(_operation_feature(kind, document, operation, after, found.add))
            if "error" in after:
                break
            document = after["document"]
    return frozenset(found)


def _kind_of(result: Result) -> object:
    return ("error", result["error"].get("scimType")) if "error" in result else next(iter(result))


def _attribute_class(attribute: Attribute) -> object:
    return (attribute.type, attribute.multi_valued, attribute.case_exact, attribute.mutability, attribute.required)


def _filter_features(kind: ResourceType, document: dict[str, Any], node: Node, add: Callable[[object], None]) -> bool:
    """Add the features of a filter, and return its result."""
    if isinstance(node, And | Or | Not):
        operands = (node.operand,) if isinstance(node, Not) else node.operands
        parts = [_filter_features(kind, document, each, add) for each in operands]
        add(
            (
                type(node).__name__,
                tuple(type(each).__name__ for each in operands if isinstance(each, And | Or | Not)),
                tuple(parts[:3]),
            )
        )
        return reference.matches(kind, document, node)
    path = kind.resolve(node.path)
    assert path is not None
    holder = document if path.extension is None else document.get(path.extension.name, {})
    value = holder.get(path.attribute.name)
    elements = value if isinstance(value, list) else [value]
    if isinstance(node, ValuePath):
        add(
            (
                "brackets",
                *_element_features(path.attribute, [each for each in elements if each is not None], node.filter, add),
            )
        )
    else:
        alone = [
            {path.attribute.name: [each] if path.attribute.multi_valued else each}
            for each in elements
            if each is not None
        ]
        inner = [each if path.extension is None else {path.extension.name: each} for each in alone]
        truths = tuple(reference.matches(kind, each, node) for each in inner)
        add(
            (
                _operator(node),
                _attribute_class(path.attribute),
                path.sub_attribute and _attribute_class(path.leaf),
                truths,
                path.extension is None,
            )
        )
    return reference.matches(kind, document, node)


def _operator(node: Comparison | Present) -> object:
    return ("pr",) if isinstance(node, Present) else (node.operator, node.value is None)


def _element_features(
    attribute: Attribute, elements: list[Any], node: Node, add: Callable[[object], None]
) -> list[bool]:
    """Add the features of the filter in brackets, and return its result for each element."""
    truths = [reference._element_matches(attribute, each, node) for each in elements]
    if isinstance(node, And | Or | Not):
        for operand in (node.operand,) if isinstance(node, Not) else node.operands:
            _element_features(attribute, elements, operand, add)
        add(("in brackets", type(node).__name__, tuple(truths)))
    elif isinstance(node, Comparison | Present):
        add(("in brackets", _operator(node), _attribute_class(attribute.children[node.path]), tuple(truths)))
    return truths


def _operation_feature(
    kind: ResourceType,
    document: dict[str, Any],
    operation: dict[str, Any],
    after: Result,
    add: Callable[[object], None],
) -> object:
    outcome = _kind_of(after) if "error" in after else after["document"] != document
    if "path" not in operation:
        names = [AttributePath(kind.attributes[name]) for name in operation["value"]]
        return (operation["op"], "no path", tuple(_state(document, each, operation) for each in names), outcome)
    head, bracket, rest = operation["path"].partition("[")
    path = kind.resolve(head)
    assert path is not None
    state = _state(document, path, operation)
    if bracket:
        inside, _, tail = rest.rpartition("]")
        holder = document if path.extension is None else document.get(path.extension.name, {})
        truths = _element_features(path.attribute, holder.get(path.attribute.name) or [], parse(inside), add)
        target = path.attribute.children[tail[1:]] if tail else None
        return (operation["op"], "filter", _attribute_class(target) if target else None, tuple(truths), state, outcome)
    sub = path.sub_attribute
    return (operation["op"], "path", sub and _attribute_class(sub), state, path.extension is None, outcome)


def _state(document: dict[str, Any], path: AttributePath, operation: dict[str, Any]) -> object:
    """Return the class of an attribute, its state before the operation, and how many values the operation has."""
    holder = document if path.extension is None else document.get(path.extension.name, {})
    value = holder.get(path.attribute.name)
    written = operation.get("value")
    sizes = tuple(len(each) if isinstance(each, list) else each is not None for each in (value, written))
    parts: tuple[object, ...] = ()
    if isinstance(value, dict):
        names = (
            set(written) if isinstance(written, dict) else {path.sub_attribute.name} if path.sub_attribute else set()
        )
        parts = (bool(set(value) - names), bool(set(value) & names), value == written)
    elif isinstance(value, list) and isinstance(written, list):
        parts = (
            sum(each in value for each in written),
            any(isinstance(each, dict) and each.get("primary") is True for each in value),
        )
    return (_attribute_class(path.attribute), sizes, parts, value == written and value is not None)
