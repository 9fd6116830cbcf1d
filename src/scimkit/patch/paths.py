"""A parser of PATCH paths: `attribute`, `attribute.sub`, `attribute[filter]` and `attribute[filter].sub`.

This module never looks at a document. Source: RFC 7644 section 3.5.2 (PATH of figure 7) and section 3.10.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from scimkit.errors import InvalidFilter, InvalidPath
from scimkit.filters.ast import And, Comparison, Node, Or
from scimkit.filters.comparisons import Coercion, Test, comparison_value, refuse_value
from scimkit.filters.parser import STRICT, FilterDeviationHandler
from scimkit.filters.parser import parse as parse_filter
from scimkit.filters.predicate import ElementScope, compile_element_filter
from scimkit.schema.attributes import Attribute, AttributePath
from scimkit.schema.resource_types import ResourceType

_MAX_CACHED_LENGTH: Final = 250


@dataclass(frozen=True, slots=True)
class PatchPath:
    """A resolved PATCH path.

    Attributes:
        attribute: The attribute that the operation changes.
        sub_attribute: The sub-attribute at the end of the path, if the path has one.
        extension: The extension that defines the attribute, if any.
        filter: The filter in brackets, if the path has one.
        matches: The compiled filter, which selects elements of the attribute.
    """

    attribute: Attribute
    sub_attribute: Attribute | None = None
    extension: Attribute | None = None
    filter: Node | None = None
    matches: Test | None = None
    leaf: Attribute = field(init=False, repr=False, compare=False)
    """The last attribute of the path."""
    top: str = field(init=False, repr=False, compare=False)
    """The name of the top-level attribute of the path. For an attribute of an extension, the URN of the extension."""
    plain: type | None = field(init=False, repr=False, compare=False)
    """The Python type of values that are accepted without further checks. None if every value must be checked."""

    def __post_init__(self) -> None:
        leaf = self.sub_attribute or self.attribute
        object.__setattr__(self, "leaf", leaf)
        object.__setattr__(self, "plain", None if self.attribute.is_ignored or leaf.multi_valued else leaf.plain)
        object.__setattr__(self, "top", (self.extension or self.attribute).name)


def path_to(path: AttributePath) -> PatchPath:
    """Return the PATCH path of a resolved attribute path."""
    return PatchPath(path.attribute, path.sub_attribute, path.extension)


def parse_path(
    text: str, resource_type: ResourceType, deviations: FilterDeviationHandler = STRICT, coerce: Coercion = refuse_value
) -> PatchPath | None:
    """Parse a PATCH path. Return None if the path names an attribute that the resource type does not have.

    Parsed paths in RFC form are cached.

    Args:
        text: The path.
        resource_type: The resource type that defines the attributes.
        deviations: Accepts or refuses a filter that is not in RFC form. The default refuses it.
        coerce: Converts constants of the filter to the type of the attribute. The default refuses other types.

    Raises:
        InvalidFilter: The filter in the path is not valid.
        InvalidPath: The path is malformed.
    """
    try:
        path = _parse_plain(text, resource_type) if len(text) <= _MAX_CACHED_LENGTH else None
    except (InvalidFilter, InvalidPath):
        path = None
    return path or _parse(text, resource_type, deviations, coerce)


@lru_cache(maxsize=4096)
def _parse_plain(text: str, resource_type: ResourceType) -> PatchPath | None:
    return _parse(text, resource_type, STRICT, refuse_value)


def _parse(
    text: str, resource_type: ResourceType, deviations: FilterDeviationHandler, coerce: Coercion
) -> PatchPath | None:
    head, bracket, rest = text.partition("[")
    head = head.strip()
    found = resource_type.resolve(head)
    if not bracket:
        if "]" in head:
            raise InvalidPath("The path has a closing bracket without an opening bracket.")
        return None if found is None else path_to(found)
    inside, closing, tail = rest.rpartition("]")
    if not closing or not inside.strip() or (tail and not tail.startswith(".")):
        raise InvalidPath("The filter in the path is empty or not closed, or other text than a sub-attribute follows.")
    node = parse_filter(inside, deviations)
    if found is None:
        return None
    attribute = found.leaf
    if found.sub_attribute is not None:
        raise InvalidPath("The path has a filter after a sub-attribute.")
    if attribute.type != "complex" and not attribute.multi_valued:
        raise InvalidPath(f"{attribute.path} is not multi-valued. Remove the filter from the path.")
    sub_attribute = attribute.children.find(tail[1:])
    if tail and sub_attribute is None:
        return None
    matches = compile_element_filter(attribute, node, coerce)
    return PatchPath(attribute, sub_attribute, found.extension, node, matches)


def references_selected(path: PatchPath) -> frozenset[str] | None:
    """Return the values that a filter such as `value eq "a" or value eq "b"` selects. Return None for other filters."""
    node = path.filter
    each = node.operands if isinstance(node, Or) else (node,)
    values = set()
    for term in each:
        if not isinstance(term, Comparison) or term.operator != "eq" or term.path.lower() != "value":
            return None
        if type(term.value) is not str:
            return None
        values.add(term.value)
    return frozenset(values)


def element_described(path: PatchPath, coerce: Coercion = refuse_value) -> dict[str, Any] | None:
    """Return the element that the filter of a path describes, such as `{"type": "work"}` for `type eq "work"`.

    The filter must consist of `eq` comparisons joined by `and`. Return None for other filters.

    Raises:
        InvalidFilter: A constant does not fit its sub-attribute.
    """
    node = path.filter
    scope = ElementScope(path.attribute)
    element: dict[str, Any] = {}
    for term in node.operands if isinstance(node, And) else (node,):
        if not isinstance(term, Comparison) or term.operator != "eq" or term.value is None:
            return None
        found = scope.resolve(term.path)
        if found is None or found.attribute.multi_valued or found.attribute.type == "complex":
            return None
        value = term.value
        if found.attribute.type in ("boolean", "integer", "decimal"):
            value = comparison_value(found.attribute, term, coerce)
        if element.setdefault(found.attribute.name, value) != value:
            return None
    return element
