"""References in the SQL store: the resources that they name are locked, and a deletion removes them.

Each reference has a row in `scim_value`, in a slot that belongs to no resource type. A deletion therefore finds the
references without knowledge of the resource types. This module never begins or ends a transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa
from pydantic_core import from_json

from scimkit.documents import Document, write_json
from scimkit.schema.resource_types import ResourceType
from scimkit.stores.metadata import now
from scimkit.stores.references import checked_references, named_ids, without_references
from scimkit.stores.sql.hot_statements import HotStatement
from scimkit.stores.sql.index_entries import IndexEntry, reference_slot, slot
from scimkit.stores.sql.rows import modified_columns
from scimkit.stores.sql.statements import of_tenant
from scimkit.stores.sql.tables import RESOURCES, VALUES

_AT_ONCE: Final = 500
_BIG: Final = sa.BigInteger()
_HOLDERS: Final = HotStatement(
    sa.select(VALUES.c.resource)
    .distinct()
    .where(
        VALUES.c.slot == sa.bindparam("slot", type_=_BIG), VALUES.c.head == sa.bindparam("head", type_=sa.LargeBinary())
    )
    .order_by(VALUES.c.resource)
)
"""The statement that selects the resources with a reference to a resource."""
_TARGETS: Final = (
    sa.select(RESOURCES.c.id, RESOURCES.c.type)
    .where(of_tenant(RESOURCES), RESOURCES.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(RESOURCES.c.sequence)
    .with_for_update(read=True)
)
"""The statement that selects resources by id. Other transactions cannot delete them before this one ends."""
_LOCKED: Final = (
    sa.select(RESOURCES.c.type, RESOURCES.c.version, RESOURCES.c.modified, RESOURCES.c.document)
    .where(RESOURCES.c.sequence == sa.bindparam("number"))
    .with_for_update()
)
_COLUMNS: Final = tuple(VALUES.c[name] for name in ("slot", "element", "place", "head", "whole", "chosen"))


def checked(connection: sa.Connection, tenant: str, resource_type: ResourceType, document: Document) -> dict[str, Any]:
    """Return a document whose references name resources of the tenant, and lock these resources.

    Raises:
        InvalidValue: A reference names no resource of an allowed type.
    """
    wanted = sorted(set(named_ids(resource_type, document)))
    types: dict[str, str] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        parameters = {"tenant": tenant, "ids": wanted[start : start + _AT_ONCE]}
        types.update((id, kind) for id, kind in connection.execute(_TARGETS, parameters))
    return checked_references(resource_type, document, types)


def forget(connection: sa.Connection, tenant: str, id: str, own: int) -> list[tuple[str, Document, Document]]:
    """Remove the references to a resource that is deleted. Its row is locked.

    Args:
        connection: The connection.
        tenant: The tenant.
        id: The id of the resource.
        own: The sequence number of the resource.

    Returns:
        The resource type, the document before and the document after of each resource that had a reference.
    """
    lost: list[tuple[str, Document, Document]] = []
    for row in _HOLDERS.rows(connection, {"slot": reference_slot(tenant), "head": id.encode()}):
        number = row[0]
        if number == own:
            continue
        holder = connection.execute(_LOCKED, {"number": number}).one_or_none()
        if holder is None:
            continue
        before = from_json(holder.document)
        references = _entries(connection, number, [reference_slot(tenant)])
        names = list(dict.fromkeys((each.whole or b"").decode() for each in references))
        after = without_references(names, before, id)
        if after == before:
            continue
        _rewrite(connection, number, holder, before, after, references, tenant, id)
        lost.append((holder.type, before, after))
    return lost


def _rewrite(
    connection: sa.Connection, number: int, holder: Any, before: Document, after: Document,
    references: Sequence[IndexEntry], tenant: str, id: str,
) -> None:  # fmt: skip
    """Store the document without the references, and the entries of its attributes."""
    kept = [each for each in references if each.head != id.encode()]
    entries = [replace(each, element=element) for element, each in enumerate(kept)]
    slots = [reference_slot(tenant)]
    for name in before:
        if before[name] == after.get(name):
            continue
        children = {child for each in before[name] for child in each}
        of_name = [slot(tenant, holder.type, path) for path in (name, *(f"{name}.{child}" for child in children))]
        gone = {element for element, each in enumerate(before[name]) if each["value"] == id}
        entries += _moved_up(_entries(connection, number, of_name), gone, of_name[0])
        slots += of_name
    connection.execute(sa.delete(VALUES).where(VALUES.c.resource == number, VALUES.c.slot.in_(slots)))
    if entries:
        names = [column.name for column in _COLUMNS]
        rows = [{"resource": number, **{name: getattr(each, name) for name in names}} for each in entries]
        connection.execute(sa.insert(VALUES), rows)
    changed = {"version": holder.version + 1, "document": write_json(after)}
    changed |= modified_columns(max(now(), holder.modified))
    connection.execute(sa.update(RESOURCES).where(RESOURCES.c.sequence == number), changed)


def _entries(connection: sa.Connection, number: int, slots: Collection[int]) -> list[IndexEntry]:
    """Return the index entries of a resource in some slots, in the order of their elements."""
    query = sa.select(*_COLUMNS).where(VALUES.c.resource == number, VALUES.c.slot.in_(slots))
    found = connection.execute(query.order_by(VALUES.c.element, VALUES.c.place))
    return [
        IndexEntry(
            row.slot, row.element, row.place, bytes(row.head), None if row.whole is None else bytes(row.whole),
            bool(row.chosen),
        )
        for row in found
    ]  # fmt: skip


def _moved_up(entries: Sequence[IndexEntry], gone: Collection[int], present: int) -> list[IndexEntry]:
    """Return the entries of the elements that stay. Sorting uses the first of them.

    Args:
        entries: The entries of one attribute.
        gone: The elements that are removed.
        present: The slot of the entries that tell only that an element exists.
    """
    places = {each.element for each in entries} - set(gone)
    order = {element: place for place, element in enumerate(sorted(places))}
    return [
        replace(
            each, element=order[each.element],
            chosen=each.slot != present and order[each.element] == 0 and each.place == 0,
        )
        for each in entries if each.element in order
    ]  # fmt: skip
