"""Statements of PostgreSQL that do the work of several statements in one message to the server.

PostgreSQL keeps the plans of these statements. Each statement therefore has one reasonable plan only, for small and for
large tables, with statistics and without. This module never runs a statement.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, array
from sqlalchemy.dialects.postgresql import insert as upsert

from scimkit.stores.sql.hot_statements import HotStatement
from scimkit.stores.sql.statements import COLUMNS, FIND, HAS_ID, HELD, OWN, of_tenant, own
from scimkit.stores.sql.tables import CLAIMS, LOG, MEMBERSHIPS, RESOURCES, VALUES
from scimkit.stores.sql.token_access import TokenAccess

_BYTES: Final = sa.LargeBinary()
_VERSION: Final = ("version", "modified", "modified_key")
_WRITTEN: Final = (
    "version", "created", "created_key", "modified", "modified_key", "display", "display_key", "document",
)  # fmt: skip


def _fenced(query: Any) -> Any:
    """Return a query with OFFSET 0, which PostgreSQL never merges with the query around it.

    A plan that was made when the tables were small is then as good for large tables: it looks up each row by its key.
    """
    return query.offset(sa.literal_column("0"))


def _groups() -> Any:
    """Build the array of the groups of a resource: for each group its id and its display name."""
    row = _fenced(sa.select(MEMBERSHIPS).where(MEMBERSHIPS.c.member == RESOURCES.c.sequence))
    row = row.correlate(RESOURCES).subquery("membership")
    group = RESOURCES.alias("group_resource")
    named = _fenced(sa.select(group.c.id, group.c.display).where(group.c.sequence == row.c.group, of_tenant(group)))
    named = named.correlate(row).lateral("member_of")
    pair = array([sa.type_coerce(named.c.id, _BYTES), sa.type_coerce(named.c.display, _BYTES)])
    found = sa.select(sa.func.array_agg(aggregate_order_by(pair, row.c.position)))
    return found.select_from(row.join(named, sa.true())).correlate(RESOURCES).scalar_subquery()


_FIND: Final = FIND.add_columns(_groups().label("groups"))

FIND_WITH_GROUPS: Final = HotStatement(_FIND)
"""The statement that selects a resource by id, with its groups."""
FIND_WITH_GROUPS_LOCKED: Final = HotStatement(_FIND.with_for_update())
"""The same statement, which also locks the row of the resource."""


def _equal(*more: Any) -> HotStatement:
    """Build the statement that selects the resources with a value of an attribute."""
    head, key = sa.bindparam("head", type_=_BYTES), sa.bindparam("key", type_=_BYTES)
    whole = sa.func.coalesce(VALUES.c.whole, VALUES.c.head, type_=_BYTES)
    slot = sa.bindparam("slot", type_=sa.BigInteger())
    found = sa.select(VALUES.c.resource).distinct().where(VALUES.c.slot == slot, VALUES.c.head == head, whole == key)
    values = found.subquery("found")
    each = _fenced(sa.select(*COLUMNS, *more).where(HELD, RESOURCES.c.sequence == values.c.resource))
    resource = each.correlate(values).lateral("resource")
    selected = sa.select(resource).select_from(values.join(resource, sa.true()))
    # The index has the resources in this order, so nothing is sorted.
    return HotStatement(selected.order_by(values.c.resource).limit(sa.bindparam("count", type_=sa.BigInteger())))


EQUAL: Final = _equal(), _equal(_groups().label("groups"))
"""The statement that selects the first resources with a value of an attribute, in the order of their creation: without
and with the groups of each resource."""


def _page(*more: Any) -> HotStatement:
    """Build the statement that selects one page of all resources, in the order of their creation, and their number."""
    other = RESOURCES.alias("counted")
    total = sa.select(sa.func.count()).select_from(other).where(own(other)).scalar_subquery()
    limit, offset = (sa.bindparam(name, type_=sa.BigInteger()) for name in ("count", "offset"))
    selected = sa.select(*COLUMNS, *more, total.label("total")).where(OWN).order_by(RESOURCES.c.sequence)
    return HotStatement(selected.limit(limit).offset(offset), prepare=False)


PAGE: Final = _page(), _page(_groups().label("groups"))
"""The statement that selects one page of all resources of a tenant and resource type, and the number of all of them in
the last column: without and with the groups of each resource."""


def _list(name: str, kind: Any) -> Any:
    """Return a parameter that is an array."""
    return sa.bindparam(name, type_=ARRAY(kind))


def _lists(name: str, prefix: str, columns: dict[str, Any]) -> Any:
    """Return the rows that arrays contain. The arrays are parameters, one for each column."""
    arrays = [_list(f"{prefix}{column}", kind) for column, kind in columns.items()]
    return sa.func.unnest(*arrays).table_valued(*(sa.column(*each) for each in columns.items()), name=name)


def _known(group: Any) -> tuple[tuple[Any, ...], Any]:
    """Return the columns of the resources with some ids, and the rows to select them from.

    The columns are the number of the resource, its id, and its number again if it is a member of a group, or NULL.
    """
    ids = sa.func.unnest(_list("ids", _BYTES)).table_valued(sa.column("id", _BYTES), name="wanted").render_derived()
    other = RESOURCES.alias("known_resource")
    each = _fenced(sa.select(other.c.sequence, other.c.id).where(other.c.id == ids.c.id, of_tenant(other)))
    found = each.correlate(ids).lateral("found")
    row = _fenced(
        sa.select(MEMBERSHIPS.c.member).where(MEMBERSHIPS.c.group == group, MEMBERSHIPS.c.member == found.c.sequence)
    )
    member = row.correlate(RESOURCES, found).scalar_subquery()
    columns = (found.c.sequence.label("known_sequence"), found.c.id.label("known_id"), member.label("known_member"))
    return columns, ids.join(found, sa.true())


def _known_alone() -> HotStatement:
    """Build the statement that selects resources by id, and shows which of them are members of a group."""
    columns, rows = _known(sa.bindparam("number", type_=sa.BigInteger()))
    return HotStatement(sa.select(*columns).select_from(rows))


def _find_with_known() -> HotStatement:
    """Build the statement that selects a group and the resources that a change of its members names."""
    columns, rows = _known(RESOURCES.c.sequence)
    return HotStatement(FIND.add_columns(*columns).select_from(RESOURCES.outerjoin(rows, sa.true())))


KNOWN: Final = _known_alone()
"""The statement that selects resources by id, and shows which of them are members of a group."""

FIND_WITH_KNOWN: Final = _find_with_known()
"""The statement that selects a group by id, and the same columns of resources as `KNOWN`.

It returns a row for each resource, or one with NULLs. Each row has all columns of the group.
"""

_PLACE: Final = {"slot": sa.BigInteger(), "element": sa.Integer(), "place": sa.Integer()}
_ENTRY: Final = {**_PLACE, "head": _BYTES, "whole": _BYTES, "chosen": sa.Boolean()}
_CLAIM: Final = {"slot": sa.BigInteger(), "digest": _BYTES}
_ENTRIES: Final = _lists("entry", "entry_", _ENTRY).render_derived()
_CLAIMED: Final = _lists("claim", "claim_", _CLAIM).render_derived()
_GONE: Final = _lists("gone", "gone_", _PLACE).render_derived()
_UNCLAIMED: Final = _lists("unclaimed", "unclaimed_", _CLAIM).render_derived()
_JOINED_COLUMNS: Final = {"member": sa.BigInteger(), "display": _BYTES, "display_key": _BYTES}
_LEFT: Final = _lists("left_member", "left_", {"member": sa.BigInteger()}).render_derived()
_JOINED: Final = _lists("joined_member", "joined_", _JOINED_COLUMNS).render_derived()


_TAKEN: Final = _fenced(
    sa.select(CLAIMS.c.slot).where(*(CLAIMS.c[name] == _CLAIMED.c[name] for name in _CLAIM)).select_from(_CLAIMED)
)


def _of(written: Any, rows: Any, columns: dict[str, Any]) -> tuple[list[str], Any]:
    """Return the names of columns, and the rows of arrays with the number of the written resource."""
    selected = sa.select(written.c.sequence, *(rows.c[name] for name in columns))
    return ["resource", *columns], selected.select_from(written.join(rows, sa.true()))


def _entry(name: str) -> Any:
    """Return the parameter for a column of an entry of the provisioning log."""
    return sa.bindparam(f"log_{name}", type_=LOG.entries.c[name].type)


def _logged(written: Any) -> Any:
    """Return the statement that inserts the entry of a write, unless nothing was written."""
    names = LOG.entries.c.keys()
    return sa.insert(LOG.entries).from_select(names, sa.select(*map(_entry, names)).select_from(written)).cte("logged")


def _create(access: TokenAccess | None, *, guarded: bool, logs: bool) -> HotStatement:
    """Build the statement that inserts a resource with its index entries and its unique values.

    Args:
        access: The check of a token. If the token is not the same, the statement inserts nothing.
        guarded: True if the statement inserts nothing, instead of failing, if a unique value is taken.
        logs: True if the statement also inserts an entry of the provisioning log.
    """
    names = ("tenant", "type", "id", *_WRITTEN)
    values = {name: sa.bindparam(f"new_{name}", type_=RESOURCES.c[name].type) for name in names}
    insert = sa.insert(RESOURCES).values(values)
    conditions = [] if access is None else [access.is_same]
    if guarded:
        conditions.append(~_TAKEN.exists())
    if conditions:
        insert = sa.insert(RESOURCES).from_select(names, sa.select(*values.values()).where(*conditions))
    written = insert.returning(RESOURCES.c.sequence).cte("written")
    entries = sa.insert(VALUES).from_select(*_of(written, _ENTRIES, _ENTRY)).cte("entries")
    parts = [entries, sa.insert(CLAIMS).from_select(*_of(written, _CLAIMED, _CLAIM)).cte("claims")]
    if logs:
        parts.append(_logged(written))
    return HotStatement(sa.select(written.c.sequence).add_cte(*parts), writes=True)


def _update(*, logs: bool, entries: bool = True, moves: bool = False, members: bool = False) -> HotStatement:
    """Build the statement that updates a resource if it still has the version that was read.

    Args:
        logs: True if the statement also inserts an entry of the provisioning log.
        entries: True if the document changes, and index entries are added or changed.
        moves: True if index entries or unique values are removed, or unique values are added.
        members: True if members are removed or added.
    """
    names = [name for name in _WRITTEN if not name.startswith("created")] if entries else [*_VERSION]
    values = {name: sa.bindparam(f"new_{name}", type_=RESOURCES.c[name].type) for name in names}
    number, version = (sa.bindparam(name, type_=sa.BigInteger()) for name in ("number", "old_version"))
    same = (RESOURCES.c.sequence == number, RESOURCES.c.version == version, HAS_ID)
    written = sa.update(RESOURCES).where(*same).values(values).returning(RESOURCES.c.sequence).cte("written")
    parts = []
    if entries:
        added = upsert(VALUES).from_select(*_of(written, _ENTRIES, _ENTRY))
        columns = {name: added.excluded[name] for name in ("head", "whole", "chosen")}
        parts.append(added.on_conflict_do_update(index_elements=["resource", *_PLACE], set_=columns).cte("entries"))
    if members:
        mine = MEMBERSHIPS.c.group == written.c.sequence
        parts.append(sa.delete(MEMBERSHIPS).where(mine, MEMBERSHIPS.c.member == _LEFT.c.member).cte("left_members"))
        _, joined = _of(written, _JOINED, _JOINED_COLUMNS)
        parts.append(sa.insert(MEMBERSHIPS).from_select(["group", *_JOINED_COLUMNS], joined).cte("joined_members"))
    if moves:
        gone = [VALUES.c[name] == _GONE.c[name] for name in _PLACE]
        parts.append(sa.delete(VALUES).where(VALUES.c.resource == written.c.sequence, *gone).cte("removed"))
        freed = [CLAIMS.c[name] == _UNCLAIMED.c[name] for name in _CLAIM]
        parts.append(sa.delete(CLAIMS).where(CLAIMS.c.resource == written.c.sequence, *freed).cte("freed"))
        parts.append(sa.insert(CLAIMS).from_select(*_of(written, _CLAIMED, _CLAIM)).cte("claims"))
    if logs:
        parts.append(_logged(written))
    return HotStatement(sa.select(written.c.sequence).add_cte(*parts), writes=True, prepare=not moves)


@lru_cache(maxsize=64)
def creation(access: TokenAccess | None = None, *, guarded: bool = False) -> tuple[HotStatement, HotStatement]:
    """Return the statement that inserts a resource with its index entries and its unique values.

    The first statement inserts no entry of the provisioning log, and the second one does.

    Args:
        access: The check of a token that the statement makes too.
        guarded: True if the statement inserts nothing, instead of failing, if a unique value is taken.
    """
    return _create(access, guarded=guarded, logs=False), _create(access, guarded=guarded, logs=True)


TAKEN: Final = HotStatement(_TAKEN)
"""The statement that selects the slots of those claimed values that a resource has."""
UPDATE_ENTRIES: Final = _update(logs=False), _update(logs=True)
"""The statement that updates a resource of a version, and adds or changes index entries, without and with a log entry.
"""
UPDATE_ALL: Final = _update(moves=True, logs=False), _update(moves=True, logs=True)
"""The same statement, which also removes index entries and replaces unique values."""
UPDATE_MEMBERS: Final = (
    _update(entries=False, members=True, logs=False),
    _update(entries=False, members=True, logs=True),
)
"""The statement that updates a group of a version, and removes and adds members, without and with a log entry."""
UPDATE_ALL_AND_MEMBERS: Final = (
    _update(moves=True, members=True, logs=False),
    _update(moves=True, members=True, logs=True),
)
"""The statement that does all of this."""
LOG_ENTRY: Final = HotStatement(
    sa.insert(LOG.entries).values({each.name: _entry(each.name) for each in LOG.entries.c})
    .returning(LOG.entries.c.started), writes=True,
)  # fmt: skip
"""The statement that inserts an entry of the provisioning log."""
