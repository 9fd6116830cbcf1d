"""Lookup of the resources that can match a filter, by equality indexes instead of a scan.

The candidates of a filter include every match, and may include other resources. `Candidates.exact` tells that the
candidates are the matches. This module never evaluates a filter on a document.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from scimkit.documents import Document
from scimkit.errors import Uniqueness
from scimkit.filters.ast import And, Comparison, Node, Or, ValuePath, paths_of
from scimkit.filters.comparisons import comparison_value
from scimkit.filters.predicate import comparable
from scimkit.schema.attributes import AttributePath
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import RequestedAttributes

IndexLookup: TypeAlias = Callable[[str, Any], Collection[str] | None]
"""A function that returns the ids of resources with a key at a canonical path, or None if the path has no index."""


@dataclass(slots=True)
class Candidates:
    """The ids of resources that can match a filter. `exact` is True if all of them match."""

    ids: Collection[str]
    exact: bool


def candidates_for(node: Node, resource_type: ResourceType, look_up: IndexLookup) -> Candidates | None:
    """Return the candidates of a filter, or None if no index helps and a scan is necessary.

    Args:
        node: The filter.
        resource_type: The resource type of the search.
        look_up: The function that reads an index.
    """
    if isinstance(node, Comparison):
        return _candidates_for_comparison(node, resource_type.resolve(node.path), look_up)
    if isinstance(node, ValuePath):
        return _candidates_for_value_path(node, resource_type, look_up)
    if isinstance(node, And):
        found = [candidates_for(each, resource_type, look_up) for each in node.operands]
        known = sorted((each for each in found if each is not None), key=lambda each: len(each.ids))
        if not known:
            return None
        ids = {id for id in known[0].ids if all(id in each.ids for each in known[1:])}
        return Candidates(ids, len(known) == len(found) and all(each.exact for each in known))
    if isinstance(node, Or):
        either: set[str] = set()
        exact = True
        for each in node.operands:
            part = candidates_for(each, resource_type, look_up)
            if part is None:
                return None
            either.update(part.ids)
            exact = exact and part.exact
        return Candidates(either, exact)
    return None


def _candidates_for_comparison(node: Comparison, path: AttributePath | None, look_up: IndexLookup) -> Candidates | None:
    if node.operator != "eq" or path is None or not path.is_searchable or node.value is None:
        return None
    path = comparable(path)
    ids = look_up(path.text, comparison_value(path.leaf, node))
    return None if ids is None else Candidates(ids, True)


def _candidates_for_value_path(node: ValuePath, resource_type: ResourceType, look_up: IndexLookup) -> Candidates | None:
    """Return the candidates of a value path, such as `emails[value eq "x" and ...]`.

    The lookup uses an equality on a sub-attribute that every match must satisfy.
    """
    path = resource_type.resolve(node.path)
    if path is None or path.sub_attribute is not None:
        return None
    inner = node.filter
    for term in inner.operands if isinstance(inner, And) else (inner,):
        if isinstance(term, Comparison):
            sub = path.attribute.children.find(term.path)
            if sub is not None:
                found = _candidates_for_comparison(term, AttributePath(path.attribute, sub, path.extension), look_up)
                if found is not None:
                    return Candidates(found.ids, inner is term)
    return None


def keys_at(path: AttributePath) -> Callable[[Document], Collection[Any]]:
    """Return a function that computes the comparison keys of a document at a path."""
    names, key = path.names, path.leaf.key

    def keys(document: Document) -> Collection[Any]:
        values: list[Any] = [document]
        for name in names:
            values = [value[name] for value in values if name in value]
            if values and type(values[0]) is list:
                values = [item for value in values for item in value]
        return {key(value) for value in values}

    if len(names) == 1 and not path.attribute.multi_valued:
        name = names[0]
        return lambda document: (key(document[name]),) if name in document else ()
    if len(names) == 2 and path.attribute.multi_valued and not path.leaf.multi_valued:
        name, sub_name = names
        return lambda document: {key(each[sub_name]) for each in document.get(name, ()) if sub_name in each}
    return keys


def check_unique(resource_type: ResourceType, document: Document, others: Iterable[Document]) -> None:
    """Compare a document with all other documents of its type and tenant. Use this in a store without indexes.

    Args:
        resource_type: The resource type of all documents.
        document: The document of the write.
        others: The stored documents of the same type and tenant, without the resource that the write replaces.

    Raises:
        Uniqueness: Another document has the same value of a unique attribute.
    """
    others = list(others)
    for text in resource_type.unique:
        path = resource_type.resolve(text)
        assert path is not None
        keys_of = keys_at(path)
        keys = set(keys_of(document))
        if any(not keys.isdisjoint(keys_of(each)) for each in others):
            raise Uniqueness(text)


def requested_by(node: Node, resource_type: ResourceType) -> RequestedAttributes:
    """Return the top-level attributes that a filter reads, so that a store need not load the other attributes."""
    names = {path.names[0] for path in map(resource_type.resolve, paths_of(node)) if path is not None}
    return names.__contains__
