"""Change sets: the effect of a PATCH on a resource, for stores that need not read the complete resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from scimkit.documents import Document
from scimkit.schema.resource_types import ResourceType

_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class ReferenceChanges:
    """The changes of a multi-valued attribute whose elements are references, such as `members`.

    A store applies the changes in this order:

    1. If `cleared` is true, remove all elements.
    2. Remove the elements whose `value` is in `removed`.
    3. Add each element in `added`, unless an element with the same `value` exists.
    """

    added: tuple[Mapping[str, Any], ...] = ()
    removed: frozenset[str] = frozenset()
    cleared: bool = False

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.cleared)


@dataclass(slots=True)
class ChangeSet:
    """The changes of one PATCH by top-level attribute. An extension counts as one attribute, named by its URN.

    A change set is false if nothing changes.

    Attributes:
        assigned: The new value of each attribute that was assigned.
        unassigned: The names of the attributes that were removed.
        references: The changes of each multi-valued attribute of references, such as `members`.
    """

    assigned: Mapping[str, Any] = field(default_factory=dict)
    unassigned: frozenset[str] = frozenset()
    references: Mapping[str, ReferenceChanges] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.assigned or self.unassigned or self.references)


@dataclass(slots=True)
class EffectiveChanges:
    """The changes that a write really made, as the store saw them in its transaction.

    The documents have no `meta`, no members and no computed groups. `before` is empty for a created resource, and
    `after` is empty for a deleted resource.
    """

    before: Document
    after: Document
    added_members: tuple[str, ...] = ()
    """The ids of the members that the group did not have before."""
    removed_members: tuple[str, ...] = ()
    """The ids of the members that the group does not have any more."""
    left_groups: tuple[tuple[str, str], ...] = ()
    """The resource type and id of each group that a deleted resource was a member of."""
    lost_references: tuple[tuple[str, Document, Document], ...] = ()
    """The resources that referred to a deleted resource: type, document before and document after the deletion."""


def changes_between(
    resource_type: ResourceType, old: Document, new: Document, names: Iterable[str] | None = None
) -> ChangeSet:
    """Return the changes that turn the document `old` into the document `new`.

    Args:
        resource_type: The resource type of both documents.
        old: The document before the change.
        new: The document after the change.
        names: The top-level attributes to compare. The default is all attributes of both documents.
    """
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
    """Return a copy of a document with changes applied. The copy shares the unchanged parts."""
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
    """Return the elements after the changes. Existing elements keep their order, and added elements come last."""
    kept = {value["value"]: value for value in values if value["value"] not in changes.removed}
    for value in changes.added:
        kept.setdefault(value["value"], value)
    return list(kept.values())


def _reference_changes(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> ReferenceChanges:
    """Return the changes between two lists of references.

    A reference with another changed sub-attribute is both removed and added.
    """
    old = {value["value"]: value for value in before}
    new = {value["value"]: value for value in after}
    added = tuple(value for key, value in new.items() if old.get(key) != value)
    return ReferenceChanges(added, frozenset(key for key, value in old.items() if new.get(key) != value))
