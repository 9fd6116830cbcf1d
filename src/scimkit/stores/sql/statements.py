"""The statements that most requests make, built once, so that SQLAlchemy knows them again at little cost.

What differs between two runs is bound by name, in every one the tenant. This module never runs a statement.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from scimkit.stores.sql.tables import CLAIMS, MEMBERSHIPS, RESOURCES, VALUES

_TENANT: Final = sa.bindparam("tenant", type_=RESOURCES.c.tenant.type)
_KIND: Final = sa.bindparam("kind", type_=RESOURCES.c.type.type)


def held(column: Any, value: Any) -> sa.ColumnElement[bool]:
    """That a column has a value, said so that no database looks for its rows by that.

    A database knows nothing yet of how many rows a new tenant has. Left to choose, PostgreSQL takes them for
    few and reads them all, where the id or the value at hand leads to one.
    """
    equal: sa.ColumnElement[bool] = sa.func.coalesce(column, sa.literal("", column.type), type_=column.type) == value
    return equal


def of_tenant(resources: Any) -> sa.ColumnElement[bool]:
    """That rows of resources, found by something else, are the tenant's."""
    return held(resources.c.tenant, _TENANT)


OWN: Final = sa.and_(RESOURCES.c.tenant == _TENANT, RESOURCES.c.type == _KIND)
"""The resources of one tenant and type."""

HELD: Final = sa.and_(of_tenant(RESOURCES), held(RESOURCES.c.type, _KIND))
"""As `OWN`, for who has a better way to find them."""

COLUMNS: Final = tuple(RESOURCES.c[name] for name in ("sequence", "id", "version", "created", "modified", "document"))

FIND: Final = sa.select(*COLUMNS).where(HELD, RESOURCES.c.id == sa.bindparam("id", type_=RESOURCES.c.id.type))
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
"""Resources become their next version as they are. The time of the last change never goes back."""

DROP_CLAIM: Final = sa.delete(CLAIMS).where(
    CLAIMS.c.slot == sa.bindparam("the_slot"), CLAIMS.c.digest == sa.bindparam("the_digest")
)

DROP_VALUE: Final = sa.delete(VALUES).where(
    VALUES.c.resource == sa.bindparam("number"),
    *(VALUES.c[name] == sa.bindparam(f"the_{name}") for name in ("slot", "element", "place")),
)

_IDS: Final = of_tenant(RESOURCES) & RESOURCES.c.id.in_(sa.bindparam("ids", expanding=True))
_GROUP: Final = MEMBERSHIPS.c.group == sa.bindparam("number")

_THERE: Final = sa.select(MEMBERSHIPS.c.member).where(_GROUP, MEMBERSHIPS.c.member == RESOURCES.c.sequence)

KNOWN: Final = sa.select(
    RESOURCES.c.sequence, RESOURCES.c.id, _THERE.correlate(RESOURCES).scalar_subquery().label("member")
).where(_IDS)
"""The resources of some ids, and whether a group has them as members; each looked up by itself, however many it has."""

NAMES: Final = sa.select(RESOURCES.c.sequence, RESOURCES.c.type, RESOURCES.c.id).where(
    of_tenant(RESOURCES), RESOURCES.c.sequence.in_(sa.bindparam("numbers", expanding=True))
)
"""Resource type and id of the resources of some numbers."""

DROP_MEMBERS: Final = sa.delete(MEMBERSHIPS).where(
    _GROUP, MEMBERSHIPS.c.member.in_(sa.bindparam("members", expanding=True))
)


def _far(number: Any, column: Any) -> Any:
    """A column of the resource of a number, each looked up by itself, so that no plan can read them all instead."""
    found = sa.select(column).where(RESOURCES.c.sequence == number, of_tenant(RESOURCES))
    return found.correlate(MEMBERSHIPS).scalar_subquery()


def _entries(owner: Any, *columns: Any) -> Any:
    wanted = owner.in_(sa.bindparam("numbers", expanding=True))
    return sa.select(owner, *columns).where(wanted).order_by(MEMBERSHIPS.c.position)


MEMBERS_OF: Final = _entries(
    MEMBERSHIPS.c.group,
    _far(MEMBERSHIPS.c.member, RESOURCES.c.id), _far(MEMBERSHIPS.c.member, RESOURCES.c.type), MEMBERSHIPS.c.display,
)  # fmt: skip
"""Id, type and display of each member of some groups."""

_ONE_GROUP: Final = sa.select(RESOURCES.c.sequence).where(
    HELD, RESOURCES.c.id == sa.bindparam("id", type_=RESOURCES.c.id.type)
).scalar_subquery()  # fmt: skip

MEMBER_PAGE: Final = (
    sa.select(
        MEMBERSHIPS.c.member, _far(MEMBERSHIPS.c.member, RESOURCES.c.id), _far(MEMBERSHIPS.c.member, RESOURCES.c.type),
        MEMBERSHIPS.c.display,
    )
    .where(MEMBERSHIPS.c.group == _ONE_GROUP, MEMBERSHIPS.c.member > sa.bindparam("after"))
    .order_by(MEMBERSHIPS.c.member)
    .limit(sa.bindparam("count"))
)  # fmt: skip
"""Number, id, type and display of some members of a group, in the order of an index."""

GROUPS_OF: Final = _entries(
    MEMBERSHIPS.c.member,
    _far(MEMBERSHIPS.c.group, RESOURCES.c.id), sa.null(), _far(MEMBERSHIPS.c.group, RESOURCES.c.display),
)  # fmt: skip
"""Id and display of each group of some members."""
