"""A slow and simple store, used as a reference for the other stores.

The store copies every document, has no index and scans all resources for each search. Filters are evaluated by
`scimkit.testing.reference`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from scimkit.documents import Document
from scimkit.errors import InvalidValue, NotFound
from scimkit.patch.changes import ChangeSet, EffectiveChanges, apply_changes, apply_reference_changes
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.index_lookup import check_unique
from scimkit.stores.metadata import (
    check_version,
    has_members,
    identified,
    is_computed,
    member_entry,
    membership,
    meta_of,
    new_id,
    now,
    replacement,
    version_tag,
)
from scimkit.stores.paging import by_index, by_position
from scimkit.stores.protocol import (
    GROUPS,
    MEMBERS,
    META,
    Capability,
    Page,
    Query,
    RequestedAttributes,
    Result,
    Scope,
    SyncStore,
    UnknownMembers,
    Written,
    all_attributes,
)
from scimkit.stores.sorting import sort_key
from scimkit.testing import reference


@dataclass(frozen=True)
class _Resource:
    """The state of a resource. A write replaces the object with another one."""

    resource_type: ResourceType
    number: int
    created: str
    modified: str
    version: int = 1
    document: Mapping[str, Any] = field(default_factory=dict)
    members: Sequence[Mapping[str, Any]] = ()


class ModelStore:
    """A simple `SyncStore` that serves as the reference for other stores. It is not thread-safe."""

    is_async: Literal[False] = False
    blocking = False
    unsupported: Collection[Capability] = frozenset[Capability]({"member_pages"})

    def __init__(self, *, unknown_members: UnknownMembers = "skip") -> None:
        self._tenants: dict[str, dict[str, _Resource]] = {}
        self._created = 0
        self._unknown_members = unknown_members

    def get(
        self, scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes = all_attributes
    ) -> Document:
        return self._assemble(scope, id, self._find(scope, resource_type, id))

    def search(self, scope: Scope, query: Query) -> Page:
        kind, wanted, sort = query.resource_type, query.filter, query.sort
        if wanted is not None:
            wanted.compile(kind)
        found = [
            (each, self._assemble(scope, id, each))
            for id, each in self._tenant(scope).items()
            if each.resource_type.name == kind.name
        ]
        if wanted is not None:
            found = [pair for pair in found if reference.matches(kind, pair[1], wanted.node)]
        positions: list[tuple[Any, ...]] = [(each.number,) for each, _ in found]
        if sort is not None:
            key_of = sort_key(sort)
            found.sort(key=lambda pair: key_of(pair[1]), reverse=sort.descending)
            positions = [(*key_of(document), each.number) for each, document in found]
        part = by_index(query.start_index, query.count)
        if query.after is not None or query.before is not None:
            part = by_position(len(found), positions.__getitem__, sort, query.after, query.before, query.count)
        return Page([document for _, document in found[part]], len(found), positions[part])

    def create(self, scope: Scope, resource_type: ResourceType, document: Document) -> Written:
        id, instant = new_id(), now()
        self._created += 1
        resource = _Resource(resource_type, self._created, instant, instant)
        written = self._write(scope, id, resource, replacement(resource_type, {}, document))
        return Written(
            self.get(scope, resource_type, id), skipped_members=written.skipped_members, changes=written.changes
        )

    def replace(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        document: Document,
        expected_version: str | None = None,
    ) -> Written:
        old = self._find(scope, resource_type, id)
        return self.change(
            scope, resource_type, id, replacement(resource_type, old.document, document), expected_version
        )

    def change(
        self,
        scope: Scope,
        resource_type: ResourceType,
        id: str,
        changes: ChangeSet,
        expected_version: str | None = None,
    ) -> Written:
        old = self._find(scope, resource_type, id)
        check_version(expected_version, version_tag(old.version))
        return self._write(scope, id, old, changes)

    def delete(
        self, scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None = None
    ) -> EffectiveChanges | None:
        old = self._find(scope, resource_type, id)
        check_version(expected_version, version_tag(old.version))
        del self._tenant(scope)[id]
        groups: list[tuple[str, str]] = []
        for other, each in self._tenant(scope).items():
            left = [member for member in each.members if member["value"] != id]
            if len(left) != len(each.members):
                groups.append((each.resource_type.name, other))
                self._tenant(scope)[other] = replace(each, members=left, version=each.version + 1, modified=now())
        return EffectiveChanges(old.document, {}, left_groups=tuple(groups)) if scope.report_changes else None

    def transaction(self, scope: Scope, work: Callable[[SyncStore], Result]) -> Result:
        before = {name: dict(tenant) for name, tenant in self._tenants.items()}
        try:
            return work(self)
        except BaseException:
            self._tenants = before
            raise

    def _tenant(self, scope: Scope) -> dict[str, _Resource]:
        return self._tenants.setdefault(scope.tenant, {})

    def _find(self, scope: Scope, resource_type: ResourceType, id: str) -> _Resource:
        found = self._tenant(scope).get(id)
        if found is None or found.resource_type.name != resource_type.name:
            raise NotFound(f"This {resource_type.name} does not exist.")
        return found

    def _assemble(self, scope: Scope, id: str, resource: _Resource) -> dict[str, Any]:
        """Return a copy of the document with the computed attributes: `members`, `groups` and `meta`."""
        kind, document = resource.resource_type, deepcopy(dict(resource.document))
        if resource.members:
            document[MEMBERS] = [
                member_entry(each["value"], self._tenant(scope)[each["value"]].resource_type.name, each.get("display"))
                for each in resource.members
            ]
        groups = [each for each in self._tenant(scope).values() if any(one["value"] == id for one in each.members)]
        if groups and is_computed(kind, GROUPS):
            document[GROUPS] = [membership(each.document) for each in groups]
        document[META] = meta_of(kind, created=resource.created, modified=resource.modified, version=resource.version)
        return document

    def _write(self, scope: Scope, id: str, old: _Resource, changes: ChangeSet) -> Written:
        """Store the first or the next state of a resource.

        Raises:
            Uniqueness: Another resource has the value of a unique attribute.
            InvalidValue: A member does not exist, and the store rejects unknown members.
        """
        kind = old.resource_type
        references = dict(changes.references)
        joined = references.pop(MEMBERS, None) if has_members(kind) else None
        made = apply_changes(old.document, ChangeSet(changes.assigned, changes.unassigned, references))
        document = deepcopy(identified(kind, id, made))
        others = [each for other, each in self._tenant(scope).items() if other != id]
        check_unique(kind, document, [each.document for each in others if each.resource_type.name == kind.name])
        members: Sequence[Mapping[str, Any]] = old.members
        unknown: tuple[str, ...] = ()
        if joined is not None:
            members = apply_reference_changes(() if joined.cleared else members, deepcopy(joined))
            unknown = tuple(
                dict.fromkeys(each["value"] for each in joined.added if each["value"] not in self._tenant(scope))
            )
            members = [each for each in members if each["value"] not in unknown]
        if unknown and self._unknown_members == "reject":
            raise InvalidValue("A member does not exist.")
        changed = document != old.document or _by_id(members) != _by_id(old.members)
        if id not in self._tenant(scope):
            self._tenant(scope)[id] = replace(old, document=document, members=members)
        elif changed:
            self._tenant(scope)[id] = replace(
                old, document=document, members=members, version=old.version + 1, modified=now()
            )
        effective = None
        if scope.report_changes and changed:
            before, after = ([each["value"] for each in some] for some in (old.members, members))
            effective = EffectiveChanges(
                old.document,
                document,
                tuple(each for each in after if each not in before),
                tuple(each for each in before if each not in after),
            )
        return Written(self._assemble(scope, id, self._tenant(scope)[id]), changed, unknown, changes=effective)


def _by_id(members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {each["value"]: each.get("display") for each in members}
