"""The syntax tree of a filter. `str()` of a node returns the filter text. Treat nodes as immutable.

This module knows no schema. Nodes keep paths as the client wrote them.
Source: RFC 7644 section 3.4.2.2 (figure 1, with errata 7898 and 7916).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Operator: TypeAlias = Literal["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]
"""The comparison operators in lower case. The operator `pr` is represented by the node `Present`."""

LONGEST_CACHED: Final = 256
"""Maximum length in characters of a text whose parsed form is cached. The limit bounds the memory of the caches."""

OPERATORS: Final[frozenset[str]] = frozenset(get_args(Operator))

Value: TypeAlias = str | int | float | bool | None
"""A comparison value: any JSON value except objects and arrays."""


@dataclass(slots=True, unsafe_hash=True)
class Comparison:
    """A comparison `path op value`, such as `userName eq "ada"`."""

    path: str
    operator: Operator
    value: Value

    def __str__(self) -> str:
        return f"{self.path} {self.operator} {json.dumps(self.value, ensure_ascii=False)}"


@dataclass(slots=True, unsafe_hash=True)
class Present:
    """A presence test `path pr`, which holds if the attribute has a value that is not empty."""

    path: str

    def __str__(self) -> str:
        return f"{self.path} pr"


@dataclass(slots=True, unsafe_hash=True)
class Not:
    """A negation `not (operand)`."""

    operand: Node

    def __str__(self) -> str:
        return f"not ({self.operand})"


@dataclass(slots=True, unsafe_hash=True)
class And:
    """A conjunction `a and b ...` of two or more operands. No operand is an `And` itself."""

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        return " and ".join(f"({each})" if type(each) is Or else str(each) for each in self.operands)


@dataclass(slots=True, unsafe_hash=True)
class Or:
    """A disjunction `a or b ...` of two or more operands. No operand is an `Or` itself."""

    operands: tuple[Node, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.operands))


@dataclass(slots=True, unsafe_hash=True)
class ValuePath:
    """A value path `path[filter]`, which holds if one element of the attribute matches the filter in brackets."""

    path: str
    filter: Node

    def __str__(self) -> str:
        return f"{self.path}[{self.filter}]"


Node: TypeAlias = Comparison | Present | Not | And | Or | ValuePath


def conjunction(operands: list[Node]) -> Node:
    """Join operands by `and`. Nested conjunctions are flattened, and repeated operands are dropped."""
    if len(operands) == 1:
        return operands[0]
    flat = _without_duplicates(_flatten(operands, And))
    return flat[0] if len(flat) == 1 else And(flat)


def disjunction(operands: list[Node]) -> Node:
    """Join operands by `or`. Nested disjunctions are flattened, and repeated operands are dropped."""
    if len(operands) == 1:
        return operands[0]
    flat = _without_duplicates(_flatten(operands, Or))
    return flat[0] if len(flat) == 1 else Or(flat)


def _without_duplicates(operands: Iterator[Node]) -> tuple[Node, ...]:
    """Return the operands without repetitions.

    Operands are compared as text, because `1`, `1.0` and `true` are equal in Python.
    """
    flat = tuple(operands)
    if len(flat) == 2:
        return flat[:1] if flat[0] == flat[1] and str(flat[0]) == str(flat[1]) else flat
    first: dict[str, Node] = {}
    for each in flat:
        first.setdefault(str(each), each)
    return tuple(first.values())


def _flatten(operands: list[Node], kind: type[And] | type[Or]) -> Iterator[Node]:
    for operand in operands:
        if isinstance(operand, kind):
            yield from operand.operands
        else:
            yield operand


def count_comparisons(node: Node) -> int:
    """Return the number of comparisons and presence tests of a filter, including those in brackets."""
    if isinstance(node, Comparison | Present):
        return 1
    if isinstance(node, Not):
        return count_comparisons(node.operand)
    if isinstance(node, ValuePath):
        return count_comparisons(node.filter)
    return sum(map(count_comparisons, node.operands))


def paths_of(node: Node) -> Iterator[str]:
    """Yield every attribute path of a filter. Paths inside the brackets of a value path are left out."""
    if isinstance(node, Comparison | Present | ValuePath):
        yield node.path
    elif isinstance(node, Not):
        yield from paths_of(node.operand)
    else:
        for operand in node.operands:
            yield from paths_of(operand)
