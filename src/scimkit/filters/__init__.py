"""Filters: a parser, a syntax tree and a compiler to predicates (RFC 7644 section 3.4.2.2).

>>> from scimkit import USER, filters
>>> wanted = filters.parse('emails[type eq "work" and value ew "@example.org"]')
>>> wanted.matches({"emails": [{"type": "work", "value": "ada@example.org"}]}, USER)
True
"""

from scimkit.filters.ast import And, Comparison, Node, Not, Operator, Or, Present, Value, ValuePath
from scimkit.filters.filter import Filter, parse
from scimkit.filters.predicate import Predicate, compile_filter

__all__ = [
    "And", "Comparison", "Filter", "Node", "Not", "Operator", "Or", "Predicate", "Present", "Value", "ValuePath",
    "compile_filter", "parse",
]  # fmt: skip
