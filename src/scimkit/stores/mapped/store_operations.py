"""The methods of the store protocol on rows of the application's models, independent of the database library.

Changes of members add and remove links without reading the rest of the group. This module never begins or ends a
transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scimkit.documents import Document, write_json
from scimkit.errors import InvalidValue
from scimkit.filters.ast import count_comparisons
from scimkit.patch.changes import ChangeSet, EffectiveChanges, ReferenceChanges, apply_changes
from scimkit.schema.attributes import Attribute
from scimkit.stores.database_errors import MOST_CACHED
from scimkit.stores.mapped.assembly import assembled, dropped, filled, written
from scimkit.stores.mapped.attribute_mappings import mapping_of
from scimkit.stores.mapped.fields import later, moment_in
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.memberships import Plan
from scimkit.stores.mapped.queries import Queries
from scimkit.stores.mapped.rows import Order, Rows, Window, check_unique
from scimkit.stores.metadata import (
    MISSING_MEMBER,
    check_version,
    has_members,
    member_entry,
    replacement,
    version_tag,
)
from scimkit.stores.protocol import (
    GROUPS,
    MEMBERS,
    META,
    Page,
    Query,
    RequestedAttributes,
    UnknownMembers,
    Written,
    all_attributes,
)


@dataclass(slots=True)
class _MemberChanges:
    """The changes of the members of a group: whether any link changed, and the ids of added and removed members."""

    changed: bool = False
    joined: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class Work:
    """The methods of the store protocol on the rows of one resource type and tenant, within one transaction."""

    def __init__(self, plan: Plan, rows: Rows, unknown_members: UnknownMembers, *, report_changes: bool) -> None:
        self._plan = plan
        self._report_changes = report_changes
        self._rows = rows
        self._layout: Layout = rows.layout
        self._type = self._layout.resource_type
        self._queries = Queries(plan, self._layout)
        self._unknown_members = unknown_members
        self._has_members = has_members(self._type)

    def get(self, id: str, requested: RequestedAttributes) -> Document:
        """Return one resource, as `SyncStore.get` does."""
        return self._assemble([self._rows.find(id)], requested)[0]

    def search(self, query: Query) -> Page:
        """Return one page of resources, as `SyncStore.search` does."""
        condition: Any = True
        if query.filter is not None:
            query.filter.compile(query.resource_type)
            condition = self._queries.condition(query.filter.node, self._rows.conditions)
        order = None
        if query.sort is not None:
            field, folds = self._queries.order(query.sort)
            order = Order(field, query.sort.descending, folds)
        is_cached = query.filter is None or count_comparisons(query.filter.node) <= MOST_CACHED
        window = Window(order, query.start_index, query.count, query.after, query.before, is_cached)
        if condition is False:
            return Page([], 0)
        total, instances, positions = self._rows.matching(condition, window)
        return Page(self._assemble(instances, query.requested), total, positions)

    def create(self, document: Document) -> Written:
        """Store a new resource, as `SyncStore.create` does."""
        taken = dict(self._taken(document, document))
        instance = self._rows.new()
        written(self._layout, instance, document, document)
        filled(self._layout, instance)
        now = datetime.now(UTC)
        for stamp in (self._layout.created, self._layout.modified):
            if stamp is not None:
                setattr(instance, stamp.name, moment_in(stamp, now))
        if self._layout.version is not None:
            setattr(instance, self._layout.version.name, 1)
        self._rows.insert(instance, taken)
        members, skipped = self._change_members(instance, replacement(self._type, {}, document).references)
        left_out = dropped(self._layout, document, document)
        made = self._effective({}, instance, members)
        return Written(
            self._assemble([instance], all_attributes)[0], skipped_members=skipped, dropped=left_out, changes=made
        )

    def replace(self, id: str, document: Document, expected_version: str | None) -> Written:
        """Replace the whole document of a resource, as `SyncStore.replace` does."""
        instance = self._rows.find(id, lock=True)
        changes = replacement(self._type, assembled(self._layout, instance), document)
        return self._changed(instance, changes, expected_version, all_attributes)

    def change(self, id: str, changes: ChangeSet, expected_version: str | None) -> Written:
        """Apply a change set to a resource, as `SyncStore.change` does."""
        instance = self._rows.find(id, lock=True)
        return self._changed(instance, changes, expected_version, lambda name: name != MEMBERS)

    def delete(self, id: str, expected_version: str | None) -> EffectiveChanges | None:
        """Delete a resource, as `SyncStore.delete` does."""
        instance = self._rows.find(id, lock=True)
        if expected_version is not None:
            check_version(expected_version, self._version(instance, assembled(self._layout, instance)))
        before = self._bare(instance) if self._report_changes else {}
        left: list[tuple[str, str]] = []
        for end in self._plan.groups_of(self._layout):
            groups = self._rows.linked(end, instance)
            if groups:
                if self._report_changes:
                    ids = self._rows.ids(end.other, groups).values()
                    left += [(end.other.resource_type.name, each) for each in ids if each != id]
                self._rows.unlink(end, instance)
                self._rows.touch(end.other, groups)
        for end in self._plan.members_of(self._layout):
            self._rows.unlink(end, instance)
        self._rows.delete(instance)
        return EffectiveChanges(before, {}, left_groups=tuple(left)) if self._report_changes else None

    def _changed(
        self, instance: Any, changes: ChangeSet, expected_version: str | None, requested: RequestedAttributes
    ) -> Written:
        """Apply changes to a row that is locked.

        Raises:
            PreconditionFailed: The row does not have the expected version.
            Uniqueness: Another row has the same value of a unique attribute.
            InvalidValue: The database or the application refused a value, or a member does not exist.
        """
        old = assembled(self._layout, instance)
        before = self._bare(instance) if self._report_changes else {}
        if expected_version is not None:
            check_version(expected_version, self._version(instance, old))
        references = {
            name: each for name, each in changes.references.items() if name != MEMBERS or not self._has_members
        }
        document = apply_changes(old, ChangeSet(changes.assigned, changes.unassigned, references))
        touched = {*changes.assigned, *changes.unassigned, *references}
        given = {name: document[name] for name in touched if name in document}
        check_unique(self._rows, dict(self._taken(given, document)), instance)
        changed = written(self._layout, instance, document, touched)
        members, skipped = self._change_members(instance, changes.references)
        changed = changed or members.changed
        if changed:
            self._stamp(instance)
            self._rows.save(instance)
        left_out = dropped(self._layout, document, touched)
        made = self._effective(before, instance, members) if changed else None
        return Written(self._assemble([instance], requested)[0], changed, skipped, left_out, made)

    def _bare(self, instance: Any) -> Document:
        """Return the document of a row with its id, without `meta`, members and groups."""
        document = assembled(self._layout, instance)
        return {"schemas": document["schemas"], "id": self._id(instance), **document}

    def _effective(self, before: Document, instance: Any, members: _MemberChanges) -> EffectiveChanges | None:
        """Return the effective changes of a write, or None if `Scope.report_changes` is False."""
        if not self._report_changes:
            return None
        return EffectiveChanges(before, self._bare(instance), tuple(members.joined), tuple(members.left))

    def _stamp(self, instance: Any) -> None:
        """Increment the version and set the time of the last change of a row."""
        version, modified = self._layout.version, self._layout.modified
        if version is not None:
            setattr(instance, version.name, (getattr(instance, version.name) or 0) + 1)
        if modified is not None:
            moment = moment_in(modified, datetime.now(UTC))
            setattr(instance, modified.name, later(getattr(instance, modified.name), moment))

    def _taken(self, given: Document, document: Document) -> Iterator[tuple[str, Any]]:
        """Yield the path of each given unique attribute with the condition for a row that has the same value."""
        for path in self._type.unique:
            leaf = self._layout.leaves[path]
            value: Any = document
            for name in leaf.names:
                value = None if value is None else value.get(name)
            if leaf.names[0] in given and value is not None:
                condition = self._queries.equal(path, value, self._rows.conditions)
                if condition is not False:
                    yield path, condition

    def _change_members(self, group: Any, references: Any) -> tuple[_MemberChanges, tuple[str, ...]]:
        """Add and remove links to members. Return the changes and the ids of members that do not exist."""
        changes: ReferenceChanges | None = references.get(MEMBERS) if self._has_members else None
        made = _MemberChanges()
        if changes is None:
            return made, ()
        unknown = dict.fromkeys(each["value"] for each in changes.added)
        for end in self._plan.members_of(self._layout):
            known = self._rows.known(end, unknown, lock=True)
            unknown = {id: None for id in unknown if id not in known}
            added = dict.fromkeys(known.values())
            gone: Collection[Any] | None = self._rows.known(end, changes.removed).values()
            if changes.cleared:
                gone = self._rows.linked(end, group) - added.keys() if added else None
            present: set[Any] = set()
            if self._report_changes:
                present = self._rows.linked(end, group, gone)
                made.left += self._rows.ids(end.other, present - added.keys()).values()
            if gone is None or gone:
                made.changed = self._rows.unlink(end, group, gone) or made.changed
            fresh = added.keys() - self._rows.linked(end, group, added) if added else ()
            if fresh:
                self._rows.link(end, group, [each for each in added if each in fresh])
                made.changed = True
                made.joined += [id for id, key in known.items() if key in fresh and key not in present]
        if unknown and self._unknown_members == "reject":
            raise InvalidValue(MISSING_MEMBER)
        return made, tuple(unknown)

    def _assemble(self, instances: Sequence[Any], requested: RequestedAttributes) -> list[Document]:
        """Return the documents with `id` and `meta`, and with members or groups if they are requested."""
        bare = [assembled(self._layout, each) for each in instances]
        documents: list[dict[str, Any]] = [
            {"schemas": document["schemas"], "id": self._id(each), **document, META: self._meta(each, document)}
            for each, document in zip(instances, bare, strict=True)
        ]
        name = MEMBERS if self._has_members else GROUPS
        if requested(name) and (self._has_members or self._plan.shows_groups(self._layout)):
            for instance, document in zip(self._entries(instances), documents, strict=True):
                if instance:
                    document[name] = instance
        return list(documents)

    def _entries(self, instances: Sequence[Any]) -> Iterable[list[dict[str, Any]]]:
        """Return the elements of `members`, or of `groups`, for each instance."""
        ends = self._plan.members_of if self._has_members else self._plan.groups_of
        keys = [self._rows.key(each) for each in instances]
        entries: list[list[dict[str, Any]]] = [[] for _ in keys]
        for end in ends(self._layout):
            far = self._rows.far(end, keys)
            for key, found in zip(keys, entries, strict=True):
                found += [member_entry(each.id, end.kind, each.display) for each in far.get(key, ())]
        return entries

    def _id(self, instance: Any) -> str:
        """Return the id of an instance."""
        return self._layout.id.of(getattr(instance, self._layout.id.field.name))

    def _meta(self, instance: Any, document: Document) -> dict[str, Any]:
        """Return the `meta` of an instance."""
        meta = {"resourceType": self._type.name}
        for name, stamp in (("created", self._layout.created), ("lastModified", self._layout.modified)):
            value = None if stamp is None else mapping_of(stamp).read(instance, _MOMENT)
            if value is not None:
                meta[name] = value
        meta["version"] = self._version(instance, document)
        return meta

    def _version(self, instance: Any, document: Document) -> str:
        """Return the entity tag of a row.

        Without a version column, the tag is a hash of the document and the members.
        """
        if self._layout.version is not None:
            return version_tag(getattr(instance, self._layout.version.name) or 0)
        ends = self._plan.members_of(self._layout)
        members = [sorted(map(str, self._rows.linked(end, instance))) for end in ends]
        state = write_json([document, members])
        return f'W/"{hashlib.blake2b(state, digest_size=12).hexdigest()}"'


_MOMENT = Attribute("created", "dateTime")
