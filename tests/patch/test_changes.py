"""Examples of change sets: the differences of two documents, and the effect of applying them."""

from __future__ import annotations

from typing import Any

import pytest

from scimkit import GROUP
from scimkit.patch.changes import (
    ChangeSet,
    ReferenceChanges,
    apply_changes,
    changes_between,
)

A, B, C = {"value": "a"}, {"value": "b"}, {"value": "c"}
A_NAMED = {"value": "a", "display": "Ada"}


@pytest.mark.parametrize(
    ("changes", "truth"),
    [
        (ChangeSet(), False),
        (ChangeSet(assigned={"displayName": "x"}), True),
        (ChangeSet(unassigned=frozenset({"displayName"})), True),
        (ChangeSet(references={"members": ReferenceChanges(cleared=True)}), True),
        (ReferenceChanges(), False),
        (ReferenceChanges(added=(A,)), True),
        (ReferenceChanges(removed=frozenset({"a"})), True),
        (ReferenceChanges(cleared=True), True),
    ],
)
def test_truth(changes: ChangeSet | ReferenceChanges, truth: bool) -> None:
    """A change set is true if it changes something."""
    assert bool(changes) is truth


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({}, {}, ChangeSet()),
        ({"displayName": "x"}, {"displayName": "x"}, ChangeSet()),
        ({"displayName": "x"}, {"displayName": "y"}, ChangeSet({"displayName": "y"})),
        ({}, {"displayName": "y"}, ChangeSet({"displayName": "y"})),
        ({"displayName": "x"}, {}, ChangeSet(unassigned=frozenset({"displayName"}))),
        ({"a": 1, "b": 2}, {"b": 3, "c": 4}, ChangeSet({"b": 3, "c": 4}, frozenset({"a"}))),
        ({"members": [A, B]}, {"members": [B, A]}, ChangeSet()),
        ({}, {"members": [A]}, ChangeSet(references={"members": ReferenceChanges((A,))})),
        ({"members": [A]}, {}, ChangeSet(references={"members": ReferenceChanges(cleared=True)})),
        (
            {"members": [A, B]},
            {"members": [B, C]},
            ChangeSet(references={"members": ReferenceChanges((C,), frozenset({"a"}))}),
        ),
        (
            {"members": [A, B]},
            {"members": [A_NAMED, B]},
            ChangeSet(references={"members": ReferenceChanges((A_NAMED,), frozenset({"a"}))}),
        ),
    ],
)
def test_changes_between(old: dict[str, Any], new: dict[str, Any], changes: ChangeSet) -> None:
    """A change set lists assigned attributes, unassigned attributes, and references added and removed by `value`."""
    assert changes_between(GROUP, old, new) == changes
    assert changes_between(GROUP, old, new, {*old, *new}) == changes


def test_changes_between_named_attributes() -> None:
    """With `names`, only the named attributes are compared."""
    old, new = {"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2}
    assert changes_between(GROUP, old, new, ["a", "d"]) == ChangeSet({"a": 2})
    assert changes_between(GROUP, old, new, []) == ChangeSet()


def test_cleared_then_added() -> None:
    """`cleared` removes all references before others are added, so that the added form replaces the old form."""
    changes = ChangeSet(references={"members": ReferenceChanges((A_NAMED,), cleared=True)})
    assert apply_changes({"members": [A, B]}, changes) == {"members": [A_NAMED]}


def test_equal_references_are_the_same() -> None:
    """Equal references count as unchanged, even if they are different objects."""
    assert changes_between(GROUP, {"members": [A, B]}, {"members": [dict(A), C]}) == ChangeSet(
        references={"members": ReferenceChanges((C,), frozenset({"b"}))}
    )


@pytest.mark.parametrize(
    ("had", "changes", "left"),
    [
        ([A, B], ReferenceChanges(cleared=True), None),
        ([A], ReferenceChanges(removed=frozenset({"a", "c"})), None),
        ([A, B], ReferenceChanges(removed=frozenset({"a"})), [B]),
        ([A], ReferenceChanges((B, A_NAMED)), [A, B]),
        ([A, B], ReferenceChanges((A_NAMED,), frozenset({"a"})), [B, A_NAMED]),
        (None, ReferenceChanges((A,)), [A]),
        (None, ReferenceChanges(removed=frozenset({"a"})), None),
        (None, ReferenceChanges((A,), cleared=True), [A]),
    ],
)
def test_applied_references(had: Any, changes: ReferenceChanges, left: Any) -> None:
    """References are removed before others are added. An existing reference stays unchanged.

    Without references the attribute is absent.
    """
    group = {"displayName": "x", **({"members": had} if had else {})}
    expected = {"displayName": "x", **({"members": left} if left else {})}
    assert apply_changes(group, ChangeSet(references={"members": changes})) == expected


def test_applied_attributes() -> None:
    """Assigned attributes get the new value, and unassigned attributes are removed.

    The given document does not change.
    """
    group = {"displayName": "x", "externalId": "e", "members": [A]}
    changed = apply_changes(group, ChangeSet({"displayName": "y"}, frozenset({"externalId"})))
    assert changed == {"displayName": "y", "members": [A]}
    assert changed["members"] is group["members"]
    assert group == {"displayName": "x", "externalId": "e", "members": [A]}


def test_absent_attribute_may_be_unassigned() -> None:
    """Unassigning an absent attribute has no effect, because another request may have removed it first."""
    assert apply_changes({"displayName": "x"}, ChangeSet(unassigned=frozenset({"externalId"}))) == {"displayName": "x"}
