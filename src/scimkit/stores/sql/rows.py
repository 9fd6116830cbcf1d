"""The rows of one tenant and resource type within one transaction.

Every statement names the tenant. This module never begins or ends a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from pydantic_core import from_json

from scimkit.documents import Document, write_json
from scimkit.errors import NotFound
from scimkit.patch.changes import ReferenceChanges
from scimkit.provisioning import LogEntry
from scimkit.provisioning.serialization import entry_to_row
from scimkit.schema.date_times import parse_instant
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.database_errors import batches
from scimkit.stores.index_lookup import keys_at
from scimkit.stores.metadata import has_members, identified, is_computed, member_entry, meta_of, now, version_tag
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Members, RequestedAttributes, Scope
from scimkit.stores.sql import statements
from scimkit.stores.sql.database import NeedsTransaction
from scimkit.stores.sql.hot_statements import HotStatement, Row, takes_single_statements
from scimkit.stores.sql.index_entries import digest, encoded, index_entries, slot
from scimkit.stores.sql.postgresql_statements import FIND_WITH_GROUPS, FIND_WITH_GROUPS_LOCKED, FIND_WITH_KNOWN, KNOWN
from scimkit.stores.sql.row_writers import (
    IndexChanges,
    LogRow,
    MemberChanges,
    UniqueValues,
    array_of,
    displayed,
    writer,
)
from scimkit.stores.sql.tables import MEMBERSHIPS
from scimkit.stores.unparsed_documents import Unparsed, UnparsedDocuments, group_entry

_Entry: TypeAlias = Callable[[str, str, str | None], dict[str, str]]
FIND: Final = {
    (False, False): HotStatement(statements.FIND), (False, True): HotStatement(statements.FIND_LOCKED),
    (True, False): FIND_WITH_GROUPS, (True, True): FIND_WITH_GROUPS_LOCKED,
}  # fmt: skip
"""The statement that finds a resource, by whether it selects the groups too, and by whether it locks the row."""
_MOST_WITH_GROUP: Final = 100
"""Largest number of members that are looked up together with their group, whose columns each row repeats."""


@dataclass(slots=True)  # not frozen, because a page makes many
class StoredResource:
    """A resource as stored in its row."""

    sequence: int
    id: str
    version: int
    created: str
    modified: str
    document: Document
    groups: Sequence[Any] | None = None
    """The id and the display name of each group, as bytes. None if the groups were not read with the resource."""
    locked_by: sa.Transaction | None = None
    """The transaction that locked the row before it read the resource, if one did."""

    @classmethod
    def of(cls, row: Any) -> StoredResource:
        """Return the resource of a row."""
        return cls(
            row.sequence, row.id, row.version, row.created, row.modified, from_json(row.document, cache_strings="none")
        )

    @classmethod
    def of_hot(cls, row: Row, *, with_groups: bool) -> StoredResource:
        """Return the resource of a row of a `HotStatement`. The groups are the last column, if the row has them."""
        number, id, version, created, modified, document = row[:6]
        groups = (row[6] or ()) if with_groups else None
        texts = (bytes(id).decode(), version, bytes(created).decode(), bytes(modified).decode())
        return cls(number, *texts, from_json(document, cache_strings="none"), groups)

    @property
    def tag(self) -> str:
        """The entity tag of the resource."""
        return version_tag(self.version)


def own_parameters(scope: Scope, resource_type: ResourceType) -> dict[str, str]:
    """Return the parameters that select the tenant and the resource type in a statement."""
    return {"tenant": scope.tenant, "kind": resource_type.name}


def found(rows: Sequence[Row], resource_type: ResourceType, *, with_groups: bool) -> StoredResource:
    """Return the resource of the only row of a statement of `FIND`.

    Raises:
        NotFound: There is no row.
    """
    if not rows:
        raise missing(resource_type)
    return StoredResource.of_hot(rows[0], with_groups=with_groups)


def missing(resource_type: ResourceType) -> NotFound:
    """Return the error for an id that no resource has."""
    return NotFound(f"This {resource_type.name} does not exist.")


def hot_documents(rows: Iterable[Row], resource_type: ResourceType, *, with_groups: bool) -> UnparsedDocuments:
    """Return the documents of the rows of a `HotStatement`, without parsing them.

    This function makes no resources between, because a page has many rows.
    """
    unparsed = [_unparsed(row, with_groups=with_groups) for row in rows]
    return UnparsedDocuments(unparsed, partial(_parsed, resource_type))


def _unparsed(row: Row, *, with_groups: bool) -> Unparsed:
    """Return the document of a row of a `HotStatement` as text. The groups are the last column, if the row has them."""
    _, id, version, created, modified, text = row[:6]
    groups = (row[6] or ()) if with_groups else ()
    return Unparsed(bytes(id).decode(), version, bytes(created), bytes(modified), bytes(text), groups)


def _parsed(resource_type: ResourceType, it: Unparsed) -> dict[str, Any]:
    """Return the document of a text."""
    document = from_json(it.text, cache_strings="none")
    return _completed(document, resource_type, it.created.decode(), it.modified.decode(), it.version, it.groups)


def documents_of(kept: Iterable[StoredResource], resource_type: ResourceType) -> list[dict[str, Any]]:
    """Return the documents of resources with `meta`, and with the groups that were read with the resources."""
    return [
        _completed({**each.document}, resource_type, each.created, each.modified, each.version, each.groups)
        for each in kept
    ]


def _completed(
    document: dict[str, Any], resource_type: ResourceType, created: str, modified: str, version: int,
    groups: Sequence[Any] | None,
) -> dict[str, Any]:  # fmt: skip
    """Add `meta` and the groups to a new document, and return it."""
    document[META] = meta_of(resource_type, created=created, modified=modified, version=version)
    if groups:
        document[GROUPS] = [group_entry(id, name) for id, name in groups]
    return document


def _known_of(rows: Iterable[Row]) -> dict[str, tuple[int, bool]]:
    """Return the resources of rows of `KNOWN`, as `Rows.known` does."""
    return {bytes(id).decode(): (number, member is not None) for number, id, member in rows}


class Rows:
    """The rows of one tenant and resource type."""

    def __init__(self, connection: sa.Connection, scope: Scope, resource_type: ResourceType) -> None:
        self.connection = connection
        self._tenant = scope.tenant
        self._check = scope.token_check
        self.resource_type = resource_type
        self.has_members: bool = has_members(resource_type)
        self._has_groups = is_computed(resource_type, GROUPS)
        self.own: dict[str, str] = own_parameters(scope, resource_type)
        """The parameters that select the tenant and the resource type in a statement."""
        self._known: dict[str, tuple[int, bool]] | None = None

    def find(self, id: str, *, lock: bool = False) -> StoredResource:
        """Return the resource with an id.

        Args:
            id: The id of the resource.
            lock: True to prevent other transactions from changing the resource before this transaction ends.

        Raises:
            NotFound: The tenant has no resource of the type with this id.
        """
        joined = self._has_groups and self.connection.dialect.name == "postgresql"
        rows = FIND[joined, lock].rows(self.connection, {**self.own, "id": id}, self._check)
        kept = found(rows, self.resource_type, with_groups=joined)
        if lock:
            kept.locked_by = self.connection.get_transaction()
        return kept

    def find_to_change(self, id: str, members: Collection[str]) -> StoredResource:
        """Return the resource with an id, outside a transaction.

        Args:
            id: The id of the resource.
            members: The members that the change names. If they are few, a later call of `known` for them reads nothing.

        Raises:
            NotFound: The tenant has no resource of the type with this id.
        """
        single = takes_single_statements(self.connection.dialect) and not self._has_groups
        if not single or not 0 < len(members) <= _MOST_WITH_GROUP:
            return self.find(id)
        wanted = {**self.own, "id": id, "ids": array_of([each.encode() for each in members])}
        rows = FIND_WITH_KNOWN.rows(self.connection, wanted, self._check)
        group = found(rows, self.resource_type, with_groups=False)
        self._known = _known_of(row[6:9] for row in rows if row[6] is not None)
        return group

    def new(self, id: str, document: Document) -> StoredResource:
        """Return a new resource, for `insert`. It has no sequence number yet."""
        instant = now()
        return StoredResource(0, id, 1, instant, instant, identified(self.resource_type, id, document))

    def insert(self, kept: StoredResource, entry: LogEntry | None = None) -> StoredResource:
        """Insert a new resource with its index entries and its unique values, and an entry of the provisioning log.

        Returns:
            The resource with its sequence number.

        Raises:
            Uniqueness: Another resource has the same value of a unique attribute.
        """
        document = kept.document
        values = {
            "tenant": self._tenant, "type": self.resource_type.name, "id": kept.id, "version": 1,
            "created": kept.created, "created_key": _instant(kept.created), **modified_columns(kept.modified),
            **_displayed(document), "document": write_json(document),
        }  # fmt: skip
        claims = self._unique_values(document)
        number = writer(self.connection).insert(
            values,
            list(index_entries(self._tenant, self.resource_type, document)),
            claims,
            _log_row(entry),
            self._check,
        )
        return replace(kept, sequence=number)

    def next_version(self, old: StoredResource, document: Document | None) -> StoredResource:
        """Return the next version of a resource, for `update`.

        Args:
            old: The resource before the change.
            document: The new document; None if only the members changed.
        """
        kept = old.document if document is None else identified(self.resource_type, old.id, document)
        # lastModified never goes back
        return replace(old, version=old.version + 1, modified=max(now(), old.modified), document=kept)

    def update(
        self,
        old: StoredResource,
        kept: StoredResource,
        entry: LogEntry | None,
        members: MemberChanges,
    ) -> None:
        """Store the next version of a resource, the changes of its members, and an entry of the provisioning log.

        Raises:
            NeedsTransaction: The resource has another version, because its row was not locked. A single statement
                cannot write all changes.
            Uniqueness: Another resource has the same value of a unique attribute.
        """
        changed: dict[str, Any] = {"version": kept.version, **modified_columns(kept.modified)}
        changes = IndexChanges.none()
        if kept.document is not old.document:
            changed |= {"document": write_json(kept.document), **_displayed(kept.document)}
            changes = self._index_changes(old.document, kept.document)
        row = _log_row(entry)
        was = {**self.own, "number": old.sequence, "old_version": old.version, "id": old.id}
        locked = old.locked_by is not None and old.locked_by is self.connection.get_transaction()
        if not writer(self.connection).update(was, changed, changes, row, members, locked=locked):
            raise NeedsTransaction

    def log(self, entry: LogEntry | None) -> None:
        """Insert an entry of the provisioning log, if there is one."""
        if entry is not None:
            writer(self.connection).log(entry_to_row(entry))

    def delete(self, kept: StoredResource) -> list[int]:
        """Delete a resource and its memberships, and increment the version of its groups.

        Returns:
            The sequence numbers of the groups that had the resource as a member.
        """
        groups = sa.select(MEMBERSHIPS.c.group).where(MEMBERSHIPS.c.member == kept.sequence)
        touched = list(self.connection.scalars(groups))
        for some in batches(sorted(touched)):
            changed = {**modified_columns(now()), "tenant_": self._tenant, "numbers": some}
            self.connection.execute(statements.TOUCH, changed)
        self.connection.execute(statements.DELETE, {**self.own, "number": kept.sequence})
        return touched

    def names(self, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Return the resource type and the id of each resource, by sequence number."""
        found: dict[int, tuple[str, str]] = {}
        for some in batches(numbers):
            parameters = {"tenant": self._tenant, "numbers": some}
            for number, kind, id in self.connection.execute(statements.NAMES, parameters):
                found[number] = (kind, id)
        return found

    def known(self, group: int, ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
        """Return which of some resources exist, by id.

        Args:
            group: The sequence number of a group.
            ids: The ids of the resources.

        Returns:
            For each id, the sequence number of the resource, and whether the resource is a member of the group.
        """
        if self._known is not None:
            return self._known
        found: dict[str, tuple[int, bool]] = {}
        if takes_single_statements(self.connection.dialect):
            for some in batches(ids):
                wanted = {"tenant": self._tenant, "number": group, "ids": array_of([each.encode() for each in some])}
                found |= _known_of(KNOWN.rows(self.connection, wanted))
            return found
        for some in batches(ids):
            wanted = {"tenant": self._tenant, "number": group, "ids": some}
            for number, id, member in self.connection.execute(statements.KNOWN, wanted):
                found[id] = number, member is not None
        return found

    def member_changes(
        self, group: int, changes: ReferenceChanges, known: Mapping[str, tuple[int, bool]]
    ) -> MemberChanges:
        """Return the rows of members that a change removes and adds. Nothing is written.

        Args:
            group: The sequence number of the group.
            changes: The requested changes.
            known: The resources that exist, as `known` returns them.
        """
        added = {known[each["value"]][0]: each.get("display") for each in changes.added if each["value"] in known}
        there = {number for number, is_member in known.values() if is_member and number in added}
        if changes.cleared:
            gone = self._replaced_members(group, added)
        else:
            gone = [known[id][0] for id in sorted(changes.removed) if id in known and known[id][1]]
        stay = there.difference(gone)
        ids = {number: id for id, (number, _) in known.items()}
        return MemberChanges(gone, {each: text for each, text in added.items() if each not in stay}, ids)

    def _replaced_members(self, group: int, kept: Mapping[int, Any]) -> list[int]:
        """Return the members of a group that a replacement removes or whose display changes."""
        query = sa.select(MEMBERSHIPS.c.member, MEMBERSHIPS.c.display).where(MEMBERSHIPS.c.group == group)
        return [
            row.member for row in self.connection.execute(query)
            if row.member not in kept or _text(row.display) != kept[row.member]
        ]  # fmt: skip

    def assemble(self, kept: Sequence[StoredResource], requested: RequestedAttributes) -> Sequence[Document]:
        """Return the documents of resources with `meta`, and with members or groups if they are requested."""
        documents = documents_of(kept, self.resource_type)
        if self.has_members and requested(MEMBERS):
            self._add_entries(kept, documents, MEMBERS, statements.MEMBERS_OF, member_entry)
        if self._has_groups and requested(GROUPS):
            self._add_groups(kept, documents)
        return documents

    def _add_groups(self, kept: Sequence[StoredResource], documents: list[dict[str, Any]]) -> None:
        """Add the groups to the documents, if they were not read with the resources."""
        if any(each.groups is None for each in kept):
            self._add_entries(kept, documents, GROUPS, statements.GROUPS_OF, _group_entry)

    def members(self, id: str, after: int, count: int) -> Members:
        """Return one page of the members of a group, in the order in which the members were created."""
        found = self.connection.execute(statements.MEMBER_PAGE, {**self.own, "id": id, "after": after, "count": count})
        rows = found.all()
        entries = [member_entry(id, kind, _text(text)) for _, id, kind, text in rows]
        return Members(entries, rows[-1][0] if len(rows) == count else None)

    def _add_entries(
        self, kept: Sequence[StoredResource], documents: list[Any], name: str, query: Any, entry: _Entry
    ) -> None:
        """Add the members or the groups to the documents."""
        owners = {each.sequence: document for each, document in zip(kept, documents, strict=True)}
        for some in batches(owners):
            found: Iterable[Any] = self.connection.execute(query, {"tenant": self._tenant, "numbers": some})
            for number, id, kind, text in found:
                owners[number].setdefault(name, []).append(entry(id, kind, _text(text)))

    def _index_changes(self, old: Document, new: Document) -> IndexChanges:
        """Return the changes of index entries and unique values between two versions, which share unchanged parts."""
        names = {name for name, value in new.items() if old.get(name) is not value}
        names.update(name for name in old if name not in new)
        before, after = (set(index_entries(self._tenant, self.resource_type, each, names)) for each in (old, new))
        claims: list[UniqueValues] = [{}, {}]
        if not names.isdisjoint(_names_of_unique_values(self.resource_type)):
            claims = [self._unique_values(old), self._unique_values(new)]
        return IndexChanges.between(before, after, *claims)

    def _unique_values(self, document: Document) -> UniqueValues:
        """Return the values of unique attributes of a document, with the path of each value."""
        claims = {}
        for text in self.resource_type.unique:
            path = self.resource_type.resolve(text)
            assert path is not None
            number = slot(self._tenant, self.resource_type.name, text)
            claims.update({(number, digest(key)): text for key in keys_at(path)(document)})
        return claims


@lru_cache(maxsize=256)
def _names_of_unique_values(resource_type: ResourceType) -> frozenset[str]:
    """Return the top-level attributes that have unique values. An extension counts as one, named by its URN."""
    paths = [resource_type.resolve(each) for each in resource_type.unique]
    return frozenset(each.names[0] for each in paths if each is not None)


def _group_entry(id: str, _: str, display: str | None) -> dict[str, str]:
    """Return the element of a user's `groups`."""
    return member_entry(id, "direct", display)


def _log_row(entry: LogEntry | None) -> LogRow:
    """Return the columns of an entry of the provisioning log."""
    return None if entry is None else entry_to_row(entry)


def _instant(text: str) -> bytes:
    """Return the comparison key of a dateTime."""
    return encoded(parse_instant(text))


def modified_columns(instant: str) -> dict[str, Any]:
    """Return the columns for the time of the last change."""
    return {"modified": instant, "modified_key": _instant(instant)}


def _displayed(document: Document) -> dict[str, bytes | None]:
    """Return the columns for the displayName of a document."""
    return displayed(document.get("displayName"))


def _text(raw: Any) -> str | None:
    """Decode a text from UTF-8."""
    return None if raw is None else bytes(raw).decode()
