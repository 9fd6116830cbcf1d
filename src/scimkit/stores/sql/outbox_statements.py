"""The statements of an outbox in a SQL database, as functions of a connection.

Workers do not wait for each other: a claim locks its rows with SKIP LOCKED where the database has it. A claim is a
token and a lease in the row, so that no transaction is open during a delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import uuid4

import sqlalchemy as sa

from scimkit.events.outbox import (
    MAX_COUNTED,
    OutboxBacklog,
    OutboxEntry,
    OutboxStatus,
    backlog_of,
    entry_of,
    error_text,
    milliseconds,
    new_row,
)
from scimkit.events.resource_events import ResourceEvent
from scimkit.stores.sql.database import Work
from scimkit.stores.sql.hot_statements import HotStatement, takes_single_statements
from scimkit.uuid7 import to_milliseconds

CANDIDATES: Final = 8
"""The number of candidates for each entry that a worker claims, because other workers may lock some."""
PURGED_AT_ONCE: Final = 1_000
"""The largest number of entries that one transaction deletes."""
_FEW: Final = 4
"""The largest number of events that are inserted one by one."""
_SKIP_LOCKED_SINCE: Final = {"postgresql": (9, 5), "mariadb": (10, 6), "mysql": (8, 0, 1)}


def insert_events(table: sa.Table, events: Sequence[ResourceEvent]) -> Work[None]:
    """Add events in their order. On PostgreSQL, the events of a usual request are sent together with COMMIT."""

    def run(connection: sa.Connection) -> None:
        rows = [new_row(each) for each in events]
        if len(rows) > _FEW or not takes_single_statements(connection.dialect):
            connection.execute(sa.insert(table), rows)
            return
        for row in rows:
            _insertion(table, tuple(row)).run_with_next(connection, row)

    return run


@lru_cache(maxsize=16)
def _insertion(table: sa.Table, columns: tuple[str, ...]) -> HotStatement:
    """Return the statement that inserts one event, with the columns of `new_row`."""
    new = {name: sa.bindparam(name, type_=table.c[name].type) for name in columns}
    return HotStatement(sa.insert(table).values(new).returning(table.c.sequence), writes=True)


def candidates(table: sa.Table, count: int) -> Work[Sequence[int]]:
    """Return the sequences of entries that could be claimed.

    An entry without an earlier pending entry of its resource stays without one, because later writes append. The
    answer is therefore safe to use in a later transaction.
    """
    earlier = table.alias("earlier")
    is_blocked = sa.exists().where(
        earlier.c.resource_key == table.c.resource_key,
        earlier.c.status == "pending",
        earlier.c.sequence < table.c.sequence,
    )
    query = (
        sa.select(table.c.sequence)
        .where(table.c.status == "pending", table.c.due <= milliseconds(), ~is_blocked)
        .order_by(table.c.due, table.c.sequence)
        .limit(count * CANDIDATES)
    )
    return lambda connection: connection.scalars(query).all()


def claim(table: sa.Table, found: Sequence[int], count: int, lease: float) -> Work[list[OutboxEntry]]:
    """Claim at most `count` of some candidates."""

    def run(connection: sa.Connection) -> list[OutboxEntry]:
        now = milliseconds()
        is_free = sa.and_(table.c.status == "pending", table.c.due <= now)
        query = sa.select(table.c.sequence).where(table.c.sequence.in_(found), is_free)
        query = query.order_by(table.c.sequence).limit(count)
        if can_skip_locked(connection.dialect):
            query = query.with_for_update(skip_locked=True)
        chosen = connection.scalars(query).all()
        if not chosen:
            return []
        token = uuid4().hex
        taken = sa.update(table).where(table.c.sequence.in_(chosen), is_free)
        connection.execute(taken.values(claim=token, due=now + int(lease * 1000)))
        rows = sa.select(table).where(table.c.sequence.in_(chosen), table.c.claim == token)
        return [entry_of(dict(each)) for each in connection.execute(rows.order_by(table.c.sequence)).mappings()]

    return run


def finish(table: sa.Table, entry: OutboxEntry, status: OutboxStatus, error: str | None = None) -> Work[bool]:
    """Mark a claimed entry as delivered or dead."""
    values: dict[str, Any] = {"status": status, "finished": milliseconds(), "claim": None}
    if error is not None:
        values |= {"error": error_text(error), "attempts": table.c.attempts + 1}
    return _update_claimed(table, entry, values)


def fail(table: sa.Table, entry: OutboxEntry, error: str, delay: float) -> Work[bool]:
    """Note a failed attempt, and let later entries of the resource wait as long."""
    due = milliseconds() + int(delay * 1000)
    failed = _update_claimed(
        table, entry, {"claim": None, "due": due, "attempts": table.c.attempts + 1, "error": error_text(error)}
    )
    key = sa.select(table.c.resource_key).where(table.c.sequence == entry.sequence)

    def run(connection: sa.Connection) -> bool:
        if not failed(connection):
            return False
        later = sa.update(table).where(
            table.c.resource_key == connection.scalar(key), table.c.status == "pending", table.c.due < due
        )
        connection.execute(later.values(due=due))
        return True

    return run


def release(table: sa.Table, entries: Sequence[OutboxEntry]) -> Work[None]:
    """Give claimed entries back."""

    def run(connection: sa.Connection) -> None:
        for each in entries:
            _update_claimed(table, each, {"claim": None, "due": milliseconds()})(connection)

    return run


def replay(table: sa.Table, event_id: str) -> Work[bool]:
    """Make an entry pending and due, together with the pending entries of its resource that wait for it."""

    def run(connection: sa.Connection) -> bool:
        now = milliseconds()
        key = connection.scalar(sa.select(table.c.resource_key).where(table.c.event_id == event_id))
        if key is None:
            return False
        is_unclaimed = sa.or_(table.c.claim.is_(None), table.c.due <= now)
        again = sa.update(table).where(table.c.event_id == event_id, is_unclaimed)
        values: dict[str, Any] = {"status": "pending", "finished": None, "attempts": 0, "error": "", "claim": None}
        connection.execute(again.values(**values))
        waiting = sa.update(table).where(table.c.resource_key == key, table.c.status == "pending", is_unclaimed)
        connection.execute(waiting.values(due=now))
        return True

    return run


def entries(table: sa.Table, status: OutboxStatus | None, after: int, limit: int) -> Work[list[OutboxEntry]]:
    """Return entries in the order of the outbox."""
    query = sa.select(table).where(table.c.sequence > after).order_by(table.c.sequence).limit(limit)
    if status is not None:
        query = query.where(table.c.status == status)
    return lambda connection: [entry_of(dict(each)) for each in connection.execute(query).mappings()]


def backlog(table: sa.Table) -> Work[OutboxBacklog]:
    """Return the number of pending and dead entries, and the time of the first pending entry, in one statement."""

    def number(status: OutboxStatus) -> Any:
        found = sa.select(table.c.sequence).where(table.c.status == status).limit(MAX_COUNTED).subquery()
        return sa.select(sa.func.count()).select_from(found).scalar_subquery()

    first = sa.select(table.c.created).where(table.c.status == "pending").order_by(table.c.sequence).limit(1)
    query = sa.select(number("pending"), number("dead"), first.scalar_subquery())
    return lambda connection: backlog_of(*connection.execute(query).one())


def purge(table: sa.Table, older_than: datetime, *, dead_letters: bool) -> Work[int]:
    """Delete at most `PURGED_AT_ONCE` finished entries, and return their number."""
    statuses = ["delivered", *(["dead"] if dead_letters else [])]
    query = (
        sa.select(table.c.sequence)
        .where(table.c.status.in_(statuses), table.c.finished < to_milliseconds(older_than))
        .limit(PURGED_AT_ONCE)
    )

    def run(connection: sa.Connection) -> int:
        found = connection.scalars(query).all()
        if not found:
            return 0
        is_finished = table.c.status.in_(statuses)
        return int(connection.execute(sa.delete(table).where(table.c.sequence.in_(found), is_finished)).rowcount)

    return run


def can_skip_locked(dialect: sa.Dialect) -> bool:
    """Report whether a database has SKIP LOCKED. A claim is safe without it, but workers then wait for each other."""
    name = "mariadb" if getattr(dialect, "is_mariadb", False) else dialect.name
    since = _SKIP_LOCKED_SINCE.get(name)
    version: tuple[Any, ...] | None = getattr(dialect, "server_version_info", None)
    if since is None or version is None:
        return False
    return tuple(each for each in version if isinstance(each, int)) >= since


def _update_claimed(table: sa.Table, entry: OutboxEntry, values: dict[str, Any]) -> Work[bool]:
    is_mine = sa.and_(
        table.c.sequence == entry.sequence, table.c.status == "pending", table.c.claim == (entry.claim or "")
    )
    changed = sa.update(table).where(is_mine).values(**values)
    return lambda connection: connection.execute(changed).rowcount == 1
