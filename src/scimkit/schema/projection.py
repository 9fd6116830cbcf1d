"""Projection: which attributes of a document a response carries.

A plan is compiled once for each (type, attributes, excludedAttributes) and kept; the plan that
strips nothing copies nothing. This module never asks a store.
Source: RFC 7643 section 2.4 (returned), RFC 7644 sections 3.4.2.5 and 3.9.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from scimkit.documents import Document
from scimkit.schema.attributes import Attribute, AttributePath, AttributeTable
from scimkit.schema.resource_types import ResourceType

Tree: TypeAlias = Mapping[str, "Tree | None"]
"""The names to keep; None keeps all that is below a name."""

_PLANS_KEPT: Final = 512
_LONGEST_KEPT: Final = 1024
"""Characters of the longest parameters whose plan is kept, so that the cache is bounded in bytes."""


class Projection:
    """What to return of the documents of a resource type.

    `requested` tells a store what it need not load, such as the members of a group.
    """

    __slots__ = ("_stripped", "_tree", "chosen", "wants_location")

    def __init__(
        self,
        resource_type: ResourceType,
        attributes: Iterable[str],
        excluded: Iterable[str],
        written: Iterable[str] = (),
    ) -> None:
        requested = _resolved(resource_type, attributes)
        refused = _names(_resolved(resource_type, excluded)) or {}
        granted = _names(_resolved(resource_type, written)) or {}
        self.chosen: bool = requested is not None
        """Whether the client named the attributes it wants."""
        tree = _keep(resource_type.attributes, _names(requested), refused, granted)
        self._tree: Tree = tree
        meta = tree.get("meta", {})
        self.wants_location: bool = meta is None or "location" in meta
        """Whether `meta.location` is returned, which no document holds."""
        whole = requested is None and all(sub is None for sub in tree.values())
        self._stripped = tuple(name for name in resource_type.attributes if name not in tree) if whole else None

    def requested(self, name: str) -> bool:
        """Whether any part of the top-level attribute of that canonical name is returned."""
        return name in self._tree

    def apply(self, document: Document) -> Document:
        """The part of a document to return; the document itself when that is all of it."""
        stripped = self._stripped
        if stripped is None:
            return _cut(document, self._tree)
        for name in stripped:
            if name in document:
                return {name: value for name, value in document.items() if name not in stripped}
        return document


class Projections:
    """The plans of one resource type, each compiled once."""

    __slots__ = ("_recent", "_resource_type", "on_request", "whole")

    def __init__(self, resource_type: ResourceType) -> None:
        self._resource_type = resource_type
        self._recent = lru_cache(maxsize=_PLANS_KEPT)(self._compile)
        self.on_request: tuple[AttributePath, ...] = tuple(_on_request(resource_type))
        """The attributes that are returned when they are asked for, or when a client has written them."""
        self.whole: Projection = Projection(resource_type, (), ())
        """The default projection: all but what is returned never or on request."""

    def plan(self, attributes: str | None, excluded: str | None, written: str = "") -> Projection:
        """The plan for the two query parameters as they came: comma-separated paths or None.

        `written` are the paths among `on_request` that the request has written.

        Names that the type does not have are passed over, since a client may name what only some
        types have. Brackets in a path are passed over too (`emails[type eq "work"]` keeps `emails`).
        """
        if not attributes and not excluded and not written:
            return self.whole
        size = len(attributes or "") + len(excluded or "")
        return (self._recent if size <= _LONGEST_KEPT else self._compile)(attributes or "", excluded or "", written)

    def _compile(self, attributes: str, excluded: str, written: str) -> Projection:
        return Projection(self._resource_type, *map(split_paths, (attributes, excluded, written)))


def split_paths(text: str) -> list[str]:
    """The paths of a comma-separated list, each without a filter in brackets it may have."""
    if "[" not in text:
        return [path.strip() for path in text.replace("]", "").split(",") if path.strip()]
    kept, depth = [], 0
    for character in text:
        if character == "[":
            depth += 1
        elif character == "]":
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(character)
    return [path.strip() for path in "".join(kept).split(",") if path.strip()]


def _resolved(resource_type: ResourceType, texts: Iterable[str]) -> list[AttributePath] | None:
    texts = list(texts)
    if not texts:
        return None
    return [path for path in map(resource_type.resolve, texts) if path is not None]


def _names(paths: list[AttributePath] | None) -> dict[str, Any] | None:
    """The paths as nested names; None below a name that is meant as a whole."""
    if paths is None:
        return None
    root: dict[str, Any] = {}
    for path in paths:
        level = root
        *above, last = path.names
        for name in above:
            below = level.setdefault(name, {})
            if below is None:
                break
            level = below
        else:
            level[last] = None
    return root


def _on_request(resource_type: ResourceType) -> Iterator[AttributePath]:
    tops = [(None, each) for each in resource_type.attributes.values() if not each.is_extension]
    inner = [(each, child) for each in resource_type.extensions for child in each.children.values()]
    for extension, attribute in [*tops, *inner]:
        if attribute.returned == "request":
            yield AttributePath(attribute, None, extension)
        for child in attribute.children.values():
            if child.returned == "request":
                yield AttributePath(attribute, child, extension)


def _keep(
    table: AttributeTable,
    requested: Mapping[str, Any] | None,
    refused: Mapping[str, Any],
    granted: Mapping[str, Any],
) -> dict[str, Any]:
    """The tree of what to return from a table (RFC 7643 section 7, `returned`).

    `requested` None means the default set, to which `granted` adds what is returned on request.
    """
    tree: dict[str, Any] = {}
    for attribute in table.values():
        kept, below = _kept(attribute, requested, refused, granted)
        if kept:
            tree[attribute.name] = below
    return tree


def _kept(
    attribute: Attribute,
    requested: Mapping[str, Any] | None,
    refused: Mapping[str, Any],
    granted: Mapping[str, Any],
) -> tuple[bool, dict[str, Any] | None]:
    """Whether an attribute is returned, and what below it (None for all)."""
    name, returned = attribute.name, attribute.returned
    asked = requested is None or name in requested
    on_request = asked if requested is not None else name in granted
    if returned == "never" or (returned == "request" and not on_request):
        return False, None
    children = attribute.children
    if not children:
        hidden = returned != "always" and (not asked or refused.get(name, children) is None)
        return not hidden, None
    inner = {} if requested is not None and not asked else (requested or {}).get(name)
    below = _keep(children, inner, refused.get(name) or {}, granted.get(name) or {})
    if returned != "always" and refused.get(name, children) is None:
        below = {each: sub for each, sub in below.items() if children[each].returned == "always"}
        return bool(below), below
    if returned == "always" and not below:
        below = _keep(children, None, {}, {})
    if len(below) == len(children) and all(sub is None for sub in below.values()):
        return True, None
    return bool(below), below


def _cut(document: Document, tree: Tree) -> dict[str, Any]:
    cut: dict[str, Any] = {}
    for name, value in document.items():
        if name in tree:
            below = tree[name]
            part = value if below is None else _cut_value(value, below)
            if part is not None:
                cut[name] = part
    return cut


def _cut_value(value: Any, tree: Tree) -> Any:
    if type(value) is list:
        return [part for part in (_cut(item, tree) for item in value) if part] or None
    return _cut(value, tree) or None
