"""Conversion of PATCH operations to a change set without reading the resource (RFC 7644 section 3.5.2).

This module never looks at a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scimkit.patch.changes import ChangeSet, ReferenceChanges
from scimkit.patch.operations import Operation
from scimkit.patch.paths import references_selected
from scimkit.schema.deviations import UNASSIGNED


def direct_changes(operations: Sequence[Operation]) -> ChangeSet | None:
    """Return the change set of operations that do not depend on the current values of the resource.

    An operation is independent if it sets or removes a singular attribute that is not complex. It is independent too
    if it adds, removes or replaces references by their `value`, such as the members of a group.
    Return None if any operation depends on the current values.
    """
    assigned: dict[str, Any] = {}
    unassigned: set[str] = set()
    references: dict[str, _References] = {}
    for operation in operations:
        path, attribute = operation.path, operation.path.attribute
        if path.extension is not None or path.sub_attribute is not None or attribute.mutability != "readWrite":
            return None
        if attribute.required and operation.value in (UNASSIGNED, ""):
            return None
        if attribute.keyed:
            if not references.setdefault(attribute.name, _References()).take(operation):
                return None
        elif attribute.multi_valued or attribute.type == "complex":
            return None
        elif operation.value is not UNASSIGNED:
            unassigned.discard(attribute.name)
            assigned[attribute.name] = operation.value
        elif operation.op != "add":
            assigned.pop(attribute.name, None)
            unassigned.add(attribute.name)
    if not references:
        return ChangeSet(assigned, frozenset(unassigned))
    changes = {name: each.changes() for name, each in references.items()}
    return ChangeSet(assigned, frozenset(unassigned), {name: each for name, each in changes.items() if each})


class _References:
    """The net effect of operations on one multi-valued attribute of references."""

    def __init__(self) -> None:
        self._added: dict[str, dict[str, Any]] = {}
        self._removed: set[str] = set()
        self._cleared = False

    def take(self, operation: Operation) -> bool:
        """Record an operation. Return False if the operation depends on the current values."""
        value = operation.value
        if operation.path.filter is not None:
            selected = references_selected(operation.path) if operation.op == "remove" else None
            if selected is None:
                return False
            self._remove(selected)
        elif operation.op == "remove" and value is not UNASSIGNED:
            self._remove({each["value"] for each in value})
        elif operation.op == "remove" or operation.op == "replace":
            self._added, self._removed, self._cleared = {}, set(), True
        if operation.op != "remove" and value is not UNASSIGNED:
            for each in value:
                self._added.setdefault(each["value"], each)
        return True

    def _remove(self, values: set[Any] | frozenset[str]) -> None:
        for value in values:
            self._added.pop(value, None)
        self._removed.update(values)

    def changes(self) -> ReferenceChanges:
        removed = frozenset() if self._cleared else frozenset(self._removed)
        return ReferenceChanges(tuple(self._added.values()), removed, self._cleared)
