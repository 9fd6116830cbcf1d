"""Properties of PATCH: atomic, idempotent, and in agreement with a slow model and with scim2-models."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scim2_models import PatchOp, User

from scimkit import GROUP, USER, ResourceType, ScimError, patch
from scimkit.errors import InvalidValue, MutabilityViolation, NoTarget
from scimkit.schema.reading import read_resource
from scimkit.testing import reference
from scimkit.testing.strategies import documents, patches, values
from tests.resource_types import DEVICE

Case = tuple[ResourceType, dict[str, Any], dict[str, Any]]
CASES = st.sampled_from([USER, GROUP, DEVICE]).flatmap(
    lambda kind: st.tuples(st.just(kind), documents(kind), patches(kind))
)


def outcome(kind: ResourceType, document: dict[str, Any], body: dict[str, Any]) -> Any:
    """Return the document after a PATCH, or the class of the error."""
    try:
        return patch.apply(kind, document, body).document
    except ScimError as error:
        return type(error)


@given(CASES)
def test_agrees_with_the_model(case: Case) -> None:
    """scimkit and the slow model return the same document or the same error."""
    kind, document, body = case
    try:
        expected: Any = reference.patched(kind, document, body)
    except (NoTarget, MutabilityViolation) as error:
        expected = type(error)
    found = outcome(kind, document, body)
    assume(found is not None)
    if isinstance(expected, dict) and isinstance(found, type):
        # The model does not check that the document after each operation has all required values and one primary.
        operations = body["Operations"]
        with pytest.raises(ScimError):
            for count in range(1, len(operations) + 1):
                _valid(kind, reference.patched(kind, document, {**body, "Operations": operations[:count]}))
    elif isinstance(expected, type) and found is InvalidValue:
        pass  # the PATCH has two errors, and scimkit finds the second primary element before the error of the model
    else:
        assert found == expected


def _valid(kind: ResourceType, document: dict[str, Any]) -> None:
    assert read_resource(kind, document) == document


@given(CASES)
@pytest.mark.rfc("7644-3.5.2-5")
def test_is_atomic(case: Case) -> None:
    """A PATCH never changes the given document or body, even if it fails."""
    kind, document, body = case
    before, said = copy.deepcopy(document), copy.deepcopy(body)
    outcome(kind, document, body)
    assert document == before
    assert body == said


@given(CASES)
def test_every_result_is_valid(case: Case) -> None:
    """The result of a PATCH is a valid document in canonical form."""
    kind, document, body = case
    found = outcome(kind, document, body)
    if isinstance(found, dict):
        assert read_resource(kind, found) == found


@given(CASES)
def test_change_set_turns_the_old_document_into_the_new(case: Case) -> None:
    """Applying the change set to the old document returns the new one. Without a change, the set is empty."""
    kind, document, body = case
    try:
        result = patch.apply(kind, document, body)
    except ScimError:
        return
    made = patch.apply_changes(document, result.changes)
    if result.changes:
        assert _unordered(made) == _unordered(result.document)
    else:
        assert result.document is document


def _unordered(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with `members` as a set of values, because order and display names do not count."""
    if "members" not in document:
        return document
    return {**document, "members": {each["value"] for each in document["members"]}}


@given(CASES)
def test_replace_and_remove_are_idempotent(case: Case) -> None:
    """Operations that set or remove change nothing when repeated, except that a filter may then match nothing."""
    kind, document, body = case
    assume(all(each["op"] != "add" or "[" not in each.get("path", "") for each in body["Operations"]))
    assume(len(body["Operations"]) == 1)
    once = outcome(kind, document, body)
    assume(isinstance(once, dict))
    twice = outcome(kind, once, body)
    assert twice == once or twice is NoTarget


def _plain(kind: ResourceType) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of PATCH bodies that set and remove singular attributes."""
    plain = [
        each for each in kind.attributes.values()
        if each.type != "complex" and not each.multi_valued and each.mutability == "readWrite"
    ]  # fmt: skip
    operations = st.sampled_from(plain).flatmap(
        lambda each: (
            st.fixed_dictionaries(
                {"op": st.sampled_from(["add", "replace"]), "path": st.just(each.name), "value": values(each)}
            )
            | st.just({"op": "remove", "path": each.name})
        )
    )
    return st.lists(operations, min_size=1, max_size=4).map(
        lambda chosen: {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": chosen}
    )


@given(
    st.tuples(st.just(GROUP), documents(GROUP), patches(GROUP))
    | st.sampled_from([USER, DEVICE]).flatmap(lambda kind: st.tuples(st.just(kind), documents(kind), _plain(kind)))
)
def test_direct_changes_agree_with_apply(case: Case) -> None:
    """The change set made without the resource has the same effect as applying the operations to the resource."""
    kind, document, body = case
    try:
        operations = patch.read_operations(kind, body)
        changes = patch.direct_changes(operations)
    except ScimError:
        return
    assume(changes is not None)
    whole = patch.apply_operations(kind, document, operations).document
    assert _unordered(patch.apply_changes(document, changes)) == _unordered(dict(whole))


PLAIN = ("userName", "displayName", "title", "nickName", "active", "userType", "locale")


@given(
    st.dictionaries(st.sampled_from(PLAIN[1:4]), st.sampled_from(["a", "b"])),
    st.lists(
        st.one_of(
            st.builds(
                lambda op, path, value: {"op": op, "path": path, "value": value},
                st.sampled_from(["add", "replace"]),
                st.sampled_from([name for name in PLAIN if name not in ("active", "userName")]),
                st.sampled_from(["a", "c"]),
            ),
            st.sampled_from(PLAIN[1:]).map(lambda path: {"op": "remove", "path": path}),
            st.just({"op": "replace", "path": "active", "value": False}),
            st.builds(lambda name: {"op": "add", "value": {"name": {"givenName": name}}}, st.sampled_from(["x", "y"])),
            st.builds(
                lambda kind: {"op": "add", "path": "emails", "value": [{"type": kind, "value": "e@example.org"}]},
                st.sampled_from(["work", "home"]),
            ),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_agrees_with_scim2_models(attributes: dict[str, str], operations: list[dict[str, Any]]) -> None:
    """`PatchOp` of scim2-models gives the same document for operations that both libraries support."""
    document = read_resource(USER, {"schemas": [USER.schema], "userName": "ada", **attributes})
    body = {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": operations}
    theirs = User.model_validate(document)
    PatchOp[User].model_validate(body).patch(theirs)
    expected = theirs.model_dump()
    assert patch.apply(USER, document, body).document == {**expected, "schemas": [USER.schema]}
