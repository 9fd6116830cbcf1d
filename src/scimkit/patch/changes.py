"""Change sets: what a PATCH does to a resource, for stores that need not see the whole of it.

This module never applies anything; it only says what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from scimkit.documents import Document
from scimkit.schema.resource_types import ResourceType

_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class ReferenceChanges:
    """Values added to and removed from an attribute whose values are references, such as `members`.

    Applied in this order: all values go when `cleared`, then those in `removed` (by their `value`),
    then those in `added` come unless they are there.
    """

    added: tuple[Mapping[str, Any], ...] = ()
    removed: frozenset[str] = frozenset()
    cleared: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.cleared)


@dataclass(slots=True)
class ChangeSet:
    """The changes of one PATCH, by top-level attribute (an extension counts as one, under its URN).

    `assigned` has the new value of each attribute that got one, `unassigned` names those that lost
    theirs, `references` has the changes of `members` and its like. False when nothing changes.
    """

    assigned: Mapping[str, Any] = field(default_factory=dict)
    unassigned: frozenset[str] = frozenset()
    references: Mapping[str, ReferenceChanges] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.assigned or self.unassigned or self.references)


@dataclass(slots=True)
class EffectiveChanges:
    """The changes that a write really made, as the store saw them in its transaction.

    The documents have no `meta`, no members and no computed groups. `before` is empty for a created resource, `after` is
    empty for a deleted resource.
    """

    before: Document
    after: Document
    added_members: tuple[str, ...] = ()
    """The ids of the members that the group did not have before."""
    removed_members: tuple[str, ...] = ()
    """The ids of the members that the group does not have any more."""
    left_groups: tuple[tuple[str, str], ...] = ()
    """The resource type and id of each group that a deleted resource was a member of."""


def changes_between(
    resource_type: ResourceType, old: Document, new: Document, names: Iterable[str] | None = None
) -> ChangeSet:
    """What has to be changed in `old` to have `new`; with `names`, only they can differ."""
    assigned: dict[str, Any] = {}
    unassigned: set[str] = set()
    references: dict[str, ReferenceChanges] = {}
    for name in {*old, *new} if names is None else names:
        before, value = old.get(name), new.get(name)
        if before is value or before == value:
            continue
        attribute = resource_type.attributes.find(name)
        if attribute is not None and attribute.keyed:
            references[name] = (
                ReferenceChanges(cleared=True) if value is None else _reference_changes(before or (), value)
            )
        elif value is None:
            unassigned.add(name)
        else:
            assigned[name] = value
    if not unassigned and not references:
        return ChangeSet(assigned)
    return ChangeSet(assigned, frozenset(unassigned), {name: each for name, each in references.items() if each})


def apply_changes(document: Document, changes: ChangeSet) -> dict[str, Any]:
    """The document with the changes made; branches that stay are shared with it."""
    changed = {**document, **changes.assigned}
    for name in changes.unassigned:
        if name not in changes.assigned:
            changed.pop(name, None)
    for name, each in changes.references.items():
        values = apply_reference_changes(() if each.cleared else document.get(name, ()), each)
        if values:
            changed[name] = values
        else:
            changed.pop(name, None)
    return changed


def apply_reference_changes(values: Sequence[Mapping[str, Any]], changes: ReferenceChanges) -> list[Mapping[str, Any]]:
    """The values after the changes, in their order, added ones last."""
    kept = {value["value"]: value for value in values if value["value"] not in changes.removed}
    for value in changes.added:
        kept.setdefault(value["value"], value)
    return list(kept.values())


def _reference_changes(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> ReferenceChanges:
    """A value of which something else changed goes and comes again."""
    old = {value["value"]: value for value in before}
    new = {value["value"]: value for value in after}
    added = tuple(value for key, value in new.items() if old.get(key) != value)
    return ReferenceChanges(added, frozenset(key for key, value in old.items() if new.get(key) != value))
