"""Properties of filters: round trips, agreement with slow models and with other libraries."""

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
    """A filter printed and read again is the same filter."""
    assert filters.parse(str(node)).node == node


@given(TYPES.flatmap(lambda kind: st.tuples(st.just(kind), filters_of(kind), documents(kind))))
def test_predicate_agrees_with_the_model(case: tuple[ResourceType, Node, dict]) -> None:
    """The compiled predicate and the slow model give the same answer on any document."""
    kind, node, document = case
    assert filters.Filter(node).matches(document, kind) is reference.matches(kind, document, node)


@given(st.text(max_size=60) | st.text(alphabet='abe q"()[]\\.:ortnd', max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Any text is a filter or an InvalidFilter that knows where it is wrong."""
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
def test_brackets_around_a_filter_change_nothing(text: str) -> None:
    """One expression alone is read at a glance, in brackets word by word: to the same, or to no filter at all."""
    assert _node_of(text) == _node_of(f"({text})")


def _node_of(text: str) -> Node | None:
    try:
        return filters.parse(text).node
    except ScimError:
        return None


@given(filters_of(USER), documents(USER))
def test_narrowing_to_the_own_type_changes_nothing(node: Node, document: dict) -> None:
    """A filter that a type understands is narrowed to one with the same answers."""
    narrowed = specialize(node, USER)
    assert not isinstance(narrowed, bool)
    assert reference.matches(USER, document, narrowed) is reference.matches(USER, document, node)


@given(filters_of(USER), documents(GROUP))
def test_narrowing_treats_missing_attributes_as_without_value(node: Node, document: dict) -> None:
    """What a type does not define has no value there (RFC 7644 section 3.4.2.1)."""
    narrowed = specialize(node, GROUP)
    if isinstance(narrowed, bool):
        expected = reference.matches(USER, document, node)
        assert narrowed is expected or {"displayName", "externalId"} & set(document)
    else:
        filters.Filter(narrowed).compile(GROUP)


_TYPED_OTHERWISE = frozenset({"emails", "profileUrl", "photos", "x509Certificates"})
"""Attributes for which scim2-models takes addresses, URLs or certificates only, where the RFC says should."""


def _same_meaning(node: Node, kind: ResourceType = USER) -> bool:
    """Whether scim2-models reads the filter as we do.

    It takes `ne` on a multi-valued attribute as all values, we as any (RFC 7644 section 3.4.2.2 says
    that one matching value is enough); it casefolds, orders and presents some values otherwise.
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
    """`ScimFilter` gives the same answer wherever both read the filter alike."""
    assume(_same_meaning(node))
    ours = {name: value for name, value in document.items() if name not in _TYPED_OTHERWISE}
    assume(str(ours).isascii())  # it folds the case of other letters otherwise
    theirs = User[EnterpriseUser].model_validate(ours)
    assert filters.Filter(node).matches(ours, USER) is ScimFilter[User[EnterpriseUser]](str(node)).match(theirs)


def _shape(node: object) -> object:
    """The logical structure of the other parser's tree, as text."""
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
    """Whether `and` and `or` stand side by side: version 0.7.0 of the other parser misreads that."""
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
    """scim2-filter-parser sees the same structure, where it is right.

    It is left out where it is wrong: mixed `and` and `or`, chains of three, `not` and escaped quotes.
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
    """Nesting beyond the limit is an InvalidFilter, never a RecursionError."""
    with pytest.raises(ScimError, match=r"nested|inside|longer"):
        filters.parse(opening * 3000)
