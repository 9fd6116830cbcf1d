"""The syntax tree of a filter: values that print back to filter text, and that nobody changes.

This module knows no schema: paths are kept as the client wrote them.
Source: RFC 7644 section 3.4.2.2 (figure 1, with errata 7898 and 7916).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Operator: TypeAlias = Literal["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
"""The comparison operators, in lower case. `pr` is a node of its own."""

LONGEST_CACHED: Final = 256
"""Characters of the longest client text that a cache of parsed texts keeps, so that caches are bounded in bytes."""

OPERATORS: Final[frozenset[str]] = frozenset(get_args(Operator))

Value: TypeAlias = str | int | float | bool | None
"""A comparison value: any JSON value but objects and arrays."""


@dataclass(slots=True, unsafe_hash=True)
class Comparison:
    """`path op value`, such as `userName eq "ada"`."""

    path: str
    operator: Operator
    value: Value

    def __str__(self) -> str:
        return f"{self.path} {self.operator} {json.dumps(self.value, ensure_ascii=False)}"


@dataclass(slots=True, unsafe_hash=True)
class Present:
    """`path pr`: the attribute has a value that is not empty."""

    path: str

    def __str__(self) -> str:
        return f"{self.path} pr"


@dataclass(slots=True, unsafe_hash=True)
class Not:
    """`not (operand)`."""

    operand: Node

    def __str__(self) -> str:
        return f"not ({self.operand})"


@dataclass(slots=True, unsafe_hash=True)
class And:
    """`a and b ...`: two operands or more, none of them an `And`."""

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        return " and ".join(f"({each})" if type(each) is Or else str(each) for each in self.operands)


@dataclass(slots=True, unsafe_hash=True)
class Or:
    """`a or b ...`: two operands or more, none of them an `Or`."""

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.operands))


@dataclass(slots=True, unsafe_hash=True)
class ValuePath:
    """`path[filter]`: one element of a multi-valued complex attribute meets the whole filter."""

    path: str
    filter: Node

    def __str__(self) -> str:
        return f"{self.path}[{self.filter}]"


Node: TypeAlias = Comparison | Present | Not | And | Or | ValuePath


def conjunction(operands: list[Node]) -> Node:
    """Join the operands by `and`: flat, each once. A single operand is returned as it is."""
    if len(operands) == 1:
        return operands[0]
    flat = _each_once(_flat(operands, And))
    return flat[0] if len(flat) == 1 else And(flat)


def disjunction(operands: list[Node]) -> Node:
    """Join the operands by `or`: flat, each once. A single operand is returned as it is."""
    if len(operands) == 1:
        return operands[0]
    flat = _each_once(_flat(operands, Or))
    return flat[0] if len(flat) == 1 else Or(flat)


def _each_once(operands: Iterator[Node]) -> tuple[Node, ...]:
    """Return the operands without those that repeat one before them.

    Operands are compared as text, because `1`, `1.0` and `true` are equal in Python.
    """
    flat = tuple(operands)
    if len(flat) == 2:
        return flat[:1] if flat[0] == flat[1] and str(flat[0]) == str(flat[1]) else flat
    first: dict[str, Node] = {}
    for each in flat:
        first.setdefault(str(each), each)
    return tuple(first.values())


def _flat(operands: list[Node], kind: type[And] | type[Or]) -> Iterator[Node]:
    for operand in operands:
        if isinstance(operand, kind):
            yield from operand.operands
        else:
            yield operand


def count_comparisons(node: Node) -> int:
    """Return how many comparisons and presence tests a filter has, those in brackets included."""
    if isinstance(node, Comparison | Present):
        return 1
    if isinstance(node, Not):
        return count_comparisons(node.operand)
    if isinstance(node, ValuePath):
        return count_comparisons(node.filter)
    return sum(map(count_comparisons, node.operands))


def paths_of(node: Node) -> Iterator[str]:
    """Every attribute path a filter names, outside value paths' brackets."""
    if isinstance(node, Comparison | Present | ValuePath):
        yield node.path
    elif isinstance(node, Not):
        yield from paths_of(node.operand)
    else:
        for operand in node.operands:
            yield from paths_of(operand)
