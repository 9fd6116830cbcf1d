import contextlib
import copy

from hypothesis import given

from scimkit import USER, ScimError, patch
from scimkit.filters import Filter, parse
from scimkit.testing import reference
from scimkit.testing.strategies import attribute_paths, documents, filters, patches


@given(documents(USER), patches(USER))
def test_patch_is_atomic(document, body):
    """Whatever a PATCH asks for, the document it is applied to stays as it was."""
    before = copy.deepcopy(document)
    with contextlib.suppress(ScimError):
        patch.apply(USER, document, body)
    assert document == before


@given(documents(USER), filters(USER))
def test_the_predicate_says_what_the_slow_model_says(document, node):
    """The compiled filter and a walk over the tree agree, also after the filter was printed and read again."""
    expected = reference.matches(USER, document, node)
    assert Filter(node).matches(document, USER) is expected
    assert parse(str(node)).matches(document, USER) is expected


@given(documents(USER), attribute_paths(USER))
def test_a_filter_on_what_is_there_matches(document, path):
    """`pr` holds of exactly what has a value."""
    assert parse(f"{path.text} pr").matches(document, USER) is not parse(f"not ({path.text} pr)").matches(
        document, USER
    )


test_patch_is_atomic()
test_the_predicate_says_what_the_slow_model_says()
test_a_filter_on_what_is_there_matches()
