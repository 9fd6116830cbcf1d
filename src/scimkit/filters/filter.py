"""The class `Filter`: a parsed filter that is compiled at most once for each resource type.

This module connects the parser to the compiler. Grammar and semantics are defined there.
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
    """A filter expression (RFC 7644 section 3.4.2.2). Two filters are equal if their syntax trees are equal."""

    __slots__ = ("_compared", "_predicates", "node")

    def __init__(self, node: Node) -> None:
        self.node: Node = node
        self._predicates: dict[Scope, Predicate] = {}
        self._compared: tuple[Scope, tuple[AttributePath, Any]] | None = None
        """The last result of `equality` or `check`: resource type, path and comparison key of a single comparison."""

    def __str__(self) -> str:
        return str(self.node)

    def __repr__(self) -> str:
        return f"Filter({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and other.node == self.node

    def __hash__(self) -> int:
        return hash(self.node)

    def compile(self, resource_type: Scope, coerce: Coercion = refuse_value) -> Predicate:
        """Return the predicate on documents of a resource type.

        Raises:
            InvalidFilter: A path names no attribute, or an operator or a constant does not fit its attribute.
        """
        predicate = self._predicates.get(resource_type)
        if predicate is None:
            predicate = self._predicates[resource_type] = compile_filter(self.node, resource_type, coerce)
        return predicate

    def check(self, resource_type: Scope) -> None:
        """Check the filter against a resource type. A filter that is a single comparison is not compiled.

        Raises:
            InvalidFilter: A path names no attribute, or an operator or a constant does not fit its attribute.
        """
        node = self.node
        if type(node) is Comparison:
            self._compared = resource_type, compared(node, resource_type)
        else:
            self.compile(resource_type)

    def equality(self, resource_type: Scope) -> tuple[AttributePath, Any] | None:
        """Return the path and the comparison key if the filter is a single `eq` comparison with a value.

        Return None for every other filter.

        Raises:
            InvalidFilter: The path names no attribute, or the constant does not fit the attribute.
        """
        node = self.node
        if type(node) is not Comparison or node.operator != "eq" or node.value is None:
            return None
        known = self._compared
        if known is None or known[0] is not resource_type:
            known = self._compared = resource_type, compared(node, resource_type)
        return known[1]

    def matches(self, document: Document, resource_type: Scope) -> bool:
        """Report whether a document of a resource type matches the filter.

        Raises:
            InvalidFilter: A path names no attribute, or an operator or a constant does not fit its attribute.
        """
        return self.compile(resource_type)(document)


def parse(
    text: str,
    deviations: FilterDeviationHandler = STRICT,
    *,
    max_length: int = MAX_LENGTH,
    max_comparisons: int = MAX_COMPARISONS,
) -> Filter:
    """Parse a filter.

    Args:
        text: The filter (RFC 7644 section 3.4.2.2).
        deviations: Accepts or refuses text that is not in RFC form. The default refuses it.
        max_length: Maximum length of the filter in characters.
        max_comparisons: Maximum number of comparisons and presence tests.

    Raises:
        InvalidFilter: The filter is not valid or exceeds a limit. The error has the text and the position.
    """
    if deviations is STRICT and len(text) <= min(LONGEST_CACHED, max_length):
        return _parse_strict(text, max_comparisons)
    return Filter(parse_node(text, deviations, max_length=max_length, max_comparisons=max_comparisons))


@lru_cache(maxsize=512)
def _parse_strict(text: str, max_comparisons: int) -> Filter:
    return Filter(parse_node(text, max_comparisons=max_comparisons))
