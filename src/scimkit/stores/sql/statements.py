"""The most frequent statements, built once so that SQLAlchemy finds them in its cache at little cost.

The values of a request are bound parameters, and every statement names the tenant. This module never runs a statement.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from scimkit.stores.sql.tables import CLAIMS, MEMBERSHIPS, RESOURCES, VALUES

_TENANT: Final = sa.bindparam("tenant", type_=RESOURCES.c.tenant.type)
_KIND: Final = sa.bindparam("kind", type_=RESOURCES.c.type.type)


def held(column: Any, value: Any) -> sa.ColumnElement[bool]:
    """Build an equality that no database uses to find rows.

    A database has no statistics about a new tenant yet. PostgreSQL would then assume few rows and read all rows of the
    tenant, although an id or a value leads to a single row.
    """
    equal: sa.ColumnElement[bool] = sa.func.coalesce(column, sa.literal("", column.type), type_=column.type) == value
    return equal


def of_tenant(resources: Any) -> sa.ColumnElement[bool]:
    """Build the condition that rows belong to the tenant, for rows that are found by another condition."""
    return held(resources.c.tenant, _TENANT)


def own(resources: Any) -> sa.ColumnElement[bool]:
    """Build the condition for all resources of one tenant and resource type."""
    return sa.and_(resources.c.tenant == _TENANT, resources.c.type == _KIND)


OWN: Final = own(RESOURCES)
"""The condition for all resources of one tenant and resource type."""

HELD: Final = sa.and_(of_tenant(RESOURCES), held(RESOURCES.c.type, _KIND))
"""The same condition as `OWN`, for statements that find the rows by another condition."""

COLUMNS: Final = tuple(RESOURCES.c[name] for name in ("sequence", "id", "version", "created", "modified", "document"))

HAS_ID: Final = sa.and_(HELD, RESOURCES.c.id == sa.bindparam("id", type_=RESOURCES.c.id.type))
"""The condition for the resource of one tenant and resource type with an id."""

FIND: Final = sa.select(*COLUMNS).where(HAS_ID)
FIND_LOCKED: Final = FIND.with_for_update()

UPDATE: Final = sa.update(RESOURCES).where(RESOURCES.c.sequence == sa.bindparam("number"))
DELETE: Final = sa.delete(RESOURCES).where(HELD, RESOURCES.c.sequence == sa.bindparam("number"))

_MODIFIED: Final = sa.bindparam("modified", type_=RESOURCES.c.modified.type)
_MODIFIED_KEY: Final = sa.bindparam("modified_key", type_=RESOURCES.c.modified_key.type)
_IS_LATER: Final = RESOURCES.c.modified_key > _MODIFIED_KEY

TOUCH: Final = (
    sa.update(RESOURCES)
    .where(
        held(RESOURCES.c.tenant, sa.bindparam("tenant_", type_=RESOURCES.c.tenant.type)),
        RESOURCES.c.sequence.in_(sa.bindparam("numbers", expanding=True)),
    )
    .values({
        RESOURCES.c.version: RESOURCES.c.version + 1,
        RESOURCES.c.modified: sa.case((_IS_LATER, RESOURCES.c.modified), else_=_MODIFIED),
        RESOURCES.c.modified_key: sa.case((_IS_LATER, RESOURCES.c.modified_key), else_=_MODIFIED_KEY),
    })
)  # fmt: skip
"""The statement that increments the version of resources. The time of the last change never goes back."""

DROP_CLAIM: Final = sa.delete(CLAIMS).where(
    CLAIMS.c.slot == sa.bindparam("the_slot"), CLAIMS.c.digest == sa.bindparam("the_digest")
)

DROP_VALUE: Final = sa.delete(VALUES).where(
    VALUES.c.resource == sa.bindparam("number"),
    *(VALUES.c[name] == sa.bindparam(f"the_{name}") for name in ("slot", "element", "place")),
)

_IDS: Final = of_tenant(RESOURCES) & RESOURCES.c.id.in_(sa.bindparam("ids", expanding=True))
_GROUP: Final = MEMBERSHIPS.c.group == sa.bindparam("number")

_IS_MEMBER: Final = sa.select(MEMBERSHIPS.c.member).where(_GROUP, MEMBERSHIPS.c.member == RESOURCES.c.sequence)

KNOWN: Final = sa.select(
    RESOURCES.c.sequence, RESOURCES.c.id, _IS_MEMBER.correlate(RESOURCES).scalar_subquery().label("member")
).where(_IDS)
"""The statement that selects resources by id, and shows which of them are members of a group.

Each resource is looked up by itself, regardless of the number of members.
"""

NAMES: Final = sa.select(RESOURCES.c.sequence, RESOURCES.c.type, RESOURCES.c.id).where(
    of_tenant(RESOURCES), RESOURCES.c.sequence.in_(sa.bindparam("numbers", expanding=True))
)
"""The statement that selects the resource type and the id of resources by their sequence numbers."""

DROP_MEMBERS: Final = sa.delete(MEMBERSHIPS).where(
    _GROUP, MEMBERSHIPS.c.member.in_(sa.bindparam("members", expanding=True))
)


def _of(number: Any, column: Any) -> Any:
    """Build a subquery for a column of the resource with a sequence number.

    The subquery looks up each resource by itself, so that no query plan reads all resources.
    """
    found = sa.select(column).where(RESOURCES.c.sequence == number, of_tenant(RESOURCES))
    return found.correlate(MEMBERSHIPS).scalar_subquery()


def _memberships(owner: Any, *columns: Any) -> Any:
    """Build a statement that selects columns for the memberships of some owners."""
    wanted = owner.in_(sa.bindparam("numbers", expanding=True))
    return sa.select(owner, *columns).where(wanted).order_by(MEMBERSHIPS.c.position)


MEMBERS_OF: Final = _memberships(
    MEMBERSHIPS.c.group,
    _of(MEMBERSHIPS.c.member, RESOURCES.c.id), _of(MEMBERSHIPS.c.member, RESOURCES.c.type), MEMBERSHIPS.c.display,
)  # fmt: skip
"""The statement that selects the id, the type and the display of each member of some groups."""

_ONE_GROUP: Final = sa.select(RESOURCES.c.sequence).where(HAS_ID).scalar_subquery()

MEMBER_PAGE: Final = (
    sa.select(
        MEMBERSHIPS.c.member, _of(MEMBERSHIPS.c.member, RESOURCES.c.id), _of(MEMBERSHIPS.c.member, RESOURCES.c.type),
        MEMBERSHIPS.c.display,
    )
    .where(MEMBERSHIPS.c.group == _ONE_GROUP, MEMBERSHIPS.c.member > sa.bindparam("after"))
    .order_by(MEMBERSHIPS.c.member)
    .limit(sa.bindparam("count"))
)  # fmt: skip
"""The statement that selects one page of the members of a group: number, id, type and display."""

GROUPS_OF: Final = _memberships(
    MEMBERSHIPS.c.member,
    _of(MEMBERSHIPS.c.group, RESOURCES.c.id), sa.null(), _of(MEMBERSHIPS.c.group, RESOURCES.c.display),
)  # fmt: skip
"""The statement that selects the id and the display of each group of some members."""
