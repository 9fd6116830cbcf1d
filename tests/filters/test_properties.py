"""Properties of filters: round trips, and agreement with the slow model and with other libraries."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scim2_filter_parser.ast import Filter as TheirFilter
from scim2_filter_parser.lexer import SCIMLexer
from scim2_filter_parser.parser import SCIMParser
from scim2_models import EnterpriseUser, ScimFilter, User

from scimkit import GROUP, USER, ResourceType, ScimError, filters
from scimkit.filters.ast import And, Comparison, Node, Not, Or, Present, ValuePath
from scimkit.filters.type_specialization import specialize
from scimkit.testing import reference
from scimkit.testing.strategies import documents
from scimkit.testing.strategies import filters as filters_of
from tests.resource_types import DEVICE

TYPES = st.sampled_from([USER, GROUP, DEVICE])


@given(TYPES.flatmap(filters_of))
def test_text_round_trips(node: Node) -> None:
    """Parsing the text of a filter returns an equal filter."""
    assert filters.parse(str(node)).node == node


@given(TYPES.flatmap(lambda kind: st.tuples(st.just(kind), filters_of(kind), documents(kind))))
def test_predicate_agrees_with_the_model(case: tuple[ResourceType, Node, dict]) -> None:
    """The compiled predicate and the slow model give the same answer on any document."""
    kind, node, document = case
    assert filters.Filter(node).matches(document, kind) is reference.matches(kind, document, node)


@given(st.text(max_size=60) | st.text(alphabet='abe q"()[]\\.:ortnd', max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Parsing any text returns a filter or raises InvalidFilter."""
    try:
        wanted = filters.parse(text)
        wanted.compile(USER)
    except ScimError as error:
        assert error.scim_type == "invalidFilter"
    else:
        assert filters.parse(str(wanted)) == wanted


_WORDS = st.lists(
    st.sampled_from(["userName", "x.y", "not", "and", "eq", "Pr", "pr", "xx", "Or", '"a"', '"a b"', '"\\u0041"', '""',
                     "true", "null", "TRUE", "5", ".a", "\t", "  ", "\x1f", "\u2003"]),
    min_size=1, max_size=5,
)  # fmt: skip


@given(_WORDS.map(" ".join))
def test_parentheses_around_a_filter_change_nothing(text: str) -> None:
    """The fast path for a single expression and the full parser agree. Parentheses force the full parser."""
    assert _node_of(text) == _node_of(f"({text})")


def _node_of(text: str) -> Node | None:
    try:
        return filters.parse(text).node
    except ScimError:
        return None


@given(filters_of(USER), documents(USER))
def test_specialization_to_a_type_that_knows_all_attributes(node: Node, document: dict) -> None:
    """Specialization keeps the meaning of a filter if the resource type defines all of its attributes."""
    narrowed = specialize(node, USER)
    assert not isinstance(narrowed, bool)
    assert reference.matches(USER, document, narrowed) is reference.matches(USER, document, node)


@given(filters_of(USER), documents(GROUP))
def test_specialization_treats_unknown_attributes_as_unassigned(node: Node, document: dict) -> None:
    """A resource has no value for an attribute that its type does not define (RFC 7644 section 3.4.2.1)."""
    narrowed = specialize(node, GROUP)
    if isinstance(narrowed, bool):
        expected = reference.matches(USER, document, node)
        assert narrowed is expected or {"displayName", "externalId"} & set(document)
    else:
        filters.Filter(narrowed).compile(GROUP)


_TYPED_OTHERWISE = frozenset({"emails", "profileUrl", "photos", "x509Certificates"})
"""Attributes for which scim2-models accepts only addresses, URLs or certificates, where the RFC says "should"."""


def _same_meaning(node: Node, kind: ResourceType = USER) -> bool:
    """Report whether scim2-models gives the filter the same meaning as scimkit.

    scim2-models requires that all elements match `ne`. scimkit requires any element, as RFC 7644 section 3.4.2.2
    says. The two also differ in case folding, order and presence of some values.
    """
    if isinstance(node, And | Or):
        return all(_same_meaning(each, kind) for each in node.operands)
    if isinstance(node, Not):
        return _same_meaning(node.operand, kind)
    path = kind.resolve(node.path)
    assert path is not None
    if path.attribute.name in _TYPED_OTHERWISE:
        return isinstance(node, Present)
    if isinstance(node, ValuePath):
        return path.attribute.multi_valued and all(
            _plain(each, path.attribute.children[each.path].type) for each in _leaves(node.filter)
        )
    if isinstance(node, Present):
        return True
    if node.operator == "ne" and path.attribute.multi_valued:
        return False
    if node.value is None and path.attribute.multi_valued:
        return False
    leaf = path.leaf if path.leaf.type != "complex" else path.leaf.children["value"]
    return _plain(node, leaf.type)


def _plain(node: Node, kind: str) -> bool:
    if not isinstance(node, Comparison):
        return True
    if kind in ("dateTime", "binary", "reference"):
        return False
    return node.value is None or kind != "string" or str(node.value).isascii()


def _leaves(node: Node) -> list[Node]:
    if isinstance(node, And | Or):
        return [leaf for each in node.operands for leaf in _leaves(each)]
    return _leaves(node.operand) if isinstance(node, Not) else [node]


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(filters_of(USER), documents(USER))
def test_agrees_with_scim2_models(node: Node, document: dict) -> None:
    """`ScimFilter` gives the same answer for filters that both libraries give the same meaning."""
    assume(_same_meaning(node))
    ours = {name: value for name, value in document.items() if name not in _TYPED_OTHERWISE}
    assume(str(ours).isascii())  # scim2-models folds the case of other letters differently
    theirs = User[EnterpriseUser].model_validate(ours)
    assert filters.Filter(node).matches(ours, USER) is ScimFilter[User[EnterpriseUser]](str(node)).match(theirs)


def _shape(node: object) -> object:
    """Return the logical structure of a tree of scim2-filter-parser."""
    kind = type(node).__name__
    if kind == "Filter":
        inner = _shape(node.expr)
        if node.namespace is not None:
            inner = ("path", inner)
        return ("not", inner) if node.negated else inner
    if kind == "LogExpr":
        return (node.op.lower(), _shape(node.expr1), _shape(node.expr2))
    return "leaf"


def _our_shape(node: Node) -> object:
    if isinstance(node, And | Or):
        name = "and" if isinstance(node, And) else "or"
        first, *rest = map(_our_shape, node.operands)
        for each in rest:
            first = (name, first, each)
        return first
    if isinstance(node, Not):
        return ("not", _our_shape(node.operand))
    if isinstance(node, ValuePath):
        return ("path", _our_shape(node.filter))
    return "leaf"


def _mixes(node: Node) -> bool:
    """Report whether a filter combines `and` and `or`, which scim2-filter-parser 0.7.0 parses wrongly."""
    if isinstance(node, Or):
        return any(isinstance(each, And) for each in node.operands) or any(map(_mixes, node.operands))
    if isinstance(node, And):
        return any(map(_mixes, node.operands))
    if isinstance(node, Not):
        return _mixes(node.operand)
    return _mixes(node.filter) if isinstance(node, ValuePath) else False


@settings(suppress_health_check=[HealthCheck.filter_too_much], max_examples=20)  # the other parser is slow
@given(filters_of(USER, depth=2))
def test_structure_agrees_with_scim2_filter_parser(node: Node) -> None:
    """scim2-filter-parser finds the same structure, except where it is wrong.

    It is wrong for mixed `and` and `or`, chains of three operands, `not`, and escaped quotes.
    """
    text = str(node)
    assume(not _mixes(node) and "\\" not in text and "not" not in text and "null" not in text)
    assume(all(len(each.operands) == 2 for each in _joined(node)))
    tree = SCIMParser().parse(SCIMLexer().tokenize(text))
    assert isinstance(tree, TheirFilter)
    assert _shape(tree) == _our_shape(node)


def _joined(node: Node) -> list[And | Or]:
    below = (
        node.operands if isinstance(node, And | Or)
        else (node.operand,) if isinstance(node, Not)
        else (node.filter,) if isinstance(node, ValuePath) else ()
    )  # fmt: skip
    return [*([node] if isinstance(node, And | Or) else []), *(each for part in below for each in _joined(part))]


@pytest.mark.parametrize("opening", ["(", "not (", "emails["])
def test_deep_nesting_is_an_error(opening: str) -> None:
    """Nesting beyond the limit raises InvalidFilter, never RecursionError."""
    with pytest.raises(ScimError, match=r"nested|contain|longer"):
        filters.parse(opening * 3000)
