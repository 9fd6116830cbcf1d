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
    """The operands joined by `and`, flat; a single operand is itself."""
    return operands[0] if len(operands) == 1 else And(tuple(_flat(operands, And)))


def disjunction(operands: list[Node]) -> Node:
    """The operands joined by `or`, flat; a single operand is itself."""
    return operands[0] if len(operands) == 1 else Or(tuple(_flat(operands, Or)))


def _flat(operands: list[Node], kind: type[And] | type[Or]) -> Iterator[Node]:
    for operand in operands:
        if isinstance(operand, kind):
            yield from operand.operands
        else:
            yield operand


def paths_of(node: Node) -> Iterator[str]:
    """Every attribute path a filter names, outside value paths' brackets."""
    if isinstance(node, Comparison | Present | ValuePath):
        yield node.path
    elif isinstance(node, Not):
        yield from paths_of(node.operand)
    else:
        for operand in node.operands:
            yield from paths_of(operand)
