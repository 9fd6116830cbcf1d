"""A view of a store for comparison with another store. It replaces ids by numbers and hides versions and times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from scimkit.patch.changes import EffectiveChanges
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Page, Query, Scope, SyncStore, Written
from scimkit.testing.contract.capabilities import StoreCapabilities

Born: TypeAlias = tuple[Scope, ResourceType]
"""The tenant and the resource type in which a resource was created."""


class ComparedStore:
    """A store that is compared with another store. Resources that both stores have get the same number."""

    def __init__(self, store: SyncStore, subject: StoreCapabilities) -> None:
        self.store = store
        self.ids: list[str] = []
        self.born: list[Born] = []
        self.fresh: list[tuple[str, Born]] = []
        self._subject = subject
        self._seen: dict[str, Any] = {}

    def adopt(self) -> None:
        """Give a number to each new resource. A resource whose creation was rolled back gets a number too."""
        fresh = [id for id, _ in self.fresh]
        # A database may give the id of a rolled-back resource to another resource.
        self.ids = [f"reused-{number}" if id in fresh else id for number, id in enumerate(self.ids)]
        self.ids += fresh
        self.born += [born for _, born in self.fresh]
        self.fresh = []

    def number(self, id: str) -> int:
        """Return the number of a resource, or -1 if the resource has no number yet."""
        if any(id == each for each, _ in self.fresh):
            return -1
        return self.ids.index(id) if id in self.ids else -1

    def shown(self, resource_type: ResourceType, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a document in comparable form, with numbers in place of ids."""
        shown = self._subject.kept(resource_type, document)
        for name in (MEMBERS, GROUPS):
            if name in document and resource_type.attributes[name].keyed:
                entries = ((self.number(each["value"]), each.get("type")) for each in document[name])
                shown[name] = sorted(entries, key=repr)
        return {**shown, "id": self.number(document["id"])}

    def page(self, query: Query, page: Page) -> Any:
        """Return a page in comparable form."""
        return page.total, [self.shown(query.resource_type, each) for each in page.documents]

    def written(self, resource_type: ResourceType, written: Written) -> Any:
        """Return the result of a write in comparable form."""
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
        """Return the version that the last comparison saw for a resource."""
        return str(self._seen.get(self.ids[number], {}).get("version"))

    def changed(self, documents: Iterator[Mapping[str, Any]]) -> set[int]:
        """Return the numbers of the resources whose version changed, and check that `meta` changed accordingly."""
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
