import copy

from hypothesis import given

from scimkit import USER, ScimError, patch
from scimkit.testing.strategies import documents, patches


@given(documents(USER), patches(USER))
def test_patch_is_atomic(document, body):
    before = copy.deepcopy(document)
    try:
        patch.apply(USER, document, body)
    except ScimError:
        pass
    assert document == before


test_patch_is_atomic()
