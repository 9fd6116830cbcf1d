"""`Filter`: a parsed filter, compiled at most once for each resource type it is used on.

This module holds no grammar and no semantics; it joins the parser and the predicate.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from scimkit.documents import Document
from scimkit.filters.ast import LONGEST_CACHED, Comparison, Node
from scimkit.filters.comparisons import Coercion, refuse_value
from scimkit.filters.parser import MAX_COMPARISONS, MAX_LENGTH, STRICT, FilterDeviationHandler
from scimkit.filters.parser import parse as parse_node
from scimkit.filters.predicate import Predicate, Scope, compared, compile_filter
from scimkit.schema.attributes import AttributePath


class Filter:
    """A filter expression (RFC 7644 section 3.4.2.2). Equal to any filter with the same tree."""

    __slots__ = ("_compared", "_predicates", "node")

    def __init__(self, node: Node) -> None:
        self.node: Node = node
        self._predicates: dict[Scope, Predicate] = {}
        self._compared: tuple[Scope, tuple[AttributePath, Any]] | None = None
        """Of a filter that is one comparison: for which resource type, and what, by which key."""

    def __str__(self) -> str:
        return str(self.node)

    def __repr__(self) -> str:
        return f"Filter({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and other.node == self.node

    def __hash__(self) -> int:
        return hash(self.node)

    def compile(self, resource_type: Scope, coerce: Coercion = refuse_value) -> Predicate:
        """The predicate over documents of a resource type.

        Raises: InvalidFilter when a path names no attribute, or an operator or a value does not fit it.
        """
        predicate = self._predicates.get(resource_type)
        if predicate is None:
            predicate = self._predicates[resource_type] = compile_filter(self.node, resource_type, coerce)
        return predicate

    def check(self, resource_type: Scope) -> None:
        """Check that it fits a resource type, without compiling it where it is one comparison. Raises as `compile`."""
        node = self.node
        if type(node) is Comparison:
            self._compared = resource_type, compared(node, resource_type)
        else:
            self.compile(resource_type)

    def equality(self, resource_type: Scope) -> tuple[AttributePath, Any] | None:
        """The path, and the key that a document must have there, of a filter that is one `eq` and a value.

        None for any other filter. Raises: InvalidFilter.
        """
        node = self.node
        if type(node) is not Comparison or node.operator != "eq" or node.value is None:
            return None
        known = self._compared
        if known is None or known[0] is not resource_type:
            known = self._compared = resource_type, compared(node, resource_type)
        return known[1]

    def matches(self, document: Document, resource_type: Scope) -> bool:
        """Whether a document of a resource type matches. Raises: InvalidFilter."""
        return self.compile(resource_type)(document)


def parse(
    text: str,
    deviations: FilterDeviationHandler = STRICT,
    *,
    max_length: int = MAX_LENGTH,
    max_comparisons: int = MAX_COMPARISONS,
) -> Filter:
    """Read a filter.

    Args:
        text: The filter (RFC 7644 section 3.4.2.2).
        lenience: Decides about text that is not in RFC form. The default refuses it.
        max_length: Characters that the filter may have.
        max_comparisons: Comparisons and presence tests that the filter may have.

    Raises:
        InvalidFilter: The filter is not valid or exceeds a limit. The error knows the position and draws a caret.
    """
    if deviations is STRICT and len(text) <= min(LONGEST_CACHED, max_length):
        return _parse_strict(text, max_comparisons)
    return Filter(parse_node(text, deviations, max_length=max_length, max_comparisons=max_comparisons))


@lru_cache(maxsize=512)
def _parse_strict(text: str, max_comparisons: int) -> Filter:
    return Filter(parse_node(text, max_comparisons=max_comparisons))
