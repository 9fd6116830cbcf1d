"""The rows of one tenant and resource type, within one transaction.

Every statement carries the tenant. This module opens and ends no transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.exc import IntegrityError

from scimkit.documents import Document, write_json
from scimkit.errors import NotFound, Uniqueness
from scimkit.patch.changes import ReferenceChanges
from scimkit.schema.attributes import folded
from scimkit.schema.date_times import parse_instant
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.database_errors import batches
from scimkit.stores.index_lookup import keys_at
from scimkit.stores.metadata import has_members, identified, is_computed, member_entry, meta_of, now, version_tag
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Members, RequestedAttributes, Scope
from scimkit.stores.sql import statements
from scimkit.stores.sql.index_entries import IndexEntry, digest, encoded, index_entries, slot
from scimkit.stores.sql.tables import CLAIMS, MEMBERSHIPS, RESOURCES, VALUES

_Entry: TypeAlias = Callable[[str, str, str | None], dict[str, str]]
_ADD: Final = {table.name: sa.insert(table) for table in (RESOURCES, VALUES, CLAIMS, MEMBERSHIPS)}


@dataclass(frozen=True, slots=True)
class StoredResource:
    """A resource as its row has it."""

    sequence: int
    id: str
    version: int
    created: str
    modified: str
    document: Document

    @classmethod
    def of(cls, row: Any) -> StoredResource:
        return cls(row.sequence, row.id, row.version, row.created, row.modified, from_json(row.document))

    @property
    def tag(self) -> str:
        """Its entity tag."""
        return version_tag(self.version)


class Rows:
    """The rows of one tenant and resource type."""

    def __init__(self, connection: sa.Connection, scope: Scope, resource_type: ResourceType) -> None:
        self._connection = connection
        self._tenant = scope.tenant
        self._type = resource_type
        self.has_members: bool = has_members(resource_type)
        self._has_groups = is_computed(resource_type, GROUPS)
        self.own: dict[str, str] = {"tenant": scope.tenant, "kind": resource_type.name}
        """The parameters that bind a statement to them."""

    def find(self, id: str, *, lock: bool = False) -> StoredResource:
        """The resource of an id; with `lock`, no other transaction changes it before this one ends.

        Raises: NotFound.
        """
        query = statements.FIND_LOCKED if lock else statements.FIND
        row = self._connection.execute(query, {**self.own, "id": id}).first()
        if row is None:
            raise NotFound(f"This {self._type.name} does not exist.")
        return StoredResource.of(row)

    def insert(self, id: str, document: Document) -> StoredResource:
        """Keep a new resource, its values and its claims. Raises: Uniqueness."""
        instant = now()
        kept = identified(self._type, id, document)
        values = {
            "tenant": self._tenant, "type": self._type.name, "id": id, "version": 1, "created": instant,
            "created_key": _instant(instant), **_stamps(instant), **_displayed(kept), "document": write_json(kept),
        }  # fmt: skip
        inserted = self._connection.execute(_ADD[RESOURCES.name], values).inserted_primary_key
        assert inserted is not None
        sequence = inserted[0]
        self._claim(sequence, self._claims(kept))
        self._add_cells(sequence, set(index_entries(self._tenant, self._type, kept)))
        return StoredResource(sequence, id, 1, instant, instant, kept)

    def update(self, old: StoredResource, document: Document | None) -> StoredResource:
        """Put a resource into its next state; without a document only its version and instant change."""
        instant, version = max(now(), old.modified), old.version + 1  # whatever the clock does
        changed: dict[str, Any] = {"version": version, **_stamps(instant)}
        kept = old.document
        if document is not None:
            kept = identified(self._type, old.id, document)
            changed |= {"document": write_json(kept), **_displayed(kept)}
            self._swap_claims(old, kept)
            self._swap_cells(old, kept)
        self._connection.execute(statements.UPDATE, {**changed, "number": old.sequence})
        return StoredResource(old.sequence, old.id, version, old.created, instant, kept)

    def delete(self, kept: StoredResource) -> None:
        """Remove a resource; what refers to it goes with it, and the groups it was in have a next version."""
        groups = sa.select(MEMBERSHIPS.c.group).where(MEMBERSHIPS.c.member == kept.sequence)
        touched = list(self._connection.scalars(groups))
        for some in batches(sorted(touched)):
            changed = {**_stamps(now()), "tenant_": self._tenant, "numbers": some}
            self._connection.execute(statements.TOUCH, changed)
        self._connection.execute(statements.DELETE, {**self.own, "number": kept.sequence})

    def known_members(
        self, group: int, members: Sequence[Mapping[str, Any]]
    ) -> tuple[dict[int, Any], frozenset[int], tuple[str, ...]]:
        """What is said of the members that exist, by the numbers of their rows; which of them the group has; the
        ids of the others.
        """
        wanted = {each["value"]: each.get("display") for each in members} if self.has_members else {}
        known: dict[int, Any] = {}
        there: set[int] = set()
        found: set[str] = set()
        for some in batches(wanted):
            numbers: dict[str, int] = {}
            for number, id, member in self._connection.execute(statements.KNOWN, self._named(group, ids=some)):
                numbers[id] = number
                if member is not None:
                    there.add(number)
            known.update((numbers[id], wanted[id]) for id in some if id in numbers)
            found.update(numbers)
        return known, frozenset(there), tuple(id for id in wanted if id not in found)

    def _named(self, number: int, **more: Any) -> dict[str, Any]:
        return {"tenant": self._tenant, "number": number, **more}

    def change_members(
        self, group: int, changes: ReferenceChanges, added: Mapping[int, Any], there: frozenset[int]
    ) -> bool:
        """Remove and add rows of members, of whom some are `there`; whether any row changed."""
        gone = self._changed(group, added) if changes.cleared else self._of_ids(group, changes.removed)
        for some in batches(gone):
            self._connection.execute(statements.DROP_MEMBERS, self._named(group, members=some))
        stay = there.difference(gone)
        fresh = [{"group": group, "member": each, **_display(added[each])} for each in added if each not in stay]
        for some in batches(fresh):
            self._add_rows(MEMBERSHIPS, some)
        return bool(gone or fresh)

    def _changed(self, group: int, kept: Mapping[int, Any]) -> list[int]:
        """The members that are not to stay as they are."""
        query = sa.select(MEMBERSHIPS.c.member, MEMBERSHIPS.c.display).where(MEMBERSHIPS.c.group == group)
        return [
            row.member for row in self._connection.execute(query)
            if row.member not in kept or _text(row.display) != kept[row.member]
        ]  # fmt: skip

    def _of_ids(self, group: int, ids: Iterable[str]) -> list[int]:
        """The members that the group has of those ids."""
        found: list[int] = []
        for some in batches(sorted(ids)):
            known = self._connection.execute(statements.KNOWN, self._named(group, ids=some))
            found += (row.member for row in known if row.member is not None)
        return found

    def assemble(self, kept: Sequence[StoredResource], requested: RequestedAttributes) -> Sequence[Document]:
        """The documents with their `meta`, and their members or groups, where they are wanted."""
        documents: list[dict[str, Any]] = [
            {**each.document, META: meta_of(
                self._type, created=each.created, modified=each.modified, version=each.version
            )}
            for each in kept
        ]  # fmt: skip
        if self.has_members and requested(MEMBERS):
            self._join(kept, documents, MEMBERS, statements.MEMBERS_OF, member_entry)
        if self._has_groups and requested(GROUPS):
            self._join(kept, documents, GROUPS, statements.GROUPS_OF, _group_entry)
        return documents

    def members(self, id: str, after: int, count: int) -> Members:
        """Some members of the group of an id, in the order of their own creation."""
        found = self._connection.execute(statements.MEMBER_PAGE, {**self.own, "id": id, "after": after, "count": count})
        rows = found.all()
        entries = [member_entry(id, kind, _text(text)) for _, id, kind, text in rows]
        return Members(entries, rows[-1][0] if len(rows) == count else None)

    def _join(self, kept: Sequence[StoredResource], documents: list[Any], name: str, query: Any, entry: _Entry) -> None:
        """Give each document what stands at the other end of its memberships."""
        owners = {each.sequence: document for each, document in zip(kept, documents, strict=True)}
        for some in batches(owners):
            found: Iterable[Any] = self._connection.execute(query, {"tenant": self._tenant, "numbers": some})
            for number, id, kind, text in found:
                owners[number].setdefault(name, []).append(entry(id, kind, _text(text)))

    def _claims(self, document: Document) -> dict[tuple[int, bytes], str]:
        """The values that no other resource may have, each with the path it is at."""
        claims = {}
        for text in self._type.unique:
            path = self._type.resolve(text)
            assert path is not None
            number = slot(self._tenant, self._type.name, text)
            claims.update({(number, digest(key)): text for key in keys_at(path)(document)})
        return claims

    def _claim(self, sequence: int, claims: Mapping[tuple[int, bytes], str]) -> None:
        for (number, value), path in claims.items():
            try:
                self._connection.execute(_ADD[CLAIMS.name], {"slot": number, "digest": value, "resource": sequence})
            except IntegrityError:
                raise Uniqueness(path) from None

    def _swap_claims(self, old: StoredResource, document: Document) -> None:
        before, after = self._claims(old.document), self._claims(document)
        for number, value in before.keys() - after.keys():
            self._connection.execute(statements.DROP_CLAIM, {"the_slot": number, "the_digest": value})
        self._claim(old.sequence, {each: after[each] for each in after.keys() - before.keys()})

    def _swap_cells(self, old: StoredResource, document: Document) -> None:
        before = set(index_entries(self._tenant, self._type, old.document))
        after = set(index_entries(self._tenant, self._type, document))
        for each in before - after:
            place = {"the_slot": each.slot, "the_element": each.element, "the_place": each.place}
            self._connection.execute(statements.DROP_VALUE, {"number": old.sequence, **place})
        self._add_cells(old.sequence, after - before)

    def _add_cells(self, sequence: int, added: set[IndexEntry]) -> None:
        self._add_rows(VALUES, [
            {
                "resource": sequence, "slot": each.slot, "element": each.element, "place": each.place,
                "head": each.head, "whole": each.whole, "chosen": each.chosen,
            }
            for each in added
        ])  # fmt: skip

    def _add_rows(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(_ADD[table.name], rows)


def _group_entry(id: str, _: str, display: str | None) -> dict[str, str]:
    return member_entry(id, "direct", display)


def _instant(text: str) -> bytes:
    return encoded(parse_instant(text))


def _stamps(instant: str) -> dict[str, Any]:
    return {"modified": instant, "modified_key": _instant(instant)}


def _displayed(document: Document) -> dict[str, bytes | None]:
    return _display(document.get("displayName"))


def _display(text: Any) -> dict[str, bytes | None]:
    """A name to display as it is kept: its bytes, and those it compares by."""
    if type(text) is not str:
        return {"display": None, "display_key": None}
    return {"display": text.encode(), "display_key": folded(text).encode()}


def _text(raw: Any) -> str | None:
    return None if raw is None else bytes(raw).decode()
