"""A filter over several resource types, narrowed to what it says of one of them.

An attribute that a type does not define has no value there (RFC 7644 section 3.4.2.1). This module
never evaluates a filter on a document.
"""

from __future__ import annotations

from scimkit.filters.ast import And, Comparison, Node, Not, Or, conjunction, disjunction
from scimkit.filters.predicate import Scope


def specialize(node: Node, scope: Scope) -> Node | bool:
    """The filter without the attributes that the type does not define.

    True when every document of the type matches, False when none does.
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
    """The operands of `or` (absorbed by one that is true) or of `and` (absorbed by one that is false)."""
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
