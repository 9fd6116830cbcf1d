"""The order of documents: `sortBy` and `sortOrder` (RFC 7644 section 3.4.2.3).

By the attribute's comparison key, the primary or first value of a multi-valued one; documents without
a value come last when ascending and first when descending. This module never keeps anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scimkit.documents import Document
from scimkit.schema.attributes import AttributePath


@dataclass(frozen=True, slots=True)
class Sort:
    """What to order by: a path to an attribute that is not complex, and the direction."""

    path: AttributePath
    descending: bool = False


def sort_key(sort: Sort) -> Callable[[Document], tuple[bool, Any]]:
    """A key that puts documents in order; to be used with `reverse=sort.descending`."""
    value_of, key = _value_at(sort.path), sort.path.leaf.key

    def key_of(document: Document) -> tuple[bool, Any]:
        value = value_of(document)
        return (True, "") if value is None else (False, key(value))

    return key_of


def _value_at(path: AttributePath) -> Callable[[Document], Any]:
    def value_of(document: Document) -> Any:
        value: Any = document
        for name in path.names:
            if type(value) is list:
                value = _chosen(value)
            value = value.get(name) if type(value) is dict else None
            if value is None:
                return None
        return _chosen(value) if type(value) is list else value

    return value_of


def _chosen(values: list[Any]) -> Any:
    """The primary value, or the first."""
    return next((each for each in values if type(each) is dict and each.get("primary") is True), values[0])
