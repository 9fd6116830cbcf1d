import contextlib
import copy

from hypothesis import given

from scimkit import USER, ScimError, patch
from scimkit.filters import Filter, parse
from scimkit.testing import reference
from scimkit.testing.strategies import attribute_paths, documents, filters, patches


@given(documents(USER), patches(USER))
def test_patch_is_atomic(document, body):
    """A PATCH never changes the document that it is applied to."""
    before = copy.deepcopy(document)
    with contextlib.suppress(ScimError):
        patch.apply(USER, document, body)
    assert document == before


@given(documents(USER), filters(USER))
def test_the_predicate_agrees_with_the_slow_model(document, node):
    """The compiled filter agrees with a walk over the tree, also after the filter was printed and parsed again."""
    expected = reference.matches(USER, document, node)
    assert Filter(node).matches(document, USER) is expected
    assert parse(str(node)).matches(document, USER) is expected


@given(documents(USER), attribute_paths(USER))
def test_pr_is_the_opposite_of_not_pr(document, path):
    """`pr` matches, or `not (... pr)` matches, and never both."""
    present, absent = parse(f"{path.text} pr"), parse(f"not ({path.text} pr)")
    assert present.matches(document, USER) is not absent.matches(document, USER)


test_patch_is_atomic()
test_the_predicate_agrees_with_the_slow_model()
test_pr_is_the_opposite_of_not_pr()
