"""References in the SQL store: the resources that they name are locked, and a deletion removes them.

Each reference has a row in `scim_value`, in a slot that belongs to no resource type. A deletion therefore finds the
references without knowledge of the resource types. This module never begins or ends a transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
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
"""The largest number of resources in one statement."""
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
    sa.select(RESOURCES.c.sequence, RESOURCES.c.type, RESOURCES.c.version, RESOURCES.c.modified, RESOURCES.c.document)
    .where(RESOURCES.c.sequence.in_(sa.bindparam("numbers", expanding=True)))
    .order_by(RESOURCES.c.sequence)
    .with_for_update()
)
_UPDATE: Final = sa.update(RESOURCES).where(RESOURCES.c.sequence == sa.bindparam("number"))
_NAMES: Final = ("slot", "element", "place", "head", "whole", "chosen")
_COLUMNS: Final = tuple(VALUES.c[name] for name in _NAMES)


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
    found = _HOLDERS.rows(connection, {"slot": reference_slot(tenant), "head": id.encode()})
    numbers = [row[0] for row in found if row[0] != own]
    lost: list[tuple[str, Document, Document]] = []
    for start in range(0, len(numbers), _AT_ONCE):
        lost += _forget_some(connection, tenant, numbers[start : start + _AT_ONCE], id)
    return lost


def _forget_some(
    connection: sa.Connection, tenant: str, numbers: Sequence[int], id: str
) -> list[tuple[str, Document, Document]]:
    """Rewrite some resources without their references to a resource, and return them before and after."""
    holders = connection.execute(_LOCKED, {"numbers": numbers}).all()
    references = _entries(connection, numbers, {reference_slot(tenant)})
    slots = {reference_slot(tenant)}
    changed: list[tuple[Any, Document, Document, list[str]]] = []
    for each in holders:
        before: Document = from_json(each.document)
        names = list(dict.fromkeys((one.whole or b"").decode() for one in references[each.sequence]))
        after: Document = without_references(names, before, id)
        if after != before:  # another transaction may have removed the reference before the lock
            slots.update(number for name in names for number in _slots(tenant, each.type, name, before))
            changed.append((each, before, after, names))
    touched = [holder.sequence for holder, *_ in changed]
    entries = _entries(connection, touched, slots)
    rows: list[dict[str, Any]] = []
    updates: list[dict[str, Any]] = []
    for holder, before, after, names in changed:
        kept = _rewritten(entries[holder.sequence], tenant, holder.type, before, names, id)
        rows += [{"resource": holder.sequence, **{name: getattr(each, name) for name in _NAMES}} for each in kept]
        updates.append({
            "number": holder.sequence, "version": holder.version + 1, "document": write_json(after),
            **modified_columns(max(now(), holder.modified)),
        })  # fmt: skip
    if changed:
        connection.execute(sa.delete(VALUES).where(VALUES.c.resource.in_(touched), VALUES.c.slot.in_(slots)))
        connection.execute(_UPDATE, updates)
    if rows:
        connection.execute(sa.insert(VALUES), rows)
    return [(holder.type, before, after) for holder, before, after, _ in changed]


def _slots(tenant: str, kind: str, name: str, document: Document) -> list[int]:
    """Return the slots of an attribute and its sub-attributes. The first one tells only that an element exists."""
    children = sorted({child for each in document.get(name, ()) for child in each})
    return [slot(tenant, kind, path) for path in (name, *(f"{name}.{child}" for child in children))]


def _rewritten(
    entries: Sequence[IndexEntry], tenant: str, kind: str, before: Document, names: Sequence[str], id: str
) -> list[IndexEntry]:
    """Return the entries of the references of a resource, without those to the resource with the id."""
    own = reference_slot(tenant)
    kept = [each for each in entries if each.slot == own and each.head != id.encode()]
    made = [each._replace(element=element) for element, each in enumerate(kept)]
    for name in names:
        slots = _slots(tenant, kind, name, before)
        gone = {element for element, each in enumerate(before.get(name, ())) if each["value"] == id}
        made += _moved_up([each for each in entries if each.slot in slots], gone, slots[0])
    return made


def _entries(connection: sa.Connection, numbers: Sequence[int], slots: Collection[int]) -> dict[int, list[IndexEntry]]:
    """Return the index entries of resources in some slots, in the order of their elements."""
    query = sa.select(VALUES.c.resource, *_COLUMNS).where(VALUES.c.resource.in_(numbers), VALUES.c.slot.in_(slots))
    found: dict[int, list[IndexEntry]] = {each: [] for each in numbers}
    for row in connection.execute(query.order_by(VALUES.c.resource, VALUES.c.element, VALUES.c.place)):
        whole = None if row.whole is None else bytes(row.whole)
        found[row.resource].append(
            IndexEntry(row.slot, row.element, row.place, bytes(row.head), whole, bool(row.chosen))
        )
    return found


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
        each._replace(
            element=order[each.element],
            chosen=each.slot != present and order[each.element] == 0 and each.place == 0,
        )
        for each in entries if each.element in order
    ]  # fmt: skip
