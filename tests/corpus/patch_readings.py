"""All results that the RFC allows for a PATCH, with the result of the reference model first.

Where RFC 7644 section 3.5.2 leaves the result open, an operation may have several:

- A `remove` that selects nothing changes nothing, or is an error (table 9).
- An `add` whose filter selects nothing is an error (table 9), or creates the element that the filter describes.
- An `add` of an element that exists SHOULD change nothing. A second element is allowed.
- An `add` of sub-attributes keeps the others or replaces them. So does an operation without a path, and a `replace` of
  elements that a filter selects. A `replace` at the path of a complex attribute keeps the others: the RFC says so.
- An operation that writes the value that an immutable attribute has changes nothing, or is 400 `mutability`.

RFC 7644 asks for the `scimType` `noTarget` if the filter of a `replace` selects nothing, and for `mutability` if a
required or readOnly value is removed. Elsewhere, each error with status 400 is right.

Questions that the RFC does not answer at all have no result here: `Unanswered` is raised.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from scimkit.errors import MutabilityViolation, NoTarget, ScimError
from scimkit.filters.ast import And, Comparison, Node
from scimkit.filters.parser import parse
from scimkit.schema.attributes import Attribute, AttributePath
from scimkit.schema.reading import read_resource
from scimkit.schema.resource_types import ResourceType
from scimkit.testing import reference
from scimkit.testing.corpus import same_document
from tests.corpus.candidates import ANY_400, Result, body, error
from tests.corpus.filter_readings import element_matches

MAX_RESULTS: Final = 6
"""Maximum number of results. A question with more is not useful."""


class Unanswered(Exception):
    """The RFC does not answer the question."""


def patch_results(
    kind: ResourceType, document: Mapping[str, Any], operations: list[dict[str, Any]]
) -> tuple[Result, ...]:
    """Return the expected result of a PATCH in RFC form, and the other results that the RFC allows.

    Raises:
        Unanswered: The RFC does not answer the question.
    """
    states: list[Result] = [{"document": copy.deepcopy(dict(document))}]
    for place, operation in enumerate(operations):
        following: list[Result] = []
        for state in states:
            following += [state] if "error" in state else _after(kind, state["document"], operation)
        if any("error" in each for each in following):
            _check_one_error(kind, states, operations[place:])
        states = _distinct(following)
        if len(states) > MAX_RESULTS:
            raise Unanswered("too many results")
    for state in states:
        if "document" in state:
            _check_valid(kind, state["document"])
    return tuple(states)


def _check_one_error(kind: ResourceType, states: list[Result], operations: list[dict[str, Any]]) -> None:
    """Refuse a PATCH in which an operation fails and a later one fails too, or may set a required value again."""
    first, *later = operations
    if later and first["op"] == "remove":
        raise Unanswered("a removal that fails, and another operation")
    for state in states:
        for operation in later if "document" in state else ():
            if any("error" in each for each in _after(kind, state["document"], operation)):
                raise Unanswered("two errors")


def _distinct(results: list[Result]) -> list[Result]:
    kept: list[Result] = []
    for each in results:
        if not any(_same(each, other) for other in kept):
            kept.append(each)
    return kept


def _same(one: Result, other: Result) -> bool:
    if "document" in one and "document" in other:
        return same_document(one["document"], other["document"])
    return one == other


def _check_valid(kind: ResourceType, document: Mapping[str, Any]) -> None:
    try:
        read_resource(kind, {"schemas": kind.schemas_of(document), **document})
    except ScimError:
        raise Unanswered("the result is not valid") from None


def _model(kind: ResourceType, document: Mapping[str, Any], operation: dict[str, Any]) -> Result:
    """Return the result of the reference model."""
    try:
        made = reference.patched(kind, dict(document), body(operation))
    except NoTarget:
        return error("noTarget")
    except MutabilityViolation:
        return error("mutability")
    made.pop("schemas", None)
    return {"document": made}


def _after(kind: ResourceType, document: dict[str, Any], operation: dict[str, Any]) -> list[Result]:
    results = [_model(kind, document, operation)]
    if "error" in results[0] and not _names_scim_type(kind, results[0], operation):
        results.append(ANY_400)
    if "path" not in operation:
        return [*results, *_without_path(kind, document, operation)]
    head, bracket, rest = operation["path"].partition("[")
    path = kind.resolve(head)
    assert path is not None
    if any(each is not None and each.mutability == "readOnly" for each in (path.attribute, path.sub_attribute)):
        return [error("mutability"), *([] if operation["op"] == "remove" else [ANY_400])]
    holder = document if path.extension is None else document.get(path.extension.name, {})
    old = holder.get(path.attribute.name)
    _check_written(path, old, operation)
    if bracket:
        if not path.attribute.multi_valued or path.attribute.type != "complex":
            raise Unanswered("brackets after a singular or simple attribute")
        inside, _, tail = rest.rpartition("]")
        return [*results, *_with_filter(kind, document, operation, path, old or [], parse(inside), tail[1:])]
    if path.sub_attribute is not None and path.attribute.multi_valued:
        raise Unanswered("a sub-attribute of all elements")
    value = old if path.sub_attribute is None or old is None else old.get(path.sub_attribute.name)
    if operation["op"] == "remove":
        if value is None:
            results.append(ANY_400)
        return results
    results += _appended(document, path, operation)
    results += _same_immutable(path, value, operation["value"])
    if path.leaf.type == "complex" and not path.leaf.multi_valued and operation["op"] == "add" and value is not None:
        results.append(_replaced(document, path, operation["value"]))
    return results


def _names_scim_type(kind: ResourceType, result: Result, operation: dict[str, Any]) -> bool:
    """Report whether the RFC asks for the `scimType` of an error of the reference model."""
    if result["error"]["scimType"] == "noTarget":
        return bool(operation["op"] == "replace")
    if operation["op"] != "remove":
        return False
    head, _, rest = operation["path"].partition("[")
    path = kind.resolve(head)
    assert path is not None
    tail = rest.rpartition("].")[2] if "]." in rest else ""
    leaf = path.attribute.children[tail] if tail else path.leaf
    return leaf.required


def _without_path(kind: ResourceType, document: dict[str, Any], operation: dict[str, Any]) -> list[Result]:
    """Return the result in which each complex attribute of the value replaces the present one."""
    replaced = copy.deepcopy(document)
    for name, value in operation["value"].items():
        attribute = kind.attributes[name]
        path = AttributePath(attribute)
        if attribute.mutability == "readOnly":
            raise Unanswered("a readOnly attribute in a value")
        _check_written(path, document.get(name), {**operation, "path": name, "value": value})
        if attribute.type == "complex" and not attribute.multi_valued:
            replaced[name] = copy.deepcopy(value)
        elif repeated := _appended(replaced, path, {**operation, "value": value}):
            replaced = repeated[0]["document"]
        else:
            made = _model(kind, replaced, {"op": operation["op"], "path": name, "value": value})
            if "error" in made:
                raise Unanswered("an error in a value")
            replaced = made["document"]
    return [{"document": replaced}]


def _check_written(path: AttributePath, old: Any, operation: dict[str, Any]) -> None:
    """Refuse values for which the RFC has no rule: elements that are the same in part, and several primary ones."""
    attribute = path.attribute
    if attribute.mutability == "readOnly" or operation["op"] == "remove" or "[" in operation["path"]:
        return
    if path.sub_attribute is None and attribute.multi_valued:
        value = operation["value"]
        listed = value if isinstance(value, list) else [value]
        known = (old or []) if operation["op"] == "add" else []
        for place, each in enumerate(listed):
            for other in [*known, *listed[:place]]:
                if reference._same(attribute, each, other) and (
                    each != other or any(each is one for one in listed[:place])
                ):
                    raise Unanswered("two elements that are the same in part")
            if any(each == other for other in listed[:place]):
                raise Unanswered("a repeated element")
        if sum(isinstance(each, dict) and each.get("primary") is True for each in listed) > 1:
            raise Unanswered("several primary elements")


def _same_immutable(path: AttributePath, value: Any, written: Any) -> list[Result]:
    if path.leaf.mutability == "immutable" and value is not None and value == written:
        return [ANY_400]
    has_immutable = any(each.mutability == "immutable" for each in path.leaf.children.values())
    if value is not None and has_immutable and not path.leaf.multi_valued:
        raise Unanswered("a complex value with an immutable sub-attribute")
    return []


def _appended(document: dict[str, Any], path: AttributePath, operation: dict[str, Any]) -> list[Result]:
    """Return the result in which an element that exists is added once more, if the operation adds one."""
    holder = document if path.extension is None else document.get(path.extension.name, {})
    old, value = holder.get(path.attribute.name), operation["value"]
    if operation["op"] != "add" or path.sub_attribute is not None or not path.attribute.multi_valued or not old:
        return []
    return [_replaced(document, path, [*old, *value])] if any(each in old for each in value) else []


def _replaced(document: dict[str, Any], path: AttributePath, value: Any) -> Result:
    made = copy.deepcopy(document)
    holder = made if path.extension is None else made[path.extension.name]
    holder[path.attribute.name] = copy.deepcopy(value)
    return {"document": made}


def _with_filter(
    kind: ResourceType,
    document: dict[str, Any],
    operation: dict[str, Any],
    path: AttributePath,
    old: list[Any],
    node: Node,
    sub: str,
) -> list[Result]:
    attribute, op = path.attribute, operation["op"]
    found = [element_matches(attribute, each, node) for each in old]
    if any(len(each) > 1 for each in found):
        raise Unanswered("a filter whose result is open")
    chosen = [each for each, matched in zip(old, found, strict=True) if True in matched]
    if not chosen:
        if op == "remove":
            return [ANY_400]
        return _described(document, path, node, sub, operation["value"]) if op == "add" else []
    if sub:
        _check_not_merged(kind, document, operation, path, old, chosen, sub)
        return _on_sub_attribute(attribute, op, chosen, sub, operation)
    if op == "remove":
        return []
    if any(each.mutability == "immutable" or each.required for each in attribute.children.values()):
        raise Unanswered("an element with immutable or required sub-attributes is written")
    other = "add" if op == "replace" else "replace"
    return [_model(kind, document, {**operation, "op": other})]


def _check_not_merged(
    kind: ResourceType,
    document: dict[str, Any],
    operation: dict[str, Any],
    path: AttributePath,
    old: list[Any],
    chosen: list[Any],
    sub: str,
) -> None:
    """Refuse an operation that makes two elements the same, which the model merges."""
    made = _model(kind, document, operation)
    if "document" in made:
        holder = made["document"] if path.extension is None else made["document"].get(path.extension.name, {})
        emptied = sum(set(each) == {sub} for each in chosen) if operation["op"] == "remove" else 0
        if len(holder.get(path.attribute.name, ())) != len(old) - emptied:
            raise Unanswered("two elements become the same")


def _on_sub_attribute(
    attribute: Attribute, op: str, chosen: list[Any], sub: str, operation: dict[str, Any]
) -> list[Result]:
    child = attribute.children[sub]
    if op == "remove":
        return [] if all(sub in each for each in chosen) else [ANY_400]
    if sub == "primary" and operation["value"] is True and len(chosen) > 1:
        raise Unanswered("several primary elements")
    if child.mutability == "immutable":
        values = [each.get(sub) for each in chosen]
        if any(value == operation["value"] for value in values):
            raise Unanswered("an immutable sub-attribute is written again")
    return []


def _described(document: dict[str, Any], path: AttributePath, node: Node, sub: str, value: Any) -> list[Result]:
    """Return the result that creates the element that the filter describes, if it describes one."""
    parts = node.operands if isinstance(node, And) else (node,)
    if not all(isinstance(each, Comparison) and each.operator == "eq" and each.value is not None for each in parts):
        return []
    made = copy.deepcopy(document)
    holder = made if path.extension is None else made.setdefault(path.extension.name, {})
    element = {path.attribute.children[each.path].name: each.value for each in parts if isinstance(each, Comparison)}
    element |= {sub: value} if sub else value
    holder[path.attribute.name] = [*holder.get(path.attribute.name, ()), element]
    return [{"document": made}]


__all__ = ["Unanswered", "patch_results"]
