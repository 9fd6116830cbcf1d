"""Hypothesis strategies for documents, paths, filters and PATCH bodies of any resource type.

Values come from a small pool, so that filters match, paths select elements, and values collide. A strategy is built
once for each attribute and resource type, because hypothesis examines every new strategy before it draws from it. This
module sends no requests.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The strategies need hypothesis: pip install 'scimkit[testing]'") from _missing


from scimkit.filters.ast import Comparison, Node, Not, Operator, Present, ValuePath, conjunction, disjunction
from scimkit.patch.operations import PATCH_OP_SCHEMA
from scimkit.schema.attributes import Attribute, AttributePath, AttributeTable
from scimkit.schema.reading import read_resource
from scimkit.schema.resource_types import ResourceType

TEXTS: Final = ("a", "A", "b", "work", "Work", "home", "ada@example.org", "Ärger", "ß", "a b", 'q"\\', "x" * 40)
"""The default strings in values and filters."""

Scalars: TypeAlias = Mapping[str, st.SearchStrategy[Any]]
"""Strategies for single values, by attribute type."""

_KEPT: Final = 1_024
"""The maximum number of strategies that a function of this module keeps."""
_INSTANTS: Final = (
    "2011-05-13T04:42:34Z",
    "2011-05-13T06:42:34+02:00",
    "2011-05-13T04:42:34.5Z",
    "2011-05-13T04:42:34.50Z",
    "0001-01-01T00:00:00Z",
    "2026-12-31T23:59:59.999999999-14:00",
)
_BINARIES: Final = tuple(base64.b64encode(each).decode() for each in (b"x", b"xy", b"\xff\xfe"))
_TEXT_OPERATORS: Final[tuple[Operator, ...]] = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")
_ORDERED_OPERATORS: Final[tuple[Operator, ...]] = ("eq", "ne", "gt", "ge", "lt", "le")
_OPERATORS: Final[dict[str, tuple[Operator, ...]]] = {
    "string": _TEXT_OPERATORS,
    "reference": _TEXT_OPERATORS,
    "dateTime": _TEXT_OPERATORS,
    "integer": _ORDERED_OPERATORS,
    "decimal": _ORDERED_OPERATORS,
    "boolean": ("eq", "ne"),
    "binary": ("eq", "ne", "co", "sw", "ew"),
}


def values(attribute: Attribute, texts: Sequence[str] = TEXTS) -> st.SearchStrategy[Any]:
    """Generate canonical values of an attribute. The value of a multi-valued attribute is an array."""
    return _values(attribute, tuple(texts))


@lru_cache(_KEPT)
def _values(attribute: Attribute, texts: tuple[str, ...]) -> st.SearchStrategy[Any]:
    if not attribute.multi_valued:
        return _single(attribute, texts)
    if attribute.type == "complex":
        return st.lists(_single(attribute, texts), min_size=1, max_size=3).map(_one_primary)
    return st.lists(_single(attribute, texts), min_size=1, max_size=3, unique_by=attribute.key)


def documents(resource_type: ResourceType, *, texts: Sequence[str] = TEXTS) -> st.SearchStrategy[dict[str, Any]]:
    """Generate canonical documents, as `read_resource` returns them, without `id` and `meta`."""
    return bodies(resource_type, texts=texts).map(lambda body: read_resource(resource_type, body))


def bodies(resource_type: ResourceType, *, texts: Sequence[str] = TEXTS) -> st.SearchStrategy[dict[str, Any]]:
    """Generate valid bodies of POST and PUT requests."""
    return _bodies(resource_type, tuple(texts))


@lru_cache(_KEPT)
def _bodies(resource_type: ResourceType, texts: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    schemas = [resource_type.schema, *(each.name for each in resource_type.extensions)]
    optional = [name for name in _writable(resource_type.attributes) if name != "schemas"]
    required = {each.name for each in resource_type.required}

    def build(chosen: dict[str, Any]) -> dict[str, Any]:
        return {"schemas": schemas.copy(), **chosen}

    strategies = {name: _values(resource_type.attributes[name], texts) for name in optional}
    return st.fixed_dictionaries(
        {name: each for name, each in strategies.items() if name in required},
        optional={name: each for name, each in strategies.items() if name not in required},
    ).map(build)


def attribute_paths(resource_type: ResourceType) -> st.SearchStrategy[AttributePath]:
    """Generate paths to the attributes, sub-attributes and extension attributes that a client can see."""
    return st.sampled_from(_paths(resource_type))


def filters(
    resource_type: ResourceType,
    *,
    depth: int = 3,
    texts: Sequence[str] = TEXTS,
    keeps: Callable[[AttributePath], bool] = lambda path: True,
) -> st.SearchStrategy[Node]:
    """Generate valid filters for a resource type, with every operator, value paths, `and`, `or` and `not`.

    Args:
        resource_type: The resource type.
        depth: The maximum nesting of `and`, `or` and `not`.
        texts: The strings in the filters.
        keeps: Reports whether a filter may use a path.
    """
    return _filters(resource_type, depth, tuple(texts), keeps)


@lru_cache(_KEPT)
def _filters(
    resource_type: ResourceType, depth: int, texts: tuple[str, ...], keeps: Callable[[AttributePath], bool]
) -> st.SearchStrategy[Node]:
    paths = [path for path in _paths(resource_type) if path.attribute.name != "schemas" and keeps(path)]
    leaves = st.sampled_from(paths).flatmap(lambda path: _expressions(path, path.text, texts))
    complexes = [path for path in paths if path.leaf.type == "complex" and not path.attribute.is_extension]
    if complexes:
        leaves |= st.sampled_from(complexes).flatmap(lambda path: _value_paths(path, texts, keeps))
    return _combined(leaves, depth)


def patches(resource_type: ResourceType, *, most: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    """Generate bodies of PATCH requests in RFC form. An operation may still fail with `mutability` or `noTarget`."""
    return _patches(resource_type, most)


@lru_cache(_KEPT)
def _patches(resource_type: ResourceType, most: int) -> st.SearchStrategy[dict[str, Any]]:
    operations = st.one_of(_with_path(resource_type), _with_path(resource_type), _pathless(resource_type))
    return st.lists(operations, min_size=1, max_size=most).map(
        lambda chosen: {"schemas": [PATCH_OP_SCHEMA], "Operations": chosen}
    )


@lru_cache(_KEPT)
def _single(attribute: Attribute, texts: tuple[str, ...]) -> st.SearchStrategy[Any]:
    if attribute.type == "complex":
        children = {name: _values(attribute.children[name], texts) for name in _writable(attribute.children)}
        required = {name for name in children if attribute.children[name].required or _identifies(attribute, name)}
        return st.fixed_dictionaries(
            {name: each for name, each in children.items() if name in required},
            optional={name: each for name, each in children.items() if name not in required},
        ).filter(bool)
    return _scalars(texts)[attribute.type]


def _identifies(attribute: Attribute, name: str) -> bool:
    return attribute.is_reference and name == "value"


@cache
def _scalars(texts: tuple[str, ...]) -> Scalars:
    return {
        "string": st.sampled_from(texts),
        "reference": st.sampled_from(("a", "A", "https://example.org/x")),
        "boolean": st.booleans(),
        "integer": st.integers(-3, 3),
        "decimal": st.integers(-3, 3) | st.sampled_from((0.5, -1.25)),
        "dateTime": st.sampled_from(_INSTANTS),
        "binary": st.sampled_from(_BINARIES),
    }


def _writable(table: AttributeTable) -> list[str]:
    return [name for name, each in table.items() if each.mutability != "readOnly" and name != "$ref"]


@lru_cache(_KEPT)
def _paths(resource_type: ResourceType) -> tuple[AttributePath, ...]:
    found = []
    for top in resource_type.attributes.values():
        tables = [(top, top.children)] if top.is_extension else [(None, AttributeTable([top]))]
        for extension, table in tables:
            for attribute in table.values():
                found.append(AttributePath(attribute, None, extension))
                found += [AttributePath(attribute, sub, extension) for sub in attribute.children.values()]
    return tuple(path for path in found if path.is_searchable)


@lru_cache(_KEPT)
def _expressions(path: AttributePath, text: str, texts: tuple[str, ...]) -> st.SearchStrategy[Node]:
    leaf = path.leaf
    present = st.just(Present(text))
    if leaf.type == "complex":
        value = leaf.value_attribute
        if value is None or path.sub_attribute is not None:
            return present
        leaf = value
    scalars = _scalars(texts)[leaf.type]
    comparisons = st.builds(Comparison, st.just(text), st.sampled_from(_OPERATORS[leaf.type]), scalars)
    nothing = st.builds(Comparison, st.just(text), st.sampled_from(("eq", "ne")), st.none())
    return st.one_of(comparisons, comparisons, comparisons, present, nothing)


@lru_cache(_KEPT)
def _value_paths(
    path: AttributePath, texts: tuple[str, ...], keeps: Callable[[AttributePath], bool]
) -> st.SearchStrategy[Node]:
    inside = [AttributePath(path.attribute, each, path.extension) for each in path.leaf.children.values()]
    children = [each.leaf for each in inside if each.is_searchable and keeps(each)]
    if not children:
        return st.just(Present(path.text))
    inner = st.sampled_from(children).flatmap(lambda child: _expressions(AttributePath(child), child.name, texts))
    return _combined(inner, 1).map(lambda node: ValuePath(path.text, node))


def _combined(leaves: st.SearchStrategy[Node], depth: int) -> st.SearchStrategy[Node]:
    if depth == 0:
        return leaves
    below = _combined(leaves, depth - 1)
    several = st.lists(below, min_size=2, max_size=3)
    return st.one_of(leaves, leaves, several.map(conjunction), several.map(disjunction), below.map(Not))


def _with_path(resource_type: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
    paths = [path for path in _paths(resource_type) if _changeable(path)]
    return st.sampled_from(paths).flatmap(_operations_at)


def _changeable(path: AttributePath) -> bool:
    return path.attribute.name != "schemas" and all(
        each is None or each.mutability != "readOnly" for each in (path.attribute, path.sub_attribute)
    )


@lru_cache(_KEPT)
def _operations_at(path: AttributePath) -> st.SearchStrategy[dict[str, Any]]:
    choices = [_operations(path.text, values(path.leaf))]
    attribute = path.attribute
    if attribute.multi_valued and attribute.type == "complex" and path.sub_attribute is None:
        children = [each for each in attribute.children.values() if each.name != "$ref"]
        selectors = st.sampled_from(children).flatmap(
            lambda child: _expressions(AttributePath(child), child.name, TEXTS)
        )
        choices.append(selectors.flatmap(lambda node: _operations(f"{path.text}[{node}]", _single(attribute, TEXTS))))
        plain = [each for each in children if each.mutability == "readWrite"]
        if plain:
            targets = st.tuples(selectors, st.sampled_from(plain))
            choices.append(
                targets.flatmap(lambda pair: _operations(f"{path.text}[{pair[0]}].{pair[1].name}", values(pair[1])))
            )
    return st.one_of(choices)


def _operations(text: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    writing = st.builds(
        lambda op, item: {"op": op, "path": text, "value": item},
        st.sampled_from(("add", "replace")),
        value,
    )
    return st.one_of(writing, writing, st.just({"op": "remove", "path": text}))


def _pathless(resource_type: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
    names: Sequence[str] = [name for name in _writable(resource_type.attributes) if name != "schemas"]
    chosen = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    value = chosen.flatmap(
        lambda some: st.fixed_dictionaries({name: values(resource_type.attributes[name]) for name in some})
    )
    return st.builds(
        lambda op, item: {"op": op, "value": item},
        st.sampled_from(("add", "replace")),
        value,
    )


def _one_primary(value: list[Any]) -> list[Any]:
    """Return the array with at most one primary element."""
    seen = False
    made = []
    for each in value:
        if isinstance(each, dict) and each.get("primary") is True:
            each = each if not seen else {**each, "primary": False}
            seen = True
        made.append(each)
    return made
