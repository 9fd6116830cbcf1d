"""Specialization of a filter to one resource type, for searches over several resource types.

A resource has no value for an attribute that its resource type does not define (RFC 7644 section 3.4.2.1).
This module never evaluates a filter on a document.
"""

from __future__ import annotations

from scimkit.filters.ast import And, Comparison, Node, Not, Or, conjunction, disjunction
from scimkit.filters.predicate import Scope


def specialize(node: Node, scope: Scope) -> Node | bool:
    """Return an equivalent filter without the attributes that the resource type does not define.

    Return True if every document of the resource type matches, and False if none matches.
    """
    if isinstance(node, And):
        return _joined(node.operands, scope, absorbing=False)
    if isinstance(node, Or):
        return _joined(node.operands, scope, absorbing=True)
    if isinstance(node, Not):
        operand = specialize(node.operand, scope)
        return not operand if isinstance(operand, bool) else Not(operand)
    if scope.resolve(node.path) is not None:
        return node
    if not isinstance(node, Comparison):
        return False
    if node.operator == "ne":
        return node.value is not None
    return node.operator == "eq" and node.value is None


def _joined(operands: tuple[Node, ...], scope: Scope, *, absorbing: bool) -> Node | bool:
    """Specialize and join the operands of `or` (`absorbing` is True) or of `and` (`absorbing` is False).

    An operand that is always `absorbing` decides the result. Operands that are always the opposite are dropped.
    """
    kept: list[Node] = []
    for operand in operands:
        narrowed = specialize(operand, scope)
        if narrowed is absorbing:
            return absorbing
        if not isinstance(narrowed, bool):
            kept.append(narrowed)
    if not kept:
        return not absorbing
    return disjunction(kept) if absorbing else conjunction(kept)
