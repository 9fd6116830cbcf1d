"""Sorting of documents by `sortBy` and `sortOrder` (RFC 7644 section 3.4.2.3).

Documents are sorted by the comparison key of an attribute. A multi-valued attribute counts with its primary element, or
with its first element. Documents without a value come last in ascending order and first in descending order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scimkit.documents import Document
from scimkit.schema.attributes import AttributePath


@dataclass(frozen=True, slots=True)
class Sort:
    """The sort order of a search: the path of a simple attribute, and the direction."""

    path: AttributePath
    descending: bool = False


def sort_key(sort: Sort) -> Callable[[Document], tuple[bool, Any]]:
    """Return a function that computes the sort key of a document.

    Pass the function to `sorted` together with `reverse=sort.descending`.
    """
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
    """Return the primary element of a multi-valued attribute, or the first element."""
    return next((each for each in values if type(each) is dict and each.get("primary") is True), values[0])
