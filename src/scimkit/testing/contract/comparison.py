"""One of two stores that are compared: what it shows, with numbers in the place of ids, versions and instants.

This module compares nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from scimkit.patch.changes import EffectiveChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Page, Query, Scope, SyncStore, Written
from scimkit.testing.contract.capabilities import StoreCapabilities

Born: TypeAlias = tuple[Scope, ResourceType]
"""The tenant and the type that a resource was created in."""


class ComparedStore:
    """One of the two stores, and what it calls the resources that both have by number."""

    def __init__(self, store: SyncStore, subject: StoreCapabilities) -> None:
        self.store = store
        self.ids: list[str] = []
        self.born: list[Born] = []
        self.fresh: list[tuple[str, Born]] = []
        self._subject = subject
        self._seen: dict[str, Any] = {}

    def adopt(self) -> None:
        """Number what was created; what was undone has a number too, of something that is not there."""
        self.ids += [id for id, _ in self.fresh]
        self.born += [born for _, born in self.fresh]
        self.fresh = []

    def number(self, id: str) -> int:
        """The number of a resource; -1 for one that was created right now."""
        return self.ids.index(id) if id in self.ids else -1

    def shown(self, resource_type: ResourceType, document: Mapping[str, Any]) -> dict[str, Any]:
        """A document as it can be compared: numbers for ids."""
        shown = self._subject.kept(resource_type, document)
        for name in (MEMBERS, GROUPS):
            if name in document and resource_type.attributes[name].keyed:
                entries = ((self.number(each["value"]), each.get("type")) for each in document[name])
                shown[name] = sorted(entries, key=repr)
        return {**shown, "id": self.number(document["id"])}

    def page(self, query: Query, page: Page) -> Any:
        """A page as it can be compared."""
        return page.total, [self.shown(query.resource_type, each) for each in page.documents]

    def written(self, resource_type: ResourceType, written: Written) -> Any:
        """What is said of a write, as it can be compared."""
        skipped = sorted(self.number(each) for each in written.skipped_members)
        made = self.effective(resource_type, written.changes)
        return self.number(written.document["id"]), written.changed, skipped, made

    def effective(self, resource_type: ResourceType, changes: EffectiveChanges | None) -> Any:
        """Return the effective changes of a write as they can be compared: numbers for ids."""
        if changes is None:
            return None
        documents = [
            self._subject.kept(resource_type, each) if each else {} for each in (changes.before, changes.after)
        ]
        joined, left = (sorted(map(self.number, each)) for each in (changes.added_members, changes.removed_members))
        groups = sorted((kind, self.number(id)) for kind, id in changes.left_groups)
        return documents, joined, left, groups

    def version(self, number: int) -> str:
        """The version that a resource was last seen with."""
        return str(self._seen.get(self.ids[number], {}).get("version"))

    def changed(self, documents: Iterator[Mapping[str, Any]]) -> set[int]:
        """The resources whose version is not the one last seen; what else `meta` says goes with that."""
        changed = set()
        for each in documents:
            before, meta = self._seen.get(each["id"]), each[META]
            self._seen[each["id"]] = meta
            if before is None or before["version"] != meta["version"]:
                changed.add(self.number(each["id"]))
                assert before is None or before["created"] == meta["created"]
            else:
                assert before == meta
        return changed
