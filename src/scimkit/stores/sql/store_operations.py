"""The methods of the store protocol as functions of a connection, shared by `SqlStore` and `AsyncSqlStore`.

Changes of members insert and delete rows without reading the rest of the group. This module never begins or ends a
transaction.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from scimkit.documents import Document
from scimkit.errors import InvalidValue
from scimkit.patch.changes import ChangeSet, EffectiveChanges, apply_changes
from scimkit.provisioning import LogEntry
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.metadata import MISSING_MEMBER, check_version, has_members, is_computed, new_id, replacement
from scimkit.stores.protocol import (
    GROUPS,
    MEMBERS,
    Members,
    Page,
    Query,
    RequestedAttributes,
    Scope,
    UnknownMembers,
    Written,
    all_attributes,
)
from scimkit.stores.references import refers
from scimkit.stores.sql import reference_rows
from scimkit.stores.sql.database import NeedsTransaction, Work
from scimkit.stores.sql.direct_reads import HotRead
from scimkit.stores.sql.hot_statements import outside_transaction, takes_single_statements
from scimkit.stores.sql.pages import page
from scimkit.stores.sql.row_writers import MOST_AT_ONCE, MemberChanges, write_members
from scimkit.stores.sql.rows import (
    FIND,
    Rows,
    StoredResource,
    documents_of,
    found,
    own_parameters,
)


def get(scope: Scope, resource_type: ResourceType, id: str, requested: RequestedAttributes) -> Work[Document]:
    """Return the work of `SyncStore.get`."""

    def run(connection: sa.Connection) -> Document:
        rows = Rows(connection, scope, resource_type)
        return rows.assemble([rows.find(id)], requested)[0]

    if has_members(resource_type) and requested(MEMBERS):
        return run
    has_groups = is_computed(resource_type, GROUPS)

    def noted(kept: StoredResource) -> Document:
        if scope.reads is not None:
            scope.reads[scope.tenant, resource_type.name, id] = kept
        return documents_of([kept], resource_type)[0]

    def locked(connection: sa.Connection) -> Document:
        return noted(Rows(connection, scope, resource_type).find(id, lock=True))

    return HotRead(
        FIND[has_groups, False],
        {**own_parameters(scope, resource_type), "id": id},
        lambda rows: noted(found(rows, resource_type, with_groups=has_groups)),
        run,
        None if scope.reads is None else locked,
    )


def members(scope: Scope, resource_type: ResourceType, id: str, after: int, count: int) -> Work[Members]:
    """Return the work of `SyncMemberPages.members`."""
    return lambda connection: Rows(connection, scope, resource_type).members(id, after, count)


def search(scope: Scope, query: Query) -> Work[Page]:
    """Return the work of `SyncStore.search`.

    Raises:
        InvalidFilter: The filter cannot be compared with the resource type.
    """
    return page(scope, query)


def create(
    scope: Scope, resource_type: ResourceType, document: Document, unknown_members: UnknownMembers
) -> Work[Written]:
    """Return the work of `SyncStore.create`."""
    has_no_members = writes_once(resource_type, document)
    has_references = refers(resource_type, document)

    def run(connection: sa.Connection) -> Written:
        rows = Rows(connection, scope, resource_type)
        found = (
            reference_rows.checked(connection, scope.tenant, resource_type, document) if has_references else document
        )
        kept = rows.new(new_id(), found)
        if has_no_members:
            written = Written(
                rows.assemble([kept], _neither)[0],
                changes=EffectiveChanges({}, kept.document) if scope.report_changes else None,
            )
            rows.insert(kept, _entry(scope, written))
            return written
        kept = rows.insert(kept)
        changes = replacement(resource_type, {}, document)
        joined, skipped = _member_changes(rows, kept, changes, unknown_members)
        write_members(connection, kept.sequence, joined)
        requested: RequestedAttributes = (lambda name: name != GROUPS) if joined else _neither
        made = _effective(rows, {}, kept.document, joined) if scope.report_changes else None
        written = Written(rows.assemble([kept], requested)[0], skipped_members=skipped, changes=made)
        rows.log(_entry(scope, written))
        return written

    return run


def writes_once(resource_type: ResourceType, written: Collection[str]) -> bool:
    """Report whether a new resource takes one statement on PostgreSQL, because it has no members and no references.

    Args:
        resource_type: The resource type.
        written: The top-level attributes of the document.
    """
    if refers(resource_type, written):
        return False
    return not (written and has_members(resource_type) and MEMBERS in written)


def changes_once(resource_type: ResourceType, changes: ChangeSet) -> bool:
    """Report whether a change set takes one statement on PostgreSQL."""
    if resource_type.references and refers(resource_type, changes.assigned):
        return False
    if refers(resource_type, changes.references):
        return False
    return not any(each.cleared or len(each.added) > MOST_AT_ONCE for each in changes.references.values())


def replaces_once(resource_type: ResourceType) -> bool:
    """Report whether the replacement of a document takes one statement on PostgreSQL."""
    return not (resource_type.references or has_members(resource_type))


def replace(
    scope: Scope,
    resource_type: ResourceType,
    id: str,
    document: Document,
    expected_version: str | None,
    unknown_members: UnknownMembers,
) -> Work[Written]:
    """Return the work of `SyncStore.replace`."""

    def run(connection: sa.Connection) -> Written:
        rows = Rows(connection, scope, resource_type)
        old = rows.find(id, lock=not outside_transaction(connection))
        changes = replacement(resource_type, old.document, document)
        return _written(scope, rows, old, changes, expected_version, unknown_members, all_attributes)

    return run


def change(
    scope: Scope,
    resource_type: ResourceType,
    id: str,
    changes: ChangeSet,
    expected_version: str | None,
    unknown_members: UnknownMembers,
) -> Work[Written]:
    """Return the work of `SyncStore.change`."""
    members = _named_members(resource_type, changes)
    requested: RequestedAttributes = MEMBERS.__ne__

    def run(connection: sa.Connection) -> Written:
        rows = Rows(connection, scope, resource_type)
        known = _read_before(scope, rows, id, expected_version)
        if known is not None:
            try:
                return _written(scope, rows, known, changes, None, unknown_members, requested)
            except NeedsTransaction:  # the resource has another version now
                if outside_transaction(connection):
                    raise
        # A lock may wait for another change. The members are then read after it.
        old = rows.find_to_change(id, members) if outside_transaction(connection) else rows.find(id, lock=True)
        return _written(scope, rows, old, changes, expected_version, unknown_members, requested)

    return run


def delete(
    scope: Scope, resource_type: ResourceType, id: str, expected_version: str | None
) -> Work[EffectiveChanges | None]:
    """Return the work of `SyncStore.delete`."""

    def run(connection: sa.Connection) -> EffectiveChanges | None:
        rows = Rows(connection, scope, resource_type)
        old = rows.find(id, lock=True)
        check_version(expected_version, old.tag)
        lost = reference_rows.forget(connection, scope.tenant, id, old.sequence)
        groups = rows.delete(old)
        if not scope.report_changes:
            return None
        names = rows.names(groups)
        left = tuple(names[each] for each in groups if each in names)
        return EffectiveChanges(old.document, {}, left_groups=left, lost_references=tuple(lost))

    return run


def _written(
    scope: Scope,
    rows: Rows,
    old: StoredResource,
    changes: ChangeSet,
    expected_version: str | None,
    unknown_members: UnknownMembers,
    requested: RequestedAttributes,
) -> Written:
    """Apply changes to a resource whose row is locked.

    Raises:
        PreconditionFailed: The resource does not have the expected version.
        Uniqueness: Another resource has the same value of a unique attribute.
        InvalidValue: A member does not exist, and the store rejects unknown members.
    """
    check_version(expected_version, old.tag)
    references = {name: each for name, each in changes.references.items() if name != MEMBERS or not rows.has_members}
    document = apply_changes(old.document, ChangeSet(changes.assigned, changes.unassigned, references))
    touched = (*changes.assigned, *changes.unassigned, *references)
    if refers(rows.resource_type, touched):
        document = reference_rows.checked(rows.connection, scope.tenant, rows.resource_type, document)
    changed = any(document.get(name) != old.document.get(name) for name in touched)
    members_changed, skipped = _member_changes(rows, old, changes, unknown_members)
    pending = members_changed
    if members_changed and requested(MEMBERS):
        write_members(rows.connection, old.sequence, members_changed)
        pending = MemberChanges()
    kept = rows.next_version(old, document if changed else None) if changed or members_changed else old
    made = None
    if scope.report_changes and kept is not old:
        made = _effective(rows, old.document, kept.document, members_changed)
    written = Written(rows.assemble([kept], requested)[0], kept is not old, skipped, changes=made)
    entry = _entry(scope, written)
    if kept is old:
        rows.log(entry)
    else:
        rows.update(old, kept, entry, pending)
    return written


def _read_before(scope: Scope, rows: Rows, id: str, version: str | None) -> StoredResource | None:
    """Return a resource that was read for the same request, if it had a version then. It is returned once.

    The statement that updates the resource must check the version, which only PostgreSQL does.
    """
    if scope.reads is None or not takes_single_statements(rows.connection.dialect):
        return None
    known = scope.reads.pop((scope.tenant, rows.resource_type.name, id), None)
    return known if isinstance(known, StoredResource) and known.tag == version else None


def _entry(scope: Scope, written: Written) -> LogEntry | None:
    """Return the entry of the provisioning log that a write adds, or None without a log."""
    if scope.log_entry is None:
        return None
    written.is_logged = True
    return scope.log_entry(written)


def _neither(name: str) -> bool:
    """Request neither groups nor members. A new resource belongs to no group yet."""
    return name not in (GROUPS, MEMBERS)


def _effective(rows: Rows, before: Document, after: Document, members: MemberChanges) -> EffectiveChanges:
    """Return the effective changes of a write, with the ids of the members that were added and removed."""
    joined, left, ids = members.joined, members.left, members.ids
    others = [each for each in left if each not in ids]  # of members that all go, the request names none
    if others:
        ids = {**ids, **{number: id for number, (_, id) in rows.names(others).items()}}
    return EffectiveChanges(before, after, tuple(ids[each] for each in joined), tuple(ids[each] for each in left))


def _named_members(resource_type: ResourceType, changes: ChangeSet) -> Collection[str]:
    """Return the ids of the members that a change set adds or removes, each once."""
    members = changes.references.get(MEMBERS) if has_members(resource_type) else None
    if members is None:
        return ()
    added = dict.fromkeys(each["value"] for each in members.added)
    return added if members.cleared else {**added, **dict.fromkeys(members.removed)}


def _member_changes(
    rows: Rows, group: StoredResource, changes: ChangeSet, unknown_members: UnknownMembers
) -> tuple[MemberChanges, tuple[str, ...]]:
    """Return the changes of members, and the ids of members that do not exist. Nothing is written."""
    members = changes.references.get(MEMBERS) if rows.has_members else None
    if members is None:
        return MemberChanges(), ()
    known = rows.known(group.sequence, _named_members(rows.resource_type, changes))
    unknown = tuple(id for id in dict.fromkeys(each["value"] for each in members.added) if id not in known)
    if unknown and unknown_members == "reject":
        raise InvalidValue(MISSING_MEMBER)
    return rows.member_changes(group.sequence, members, known), unknown
