"""Projections select the attributes of a document that a response contains.

A projection is compiled once for each resource type and each pair of `attributes` and `excludedAttributes`.
Compiled projections are cached. A projection that removes nothing does not copy the document.
This module never calls a store.
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
"""The names to keep. None keeps everything below a name."""

_MAX_CACHED: Final = 512
_MAX_CACHED_LENGTH: Final = 1024
"""Maximum length in characters of parameters whose projection is cached. The limit bounds the memory of the cache."""


class Projection:
    """A compiled selection of the attributes that a response returns for one resource type.

    A store calls `requested` to learn which attributes it need not load, such as the members of a group.
    """

    __slots__ = ("_tree", "chosen", "stripped", "wants_location")

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
        """True if the request has the `attributes` parameter."""
        tree = _select(resource_type.attributes, _names(requested), refused, granted)
        self._tree: Tree = tree
        meta = tree.get("meta", {})
        self.wants_location: bool = meta is None or "location" in meta
        """True if `meta.location` is returned. The caller adds it, because stored documents do not contain it."""
        whole = requested is None and all(sub is None for sub in tree.values())
        self.stripped: tuple[str, ...] | None = (
            tuple(name for name in resource_type.attributes if name not in tree) if whole else None
        )
        """The attributes that are left out, if everything else is returned as it is. None for any other selection."""

    def requested(self, name: str) -> bool:
        """Report whether any part of a top-level attribute, given by its canonical name, is returned."""
        return name in self._tree

    def apply(self, document: Document) -> Document:
        """Return the part of a document that the response contains. Return the same object if nothing is removed."""
        stripped = self.stripped
        if stripped is None:
            return _cut(document, self._tree)
        for name in stripped:
            if name in document:
                return {name: value for name, value in document.items() if name not in stripped}
        return document


class Projections:
    """A cache of the compiled projections of one resource type."""

    __slots__ = ("_recent", "_resource_type", "on_request", "whole")

    def __init__(self, resource_type: ResourceType) -> None:
        self._resource_type = resource_type
        self._recent = lru_cache(maxsize=_MAX_CACHED)(self._compile)
        self.on_request: tuple[AttributePath, ...] = tuple(_on_request(resource_type))
        """The attributes that are returned only if the request names them or has written them."""
        self.whole: Projection = Projection(resource_type, (), ())
        """The default projection: every attribute whose `returned` is neither `never` nor `request`."""

    def plan(self, attributes: str | None, excluded: str | None, written: str = "") -> Projection:
        """Return the projection for the `attributes` and `excludedAttributes` of a request.

        Names that the resource type does not define are ignored, because a search may cover several resource types.
        Filters in brackets are ignored too: `emails[type eq "work"]` selects `emails`.

        Args:
            attributes: The comma-separated paths to return, or None.
            excluded: The comma-separated paths to leave out, or None.
            written: The comma-separated paths of `on_request` attributes that the request has written.
        """
        if not attributes and not excluded and not written:
            return self.whole
        size = len(attributes or "") + len(excluded or "")
        return (self._recent if size <= _MAX_CACHED_LENGTH else self._compile)(
            attributes or "", excluded or "", written
        )

    def _compile(self, attributes: str, excluded: str, written: str) -> Projection:
        return Projection(self._resource_type, *map(split_paths, (attributes, excluded, written)))


def split_paths(text: str) -> list[str]:
    """Split a comma-separated list of paths. Filters in brackets are removed from the paths."""
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
    """Return the paths as nested dicts of names. The value None selects everything below a name."""
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


def _select(
    table: AttributeTable,
    requested: Mapping[str, Any] | None,
    refused: Mapping[str, Any],
    granted: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the tree of attributes to return from a table (RFC 7643 section 7, `returned`).

    If `requested` is None, the tree has the default attributes and the on-request attributes named in `granted`.
    """
    tree: dict[str, Any] = {}
    for attribute in table.values():
        kept, below = _select_attribute(attribute, requested, refused, granted)
        if kept:
            tree[attribute.name] = below
    return tree


def _select_attribute(
    attribute: Attribute,
    requested: Mapping[str, Any] | None,
    refused: Mapping[str, Any],
    granted: Mapping[str, Any],
) -> tuple[bool, dict[str, Any] | None]:
    """Report whether an attribute is returned, and return the tree of its returned sub-attributes (None for all)."""
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
    below = _select(children, inner, refused.get(name) or {}, granted.get(name) or {})
    if returned != "always" and refused.get(name, children) is None:
        below = {each: sub for each, sub in below.items() if children[each].returned == "always"}
        return bool(below), below
    if returned == "always" and not below:
        below = _select(children, None, {}, {})
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
