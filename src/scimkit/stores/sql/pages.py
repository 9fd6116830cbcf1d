"""Pages of resources in SQL: the filter, the sort order, and the position at which a page starts or ends.

This module never changes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from scimkit.filters.ast import count_comparisons
from scimkit.stores.database_errors import MOST_CACHED
from scimkit.stores.metadata import has_members, is_computed
from scimkit.stores.paging import Position
from scimkit.stores.protocol import GROUPS, MEMBERS, META, Page, Query, Scope
from scimkit.stores.sorting import Sort
from scimkit.stores.sql.conditions import condition, indexed_value, leads_to_few
from scimkit.stores.sql.database import Work
from scimkit.stores.sql.direct_reads import HotRead, NeedsMore
from scimkit.stores.sql.hot_statements import Row
from scimkit.stores.sql.index_entries import HEAD, slot
from scimkit.stores.sql.postgresql_statements import EQUAL, PAGE
from scimkit.stores.sql.rows import Rows, StoredResource, hot_documents, own_parameters
from scimkit.stores.sql.statements import COLUMNS, HELD, OWN
from scimkit.stores.sql.tables import MEMBERSHIPS, RESOURCES, VALUES

_SORTED: Final = VALUES.alias()


def page(scope: Scope, query: Query) -> Work[Page]:
    """Return the work that reads one page of resources and the total number of matches.

    Raises:
        InvalidFilter: The filter cannot be compared with the resource type.
    """
    if query.filter is not None:
        query.filter.compile(query.resource_type)
    any_page = partial(_any_page, scope, query)
    return _usual_page(scope, query, any_page) or any_page


def _any_page(scope: Scope, query: Query, connection: sa.Connection) -> Page:
    """Read a page with statements for any filter, sort order and position.

    Raises:
        InvalidFilter: The filter cannot be expressed in SQL.
    """
    rows = Rows(connection, scope, query.resource_type)
    matching: Any = OWN
    options: dict[str, Any] = {}
    if query.filter is not None:
        node = query.filter.node
        if count_comparisons(node) > MOST_CACHED:
            options = {"compiled_cache": None}
        own = HELD if leads_to_few(node, query.resource_type) else OWN
        matching = sa.and_(own, condition(node, query.resource_type, scope.tenant))
    key = None if query.sort is None else _sort_key(query.sort, query.resource_type, scope.tenant)
    found: list[Any] = []
    if query.count:
        found = list(connection.execute(_select(query, matching, key), rows.own, execution_options=options))
    total = _total(query, len(found))
    if total is None:
        counted = sa.select(sa.func.count()).select_from(RESOURCES).where(matching)
        total = connection.scalar(counted, rows.own, execution_options=options) or 0
    if query.before is not None:
        found.reverse()
    kept = [StoredResource.of(row) for row in found]
    positions = [_position(row, key) for row in found]
    return Page(rows.assemble(kept, query.requested), total, positions)


def _usual_page(scope: Scope, query: Query, otherwise: Work[Page]) -> HotRead[Page] | None:
    """Return a page that one hot statement of PostgreSQL reads, or None if the page needs other statements.

    Such a page has all resources in the order of their creation, or all resources with a value that few have.
    """
    kind = query.resource_type
    edges = query.after is not None or query.before is not None
    if query.sort is not None or edges or not query.count or (has_members(kind) and query.requested(MEMBERS)):
        return None
    has_groups = is_computed(kind, GROUPS)
    offset = max(query.start_index, 1) - 1
    parameters: dict[str, Any] = {**own_parameters(scope, kind), "count": query.count}
    if query.filter is None:
        statement = PAGE[has_groups]
        parameters["offset"] = offset
    else:
        value = indexed_value(query.filter.node, kind, scope.tenant)
        if value is None or offset:
            return None
        number, key = value
        statement = EQUAL[has_groups]
        parameters |= {"slot": number, "head": key[:HEAD], "key": key}

    def result(rows: Sequence[Row]) -> Page:
        total = _total(query, len(rows))
        if total is None and query.filter is None and rows:
            total = int(rows[0][len(COLUMNS) + has_groups])
        if total is None:
            raise NeedsMore
        documents = hot_documents(rows, kind, with_groups=has_groups)
        return Page(documents, total, [(row[0],) for row in rows])

    return HotRead(statement, parameters, result, otherwise)


def _total(query: Query, found: int) -> int | None:
    """Return the total number of matches if the page itself shows this number, or None.

    The page shows the number if the page is not full and the number of preceding matches is known.
    """
    if query.after is not None or query.before is not None or found >= query.count:
        return None
    before = max(query.start_index, 1) - 1
    return before + found if found or not before else None


def _select(query: Query, matching: Any, key: Any) -> Any:
    """Build the statement that selects the rows of one page."""
    columns: list[Any] = [*COLUMNS]
    descending = query.sort is not None and query.sort.descending
    backward = query.before is not None
    order: list[Any] = []
    if key is not None:
        columns.append(key.label("sort_key"))
        missing = sa.case((key.is_(None), 1), else_=0)
        order = [_ordered(each, descending is not backward) for each in (missing, key)]
    order.append(_ordered(RESOURCES.c.sequence, backward))
    selected = sa.select(*columns).where(matching).order_by(*order).limit(query.count)
    edge = query.before if query.before is not None else query.after
    if edge is not None:
        return selected.where(_beyond(edge, key, descending, backward))
    return selected.offset(max(query.start_index, 1) - 1)


def _ordered(column: Any, descending: bool) -> Any:
    """Return the sort expression of a column in one direction."""
    return column.desc() if descending else column.asc()


def _position(row: Any, key: Any) -> Position:
    """Return the position of a row: its sort key, if there is a sort order, and its sequence number."""
    if key is None:
        return (row.sequence,)
    return (row.sort_key is None, "" if row.sort_key is None else bytes(row.sort_key).hex(), row.sequence)


def _beyond(edge: Position, key: Any, descending: bool, backward: bool) -> Any:
    """Build the condition for rows after a position, or before the position if the page is read backward."""
    number = edge[-1]
    later = RESOURCES.c.sequence < number if backward else RESOURCES.c.sequence > number
    if key is None:
        return later
    missing, text = edge[0], bytes.fromhex(edge[1])
    same = key.is_(None) if missing else key == text
    upward = descending is backward
    if missing:
        beyond = sa.false() if upward else key.is_not(None)
    else:
        beyond = sa.or_(key > text, key.is_(None)) if upward else sa.and_(key.is_not(None), key < text)
    return sa.or_(beyond, sa.and_(same, later))


def _sort_key(sort: Sort, resource_type: Any, tenant: str) -> Any:
    """Build the expression that rows are sorted by. The expression is NULL if a document has no value."""
    path, name = sort.path, sort.path.attribute.name
    if path.extension is None:
        if name in ("id", META):
            return _column_key(path.text)
        if name == MEMBERS and has_members(resource_type):
            return _membership_key(path, MEMBERSHIPS.c.group, MEMBERSHIPS.c.member, MEMBERSHIPS.c.display_key)
        if name == GROUPS and is_computed(resource_type, GROUPS):
            return _membership_key(path, MEMBERSHIPS.c.member, MEMBERSHIPS.c.group, None)
    values = _SORTED
    text = sa.func.coalesce(values.c.whole, values.c.head, type_=sa.LargeBinary())
    key = values.c.head if path.leaf.type == "dateTime" else text
    number = slot(tenant, resource_type.name, path.text)
    found = sa.select(key).where(values.c.resource == RESOURCES.c.sequence, values.c.slot == number)
    return found.where(values.c.chosen).limit(1).correlate(RESOURCES).scalar_subquery()


def _column_key(path: str) -> Any:
    """Return the sort key for `id` or for a sub-attribute of `meta`."""
    columns = {
        "id": RESOURCES.c.id, "meta.resourceType": RESOURCES.c.type, "meta.created": RESOURCES.c.created_key,
        "meta.lastModified": RESOURCES.c.modified_key,
    }  # fmt: skip
    if path == "meta.version":
        return sa.cast(sa.cast(RESOURCES.c.version, sa.String(20)), sa.LargeBinary)
    return sa.type_coerce(columns[path], sa.LargeBinary())


def _membership_key(path: Any, owner: Any, other: Any, display: Any) -> Any:
    """Build the sort key from the first member of a group, or from the first group of a user."""
    far = RESOURCES.alias()
    name = "value" if path.sub_attribute is None else path.sub_attribute.name
    columns = {"value": far.c.id, "type": far.c.type, "display": far.c.display_key if display is None else display}
    if name == "type" and display is None:
        columns["type"] = sa.literal(b"direct", sa.LargeBinary())
    joined = MEMBERSHIPS.join(far, far.c.sequence == other)
    found = sa.select(sa.type_coerce(columns[name], sa.LargeBinary())).select_from(joined)
    found = found.where(owner == RESOURCES.c.sequence).order_by(MEMBERSHIPS.c.position)
    return found.limit(1).correlate(RESOURCES).scalar_subquery()
