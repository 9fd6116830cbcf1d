"""Slow and simple reference implementations of filters and PATCH, written from the RFC.

The faster implementations are tested against this module. It shares no code with `scimkit.filters.predicate` and
`scimkit.patch`. Source: RFC 7644 sections 3.4.2.2 and 3.5.2.
"""

from __future__ import annotations

import copy
from typing import Any
from unicodedata import normalize

from scimkit.errors import InvalidFilter, MutabilityViolation, NoTarget
from scimkit.filters.ast import And, Comparison, Node, Not, Or, Present, ValuePath
from scimkit.filters.parser import parse
from scimkit.schema.attributes import Attribute, AttributeTable
from scimkit.schema.date_times import parse_instant
from scimkit.schema.resource_types import ResourceType

Document = dict[str, Any]


def matches(resource_type: ResourceType, document: Document, node: Node) -> bool:
    """Report whether a document matches a filter.

    Raises:
        InvalidFilter: The resource type has no such attribute.
    """
    if isinstance(node, And):
        return all(matches(resource_type, document, each) for each in node.operands)
    if isinstance(node, Or):
        return any(matches(resource_type, document, each) for each in node.operands)
    if isinstance(node, Not):
        return not matches(resource_type, document, node.operand)
    path = resource_type.resolve(node.path)
    if path is None:
        raise InvalidFilter("no such attribute")
    holder = document if path.extension is None else document.get(path.extension.name, {})
    return _expression(holder, path.attribute, path.sub_attribute, node)


def _expression(holder: Document, attribute: Attribute, sub: Attribute | None, node: Any) -> bool:
    value = holder.get(attribute.name)
    if isinstance(node, ValuePath):
        elements = [] if value is None else value if attribute.multi_valued else [value]
        return any(_element_matches(attribute, each, node.filter) for each in elements)
    if isinstance(node, Comparison) and attribute.type == "complex" and sub is None:
        sub = attribute.children["value"]
    return any(_holds(each, sub or attribute, node) for each in _values(value, attribute, sub))


def _values(value: Any, attribute: Attribute, sub: Attribute | None) -> list[Any]:
    """Return every value that a path reaches, or a list with None if the path reaches no value."""
    elements = (value if attribute.multi_valued else [value]) if value is not None else []
    if sub is None:
        return elements or [None]
    reached: list[Any] = []
    for element in elements:
        inner = element.get(sub.name)
        reached += inner if sub.multi_valued and inner else [inner]
    return reached or [None]


def _element_matches(attribute: Attribute, element: Any, node: Node) -> bool:
    if isinstance(node, And):
        return all(_element_matches(attribute, element, each) for each in node.operands)
    if isinstance(node, Or):
        return any(_element_matches(attribute, element, each) for each in node.operands)
    if isinstance(node, Not):
        return not _element_matches(attribute, element, node.operand)
    return _expression(element, attribute.children[node.path], None, node)


def _holds(value: Any, attribute: Attribute, node: Any) -> bool:
    if isinstance(node, Present):
        return value not in (None, "", [], {})
    wanted, operator = node.value, node.operator
    if value is None or wanted is None:
        if operator == "eq":
            return value is None and wanted is None
        return operator == "ne" and (value is None) != (wanted is None)
    if operator in ("co", "sw", "ew"):
        if attribute.type == "string" and not attribute.case_exact:
            value, wanted = _caseless(value), _caseless(wanted)
        found = {"co": wanted in value, "sw": value.startswith(wanted), "ew": value.endswith(wanted)}
        return bool(found[operator])
    left, right = _comparable(value, attribute), _comparable(wanted, attribute)
    if operator == "eq":
        return bool(left == right)
    if operator == "ne":
        return bool(left != right)
    return bool({"gt": left > right, "ge": left >= right, "lt": left < right, "le": left <= right}[operator])


def _comparable(value: Any, attribute: Attribute) -> Any:
    if attribute.type == "dateTime":
        return parse_instant(value)
    return _caseless(value) if attribute.type == "string" and not attribute.case_exact else value


def _caseless(value: str) -> str:
    """Return a text for caseless comparison of compatibility forms (Unicode core specification, section 3.13, D146)."""
    return normalize("NFKC", normalize("NFKC", value).casefold())


def patched(resource_type: ResourceType, document: Document, body: Document) -> Document:
    """Return the document after a PATCH. The body must be in RFC form, with canonical names and values.

    Raises:
        NoTarget: A filter in a path selects no element.
        MutabilityViolation: The PATCH changes an immutable attribute or removes a required attribute.
    """
    result = copy.deepcopy(document)
    for operation in body["Operations"]:
        before = copy.deepcopy(result)
        if "path" in operation:
            _at_path(resource_type, result, operation["op"], operation["path"], copy.deepcopy(operation.get("value")))
        else:
            for name, value in copy.deepcopy(operation["value"]).items():
                _write(result, resource_type.attributes[name], value, operation["op"])
        _keeps_immutable(resource_type.attributes, before, result)
    for attribute in resource_type.required:
        if attribute.name not in result and attribute.name in document:
            raise MutabilityViolation("required")
    extensions = [each.name for each in resource_type.extensions if each.name in result]
    result["schemas"] = [resource_type.schema, *extensions]
    return result


def _at_path(resource_type: ResourceType, document: Document, op: str, text: str, value: Any) -> None:
    head, bracket, rest = text.partition("[")
    path = resource_type.resolve(head)
    assert path is not None
    holder = document
    if path.extension is not None:
        holder = document.setdefault(path.extension.name, {})
    try:
        if bracket:
            inside, _, tail = rest.rpartition("]")
            sub = path.attribute.children[tail[1:]] if tail else None
            _at_elements(holder, path.attribute, op, parse(inside), sub, value)
        elif path.sub_attribute is not None:
            _at_sub_attribute(holder, path.attribute, op, path.sub_attribute, value)
        elif op == "remove":
            _remove(holder, path.attribute)
        else:
            _write(holder, path.attribute, value, op)
    finally:
        if path.extension is not None and not holder:
            del document[path.extension.name]


def _remove(holder: Document, attribute: Attribute) -> None:
    if attribute.name in holder and attribute.mutability == "immutable":
        raise MutabilityViolation("immutable")
    holder.pop(attribute.name, None)


def _write(holder: Document, attribute: Attribute, value: Any, op: str) -> None:
    """Add or replace an attribute."""
    old = holder.get(attribute.name)
    if attribute.multi_valued:
        value = _unique(attribute, value)
        if op == "replace" or old is None:
            _may_change(attribute, old, value)
            holder[attribute.name] = value
            return
        elements, written = list(old), []
        for each in value:
            known = next((other for other in elements if _same(attribute, each, other)), None)
            if known is None:
                elements.append(each)
                written.append(each)
            elif _pairs(attribute, each, known) and {**known, **each} != known:
                _write_element(attribute, known, each, "add")
                written.append(known)
        if attribute.type == "complex":
            _others_not_primary(elements, written)
        holder[attribute.name] = _unique(attribute, elements, written)
    elif attribute.type == "complex":
        target = holder.setdefault(attribute.name, {})
        for name, item in value.items():
            _write(target, attribute.children[name], item, op)
    else:
        _may_change(attribute, old, value)
        holder[attribute.name] = value


def _at_sub_attribute(holder: Document, attribute: Attribute, op: str, sub: Attribute, value: Any) -> None:
    elements = holder.get(attribute.name)
    if attribute.multi_valued:
        if elements is None and op != "remove":
            if attribute.keyed:
                raise NoTarget("no value")
            elements = holder[attribute.name] = [{}]
        _edit(holder, attribute, list(elements or ()), op, sub, value)
        return
    if op == "remove":
        if elements is not None:
            _remove_sub_attribute(elements, sub)
            if not elements:
                del holder[attribute.name]
        return
    _write(holder.setdefault(attribute.name, {}), sub, value, op)


def _at_elements(
    holder: Document, attribute: Attribute, op: str, node: Node, sub: Attribute | None, value: Any
) -> None:
    elements = holder.get(attribute.name) or []
    chosen = [each for each in elements if _element_matches(attribute, each, node)]
    if op != "remove" and not chosen:
        raise NoTarget("no element")
    if sub is not None:
        _edit(holder, attribute, chosen, op, sub, value)
    elif op == "remove":
        holder[attribute.name] = [each for each in elements if not any(each is one for one in chosen)]
    else:
        for each in chosen:
            _write_element(attribute, each, copy.deepcopy(value), op)
        _others_not_primary(elements, chosen)
        holder[attribute.name] = _unique(attribute, elements, chosen)
    if not holder.get(attribute.name):
        holder.pop(attribute.name, None)


def _write_element(attribute: Attribute, element: Document, value: Document, op: str) -> None:
    for name, was in element.items():
        if name in value:
            _may_change(attribute.children[name], was, value[name])
    if op == "replace":
        element.clear()
    for name, item in value.items():
        _write(element, attribute.children[name], item, op)


def _edit(holder: Document, attribute: Attribute, chosen: list[Any], op: str, sub: Attribute, value: Any) -> None:
    for each in chosen:
        if op == "remove":
            _remove_sub_attribute(each, sub)
        else:
            _write(each, sub, copy.deepcopy(value), op)
    if op != "remove":
        _others_not_primary(holder[attribute.name], chosen)
        holder[attribute.name] = _unique(attribute, holder[attribute.name], chosen)
    elif attribute.name in holder:
        holder[attribute.name] = _unique(attribute, [each for each in holder[attribute.name] if each])
        if not holder[attribute.name]:
            del holder[attribute.name]


def _remove_sub_attribute(element: Document, sub: Attribute) -> None:
    if sub.name in element:
        if sub.mutability == "immutable" or sub.required:
            raise MutabilityViolation("immutable or required")
        del element[sub.name]


def _others_not_primary(elements: list[Any], chosen: list[Any]) -> None:
    if any(each.get("primary") is True for each in chosen):
        for each in elements:
            if each.get("primary") is True and not any(each is one for one in chosen):
                each["primary"] = False


def _keeps_immutable(table: AttributeTable, before: Document, after: Document) -> None:
    for attribute in table.values():
        old, new = before.get(attribute.name), after.get(attribute.name)
        _may_change(attribute, old, new)
        if old is not None and attribute.type == "complex" and not attribute.multi_valued:
            _keeps_immutable(attribute.children, old, new or {})


def _may_change(attribute: Attribute, old: Any, new: Any) -> None:
    if attribute.mutability == "immutable" and old is not None and old != new:
        raise MutabilityViolation("immutable")


def _unique(attribute: Attribute, values: list[Any], written: list[Any] | None = None) -> list[Any]:
    """Return the values without duplicates.

    Elements with the same `type` and `value` are merged; written elements take precedence.
    """
    kept: list[Any] = []
    for each in values:
        if any(_same(attribute, each, other) for other in kept):
            continue
        same = [other for other in values if _same(attribute, each, other)]
        if not _pairs(attribute, each, each):
            kept.append(each)
            continue
        late = [other for other in same if any(other is one for one in written or ())]
        early = [other for other in same if not any(other is one for one in late)]
        kept.append({name: item for other in (*early, *late) for name, item in other.items()})
    return kept


def _same(attribute: Attribute, one: Any, other: Any) -> bool:
    if attribute.keyed:
        return bool(one.get("value") == other.get("value"))
    if attribute.type == "complex":
        return bool(one == other) or _pairs(attribute, one, other)
    return bool(_comparable(one, attribute) == _comparable(other, attribute))


def _pairs(attribute: Attribute, one: Any, other: Any) -> bool:
    """Report whether two elements have the same `type` and `value` (RFC 7643 section 2.4)."""
    if attribute.keyed or not {"type", "value"} <= set(attribute.children):
        return False
    if attribute.children["type"].multi_valued or attribute.children["value"].multi_valued:
        return False
    if "value" not in one or "value" not in other:
        return False
    return bool(one["value"] == other["value"] and one.get("type") == other.get("type"))
