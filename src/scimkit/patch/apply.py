"""Functions that apply PATCH operations to a document.

The functions never change the given document. The result is a new document that shares the unchanged parts, so that
an error leaves no partial change. This module never reads a request and never does I/O.
Source: RFC 7644 section 3.5.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from scimkit.documents import Document
from scimkit.errors import MutabilityViolation, NoTarget, TooMany
from scimkit.filters.ast import count_comparisons
from scimkit.patch.changes import ChangeSet, changes_between
from scimkit.patch.deviations import REFUSE_DEVIATIONS, PatchDeviationHandler
from scimkit.patch.operations import Operation, read_operations
from scimkit.patch.paths import PatchPath, element_described
from scimkit.schema.attributes import Attribute
from scimkit.schema.constraints import check_unchanged, require, require_within
from scimkit.schema.deviations import UNASSIGNED
from scimkit.schema.reading import distinct, element_key, one_primary
from scimkit.schema.resource_types import ResourceType

Element = dict[str, Any]

MAX_STEPS: Final = 2_000_000
"""Maximum number of steps of the operations in one PATCH.

Each element that an operation looks at is one step, plus one step for each comparison of the filter.
"""

_NO_MATCH: Final = "The filter in the path matched no value."


@dataclass(slots=True)
class PatchResult:
    """The result of a PATCH: the new document and the change set.

    If nothing changed, `document` is the same object as before.
    """

    document: Document
    changes: ChangeSet


def apply(
    resource_type: ResourceType,
    document: Document,
    body: Mapping[str, Any],
    deviations: PatchDeviationHandler = REFUSE_DEVIATIONS,
) -> PatchResult:
    """Apply the body of a PATCH request to a document. The given document is never changed.

    Args:
        resource_type: The resource type of the document.
        document: The canonical document.
        body: The parsed PatchOp body.
        deviations: Rewrites or refuses operations that are not in RFC form. The default refuses them.

    Raises:
        InvalidFilter: The filter in a path is not valid.
        InvalidPath: A path is not valid, or names no attribute.
        InvalidSyntax: The body is not a valid PatchOp.
        InvalidValue: A value does not fit its attribute, or a required value is missing.
        MutabilityViolation: An operation changes a readOnly or immutable attribute, or removes a required one.
        NoTarget: A path matches no value, or a `remove` operation has no path.
        TooMany: The operations need more than `MAX_STEPS` comparisons.
    """
    return apply_operations(resource_type, document, read_operations(resource_type, body, deviations), deviations)


def apply_operations(
    resource_type: ResourceType,
    document: Document,
    operations: Sequence[Operation],
    deviations: PatchDeviationHandler = REFUSE_DEVIATIONS,
) -> PatchResult:
    """Apply operations to a document in order. The given document is never changed.

    Args:
        resource_type: The resource type of the document.
        document: The canonical document.
        operations: The operations, as `read_operations` returns them.
        deviations: Rewrites or refuses operations that are not in RFC form. The default refuses them.

    Raises:
        InvalidFilter: The filter in a path compares with a value of the wrong type.
        InvalidValue: A required value is missing, or an attribute has several primary elements.
        MutabilityViolation: An operation changes an immutable attribute or removes a required one.
        NoTarget: A path matches no value.
        TooMany: The operations need more than `MAX_STEPS` comparisons.
    """
    changed = dict(document)
    steps = 0
    for operation in operations:
        if operation.path.attribute.multi_valued:
            steps += _steps(changed, operation.path)
            if steps > MAX_STEPS:
                raise TooMany("The operations compare too many values. Send fewer operations in one request.")
        _apply_one(changed, operation, deviations)
    for attribute in resource_type.required:
        if attribute.name not in changed and attribute.name in document:
            raise MutabilityViolation(f"{attribute.path} is required and cannot be removed.")
    touched = {each.path.top for each in operations}
    changes = changes_between(resource_type, document, changed, touched)
    if not changes:
        return PatchResult(document, changes)
    require(resource_type, changed)
    for attribute in resource_type.requiring:
        if attribute.name in changes.assigned or attribute.name in changes.references:
            require_within(attribute, changed.get(attribute.name, ()))
    if changed.get("schemas") and resource_type.extension_names.isdisjoint(touched):
        return PatchResult(changed, changes)
    schemas = resource_type.schemas_of(changed)
    if changed.get("schemas") != schemas:
        changed["schemas"] = schemas
        changes = replace(changes, assigned={**changes.assigned, "schemas": schemas})
    return PatchResult(changed, changes)


def _steps(document: Mapping[str, Any], path: PatchPath) -> int:
    """Return the number of comparisons that an operation makes on the elements of a multi-valued attribute."""
    host = document if path.extension is None else document.get(path.extension.name, {})
    values = len(host.get(path.attribute.name, ()))
    return values if path.filter is None else values * (1 + count_comparisons(path.filter))


def _apply_one(document: dict[str, Any], operation: Operation, deviations: PatchDeviationHandler) -> None:
    path = operation.path
    host = document if path.extension is None else dict(document.get(path.extension.name, ()))
    name = path.attribute.name
    old = host.get(name)
    new = _APPLY[operation.op](old, operation, deviations)
    check_unchanged(path.attribute, old, new)
    if new is UNASSIGNED or new == [] or new == {}:
        host.pop(name, None)
    else:
        host[name] = new
    if path.extension is not None:
        if host:
            document[path.extension.name] = host
        else:
            document.pop(path.extension.name, None)


def _add(old: Any, operation: Operation, deviations: PatchDeviationHandler) -> Any:
    """Return the value after an `add` operation (RFC 7644 section 3.5.2.1)."""
    path, value = operation.path, operation.value
    if value is UNASSIGNED:
        return UNASSIGNED if old is None else old
    if path.filter is not None or path.sub_attribute is not None:
        return _write_elements(old, operation, deviations)
    return _added(path.attribute, old, value, deviations)


def _replace(old: Any, operation: Operation, deviations: PatchDeviationHandler) -> Any:
    """Return the value after a `replace` operation (RFC 7644 section 3.5.2.3).

    Sub-attributes of a singular complex attribute that the operation does not name keep their values.
    """
    path, value = operation.path, operation.value
    if value is UNASSIGNED:
        return _remove(old, operation, deviations)
    if path.filter is not None or path.sub_attribute is not None:
        return _write_elements(old, operation, deviations)
    if path.attribute.type == "complex" and not path.attribute.multi_valued:
        return _merged(path.attribute, old, value, deviations, replace=True)
    return value


def _remove(old: Any, operation: Operation, deviations: PatchDeviationHandler) -> Any:
    """Return the value after a `remove` operation (RFC 7644 section 3.5.2.2).

    If the path selects nothing, the value does not change.
    """
    path, attribute = operation.path, operation.path.attribute
    if old is None:
        return UNASSIGNED
    if path.sub_attribute is None and path.filter is None:
        if operation.op == "remove" and operation.value is not UNASSIGNED:
            return _without(attribute, old, operation.value)
        return UNASSIGNED
    matches = path.matches or _match_all
    if path.sub_attribute is None:
        return _values(attribute, [each for each in _elements(attribute, old) if not matches(each)])
    edited = [
        _without_sub_attribute(each, path.sub_attribute, operation) if matches(each) else each
        for each in _elements(attribute, old)
    ]
    return _values(attribute, distinct(attribute, [each for each in edited if each]))


_APPLY: Final[Mapping[str, Callable[[Any, Operation, PatchDeviationHandler], Any]]] = {
    "add": _add,
    "replace": _replace,
    "remove": _remove,
}


def _match_all(_: Any) -> bool:
    return True


def _elements(attribute: Attribute, value: Any) -> list[Any]:
    """Return the elements of an attribute as a list. A singular attribute has one element, or none if unassigned."""
    if value is None:
        return []
    return list(value) if attribute.multi_valued else [value]


def _values(attribute: Attribute, elements: list[Any]) -> Any:
    if attribute.multi_valued:
        return elements
    return elements[0] if elements else UNASSIGNED


def _write_elements(old: Any, operation: Operation, deviations: PatchDeviationHandler) -> Any:
    """Add or replace values in the elements that a path selects (RFC 7644 section 3.5.2.3, valuePath)."""
    path, attribute = operation.path, operation.path.attribute
    if path.filter is None and not attribute.multi_valued:
        return _write_element(path, {} if old is None else old, operation, deviations)
    matches = path.matches or _match_all
    elements = _elements(attribute, old)
    chosen = [index for index, each in enumerate(elements) if matches(each)]
    created = not chosen
    if created:
        if elements and not attribute.multi_valued:
            raise NoTarget(_NO_MATCH)
        elements.append(_new_element(path, deviations))
        chosen = [len(elements) - 1]
    if attribute.type != "complex":
        for index in chosen:
            elements[index] = operation.value
        return distinct(attribute, elements)
    for index in chosen:
        written = _write_element(path, elements[index], operation, deviations)
        elements[index] = {**elements[index], **written} if created else written
    if attribute.multi_valued:
        return _normalized_elements(attribute, elements, chosen, deviations)
    return elements[0]


def _new_element(path: PatchPath, deviations: PatchDeviationHandler) -> Element:
    """Return a new element for an operation whose path selects no element. Raise NoTarget if none may be created."""
    if path.filter is None:
        if path.attribute.multi_valued and path.attribute.keyed:
            raise NoTarget("The path matched no value.")
        return {}
    if path.attribute.type == "complex" and not path.attribute.keyed and deviations.creates_elements(path.attribute):
        described = element_described(path, deviations.compared)
        if described is not None:
            return described
    raise NoTarget(_NO_MATCH)


def _write_element(
    path: PatchPath, element: Element, operation: Operation, deviations: PatchDeviationHandler
) -> Element:
    sub, value = path.sub_attribute, operation.value
    if sub is None:
        if operation.op == "replace" and path.attribute.multi_valued:
            for name, was in element.items():
                _may_change(path.attribute.children[name], was, value.get(name, was))
            return dict(value)
        return _merged(path.attribute, element, value, deviations, replace=operation.op == "replace")
    was = element.get(sub.name)
    if operation.op == "add" and sub.multi_valued:
        value = distinct(sub, [*(was or ()), *value])
    _may_change(sub, was, value)
    return {**element, sub.name: value}


def _added(attribute: Attribute, old: Any, value: Any, deviations: PatchDeviationHandler) -> Any:
    if attribute.multi_valued:
        return value if old is None else _appended(attribute, old, value, deviations)
    if attribute.type == "complex":
        return _merged(attribute, old, value, deviations)
    return value


def _merged(
    attribute: Attribute,
    old: Element | None,
    value: Element,
    deviations: PatchDeviationHandler,
    *,
    replace: bool = False,
) -> Element:
    """Return a complex value updated with the sub-attributes of another."""
    merged = dict(old) if old is not None else {}
    for name, item in value.items():
        child = attribute.children[name]
        was = merged.get(name)
        if replace and child.multi_valued:
            merged[name] = item
        elif child.type == "complex" and not child.multi_valued and was is not None:
            merged[name] = _merged(child, was, item, deviations, replace=replace)
        elif child.multi_valued:
            merged[name] = _added(child, was, item, deviations)
        else:
            _may_change(child, was, item)
            merged[name] = item
    return merged


def _appended(attribute: Attribute, old: list[Any], value: list[Any], deviations: PatchDeviationHandler) -> list[Any]:
    """Return the elements with others added.

    An added element is merged into an existing element with the same `type` and `value`.
    """
    places = {element_key(attribute, each): at for at, each in enumerate(old)}
    elements, written = list(old), []
    for each in value:
        at = places.get(element_key(attribute, each))
        if at is None:
            written.append(len(elements))
            elements.append(each)
        elif attribute.paired and not each.items() <= elements[at].items():
            written.append(at)
            elements[at] = _merged(attribute, elements[at], each, deviations)
    if not written:
        return old
    if attribute.type != "complex":
        return elements
    return _normalized_elements(attribute, elements, written, deviations)


def _normalized_elements(
    attribute: Attribute, elements: list[Element], written: list[int], deviations: PatchDeviationHandler
) -> list[Element]:
    """Return the elements without duplicates and with at most one primary element.

    If an operation makes an element primary, the other elements lose `primary` (RFC 7644 section 3.5.2).

    Args:
        attribute: The multi-valued attribute.
        elements: All elements after the operation.
        written: The indexes of the elements that the operation wrote.
        deviations: Is asked if the operation wrote several primary elements.
    """
    if any(elements[index].get("primary") is True for index in written):
        chosen = set(written)
        elements = [
            {**each, "primary": False} if index not in chosen and each.get("primary") is True else each
            for index, each in enumerate(elements)
        ]
    return one_primary(attribute, _without_duplicates(attribute, elements, written), deviations)


def _without_duplicates(attribute: Attribute, elements: list[Element], written: list[int]) -> list[Element]:
    """Return the elements without duplicates. The first of several equal elements keeps its position.

    Sub-attributes of written elements replace those of the other elements.
    """
    keys = [element_key(attribute, each) for each in elements]
    if len(set(keys)) == len(keys):
        return elements
    in_order = sorted(range(len(elements)), key=set(written).__contains__)
    once = distinct(attribute, [elements[index] for index in in_order])
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    return sorted(once, key=lambda each: first[element_key(attribute, each)])


def _without(attribute: Attribute, old: list[Any], values: list[Any]) -> list[Any]:
    """Return the elements that do not match a listed value.

    A listed complex value matches every element that has the same values in the sub-attributes that are listed.
    """
    if attribute.keyed or attribute.type != "complex":
        gone = {element_key(attribute, each) for each in values}
        return [each for each in old if element_key(attribute, each) not in gone]
    listed: dict[tuple[str, ...], set[object]] = {}
    for item in values:
        names = tuple(sorted(item))
        listed.setdefault(names, set()).add(_values_at(item, names))
    return [each for each in old if not any(_values_at(each, names) in some for names, some in listed.items())]


def _values_at(element: Element, names: tuple[str, ...]) -> object:
    """Return the values of some sub-attributes as a hashable tuple. Return None if one of them has no value."""
    if any(name not in element for name in names):
        return None
    return tuple([tuple(each) if type(each) is list else each for each in map(element.__getitem__, names)])


def _without_sub_attribute(element: Element, sub: Attribute, operation: Operation) -> Element:
    if sub.name not in element:
        return element
    if sub.mutability == "immutable":
        raise MutabilityViolation(f"{sub.path} is immutable and already has a value.")
    if sub.required:
        raise MutabilityViolation(f"{sub.path} is required and cannot be removed.")
    if operation.value is not UNASSIGNED and sub.multi_valued:
        rest = _without(sub, element[sub.name], operation.value)
        if rest:
            return {**element, sub.name: rest}
    return {name: value for name, value in element.items() if name != sub.name}


def _may_change(attribute: Attribute, old: Any, new: Any) -> None:
    if attribute.mutability == "immutable" and old is not None and old != new:
        raise MutabilityViolation(f"{attribute.path} is immutable and already has a value.")


__all__ = ["PatchResult", "apply", "apply_operations"]
