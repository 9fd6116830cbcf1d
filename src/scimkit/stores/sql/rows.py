"""The rows of one tenant and resource type, within one transaction.

Every statement carries the tenant. This module opens and ends no transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.exc import IntegrityError

from scimkit.documents import Document, write_json
from scimkit.errors import NotFound, Uniqueness
from scimkit.patch.changes import ReferenceChanges
from scimkit.schema.attributes import folded
from scimkit.schema.instants import parse_instant
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.databases import batches
from scimkit.stores.probes import keys_at
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Scope, Wants
from scimkit.stores.sql.keys import Cell, cells, digest, encoded, slot
from scimkit.stores.sql.tables import CLAIMS, MEMBERSHIPS, RESOURCES, VALUES
from scimkit.stores.stamps import has_members, identified, is_computed, member_entry, meta_of, now, version_tag

_COLUMNS: Final = tuple(RESOURCES.c[name] for name in ("sequence", "id", "version", "created", "modified", "document"))


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource as its row has it."""

    sequence: int
    id: str
    version: int
    created: str
    modified: str
    document: Document

    @classmethod
    def of(cls, row: Any) -> Kept:
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
        self.has_members = has_members(resource_type)
        self._has_groups = is_computed(resource_type, GROUPS)
        self.own = sa.and_(RESOURCES.c.tenant == self._tenant, RESOURCES.c.type == resource_type.name)

    def find(self, id: str, *, lock: bool = False) -> Kept:
        """The resource of an id; with `lock`, no other transaction changes it before this one ends.

        Raises: NotFound.
        """
        query = sa.select(*_COLUMNS).where(self.own, RESOURCES.c.id == id)
        row = self._connection.execute(query.with_for_update() if lock else query).first()
        if row is None:
            raise NotFound(f"This {self._type.name} does not exist.")
        return Kept.of(row)

    def insert(self, id: str, document: Document) -> Kept:
        """Keep a new resource, its values and its claims. Raises: Uniqueness."""
        instant = now()
        kept = identified(self._type, id, document)
        values = {
            "tenant": self._tenant, "type": self._type.name, "id": id, "version": 1, "created": instant,
            "created_key": _instant(instant), **_stamps(instant), **_displayed(kept), "document": write_json(kept),
        }  # fmt: skip
        inserted = self._connection.execute(sa.insert(RESOURCES).values(**values)).inserted_primary_key
        assert inserted is not None
        sequence = inserted[0]
        self._claim(sequence, self._claims(kept))
        self._add_cells(sequence, set(cells(self._tenant, self._type, kept)))
        return Kept(sequence, id, 1, instant, instant, kept)

    def update(self, old: Kept, document: Document | None) -> Kept:
        """Put a resource into its next state; without a document only its version and instant change."""
        instant, version = now(), old.version + 1
        changed: dict[str, Any] = {"version": version, **_stamps(instant)}
        kept = old.document
        if document is not None:
            kept = identified(self._type, old.id, document)
            changed |= {"document": write_json(kept), **_displayed(kept)}
            self._swap_claims(old, kept)
            self._swap_cells(old, kept)
        self._connection.execute(sa.update(RESOURCES).where(RESOURCES.c.sequence == old.sequence).values(**changed))
        return Kept(old.sequence, old.id, version, old.created, instant, kept)

    def delete(self, kept: Kept) -> None:
        """Remove a resource; what refers to it goes with it, and the groups it was in have a next version."""
        groups = sa.select(MEMBERSHIPS.c.group).where(MEMBERSHIPS.c.member == kept.sequence)
        touched = list(self._connection.scalars(groups))
        for some in batches(sorted(touched)):
            self._connection.execute(
                sa.update(RESOURCES)
                .where(RESOURCES.c.tenant == self._tenant, RESOURCES.c.sequence.in_(some))
                .values(version=RESOURCES.c.version + 1, **_stamps(now()))
            )
        self._connection.execute(sa.delete(RESOURCES).where(self.own, RESOURCES.c.sequence == kept.sequence))

    def known_members(self, members: Sequence[Mapping[str, Any]]) -> tuple[dict[int, Any], tuple[str, ...]]:
        """What is said of the members that exist, by the numbers of their rows, and the ids of the others."""
        wanted = {each["value"]: each for each in members} if self.has_members else {}
        known: dict[int, Any] = {}
        found: set[str] = set()
        for some in batches(wanted):
            query = sa.select(RESOURCES.c.sequence, RESOURCES.c.id).where(
                RESOURCES.c.tenant == self._tenant, RESOURCES.c.id.in_(some)
            )
            numbers = {row.id: row.sequence for row in self._connection.execute(query)}
            known.update((numbers[id], wanted[id].get("display")) for id in some if id in numbers)
            found.update(numbers)
        return known, tuple(id for id in wanted if id not in found)

    def change_members(self, group: int, changes: ReferenceChanges, added: Mapping[int, Any]) -> bool:
        """Remove and add rows of members; whether any row changed."""
        changed = self._clear(group, added) if changes.cleared else self._remove(group, changes.removed)
        for some in batches(added):
            query = sa.select(MEMBERSHIPS.c.member).where(MEMBERSHIPS.c.group == group, MEMBERSHIPS.c.member.in_(some))
            there = set(self._connection.scalars(query))
            fresh = [{"group": group, "member": each, **_display(added[each])} for each in some if each not in there]
            if fresh:
                self._connection.execute(sa.insert(MEMBERSHIPS), fresh)
                changed = True
        return changed

    def _clear(self, group: int, kept: Mapping[int, Any]) -> bool:
        """Remove the members that are not to stay as they are."""
        query = sa.select(MEMBERSHIPS.c.member, MEMBERSHIPS.c.display).where(MEMBERSHIPS.c.group == group)
        gone = [
            row.member for row in self._connection.execute(query)
            if row.member not in kept or _text(row.display) != kept[row.member]
        ]  # fmt: skip
        for some in batches(gone):
            self._connection.execute(
                sa.delete(MEMBERSHIPS).where(MEMBERSHIPS.c.group == group, MEMBERSHIPS.c.member.in_(some))
            )
        return bool(gone)

    def _remove(self, group: int, ids: Iterable[str]) -> bool:
        removed = 0
        for some in batches(sorted(ids)):
            members = sa.select(RESOURCES.c.sequence).where(
                RESOURCES.c.tenant == self._tenant, RESOURCES.c.id.in_(some)
            )
            numbers = list(self._connection.scalars(members))
            gone = sa.delete(MEMBERSHIPS).where(MEMBERSHIPS.c.group == group, MEMBERSHIPS.c.member.in_(numbers))
            removed += self._connection.execute(gone).rowcount if numbers else 0
        return removed > 0

    def wholes(self, kept: Sequence[Kept], wants: Wants) -> list[Document]:
        """The documents with their `meta`, and their members or groups, where they are wanted."""
        documents: list[Document] = [
            {**each.document, META: meta_of(
                self._type, created=each.created, modified=each.modified, version=each.version
            )}
            for each in kept
        ]  # fmt: skip
        if self.has_members and wants(MEMBERS):
            entries = self._entries(kept, MEMBERSHIPS.c.group, MEMBERSHIPS.c.member, MEMBERSHIPS.c.display)
            return _joined(kept, documents, MEMBERS, entries, member_entry)
        if self._has_groups and wants(GROUPS):
            entries = self._entries(kept, MEMBERSHIPS.c.member, MEMBERSHIPS.c.group, RESOURCES.c.display)
            return _joined(kept, documents, GROUPS, entries, lambda id, _, display: member_entry(id, "direct", display))
        return documents

    def _entries(
        self, kept: Sequence[Kept], owner: Any, other: Any, display: Any
    ) -> dict[int, list[tuple[str, str, str | None]]]:
        """Id, type and display of what stands at the other end of each membership, by owner."""
        entries: dict[int, list[tuple[str, str, str | None]]] = {}
        joined = MEMBERSHIPS.join(RESOURCES, RESOURCES.c.sequence == other)
        for some in batches([each.sequence for each in kept]):
            query = sa.select(owner, RESOURCES.c.id, RESOURCES.c.type, display).select_from(joined)
            query = query.where(owner.in_(some), RESOURCES.c.tenant == self._tenant)
            for number, id, kind, text in self._connection.execute(query.order_by(MEMBERSHIPS.c.position)):
                entries.setdefault(number, []).append((id, kind, _text(text)))
        return entries

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
                self._connection.execute(sa.insert(CLAIMS).values(slot=number, digest=value, resource=sequence))
            except IntegrityError:
                raise Uniqueness(path) from None

    def _swap_claims(self, old: Kept, document: Document) -> None:
        before, after = self._claims(old.document), self._claims(document)
        for number, value in before.keys() - after.keys():
            self._connection.execute(sa.delete(CLAIMS).where(CLAIMS.c.slot == number, CLAIMS.c.digest == value))
        self._claim(old.sequence, {each: after[each] for each in after.keys() - before.keys()})

    def _swap_cells(self, old: Kept, document: Document) -> None:
        before = set(cells(self._tenant, self._type, old.document))
        after = set(cells(self._tenant, self._type, document))
        for each in before - after:
            same = (VALUES.c.slot == each.slot, VALUES.c.element == each.element, VALUES.c.place == each.place)
            self._connection.execute(sa.delete(VALUES).where(VALUES.c.resource == old.sequence, *same))
        self._add_cells(old.sequence, after - before)

    def _add_cells(self, sequence: int, added: set[Cell]) -> None:
        if added:
            names = ("slot", "element", "place", "head", "whole", "chosen")
            rows = [{"resource": sequence, **dict(zip(names, astuple(each), strict=True))} for each in added]
            self._connection.execute(sa.insert(VALUES), rows)


def _joined(kept: Any, documents: list[Any], name: str, entries: Mapping[int, Any], entry: Any) -> list[Document]:
    return [
        {**document, name: [entry(*each) for each in entries[row.sequence]]} if row.sequence in entries else document
        for row, document in zip(kept, documents, strict=True)
    ]


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
