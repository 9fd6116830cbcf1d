"""`SqlLogRows`: the tables of a provisioning log on a connection, for `scimkit.stores.log_operations`.

Each statement names its index: by the form of its conditions, and on MariaDB and MySQL by a hint. A condition that
should not choose the index compares an expression instead of the column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from scimkit.provisioning import LogEntry
from scimkit.provisioning.serialization import entry_to_row, id_bytes, row_to_entry
from scimkit.stores.log_rows import MOST_SORTED, NO_KEY, Activity, LogRows, Minute, Scan
from scimkit.stores.sql.breaker import insert_if_missing
from scimkit.stores.sql.database import Result, Work
from scimkit.stores.sql.log_tables import LogTables

RowWork: TypeAlias = Callable[[LogRows], Result]


def on_rows(tables: LogTables, work: RowWork[Result]) -> Work[Result]:
    """Return work on a connection for work on the rows of the log."""
    return lambda connection: work(SqlLogRows(connection, tables))


def insert_entries(tables: LogTables, entries: Sequence[LogEntry]) -> Work[None]:
    """Add entries. An entry whose id exists is left out."""
    return on_rows(tables, lambda rows: rows.insert(entries))


class SqlLogRows:
    """The `LogRows` of a connection.

    Args:
        connection: A connection with an open transaction.
        tables: The tables, from `provisioning_log_tables`.
    """

    def __init__(self, connection: sa.Connection, tables: LogTables) -> None:
        self._connection = connection
        self._entries = tables.entries
        self._activity = tables.activity

    def insert(self, entries: Sequence[LogEntry]) -> None:
        if entries:
            statement = insert_if_missing(self._entries, self._connection.dialect.name)
            rows = [entry_to_row(each) for each in entries]
            self._connection.execute(statement, rows if len(rows) > 1 else rows[0])

    def find(self, id: str) -> LogEntry | None:
        query = sa.select(self._entries).where(self._entries.c.id == id_bytes(id))
        row = self._connection.execute(query).mappings().first()
        return None if row is None else row_to_entry({**row})

    def entries(self, scan: Scan) -> Sequence[LogEntry]:
        table = self._entries
        query = sa.select(table)
        if scan.by_label:
            few = sa.select(table.c.id).where(*self._conditions(scan)).order_by(table.c.label_key)
            few_ids = self._hinted(few.limit(MOST_SORTED + 1), scan.index).subquery("few")
            newest = sa.select(few_ids.c.id).order_by(few_ids.c.id.desc()).limit(scan.limit)
            query = query.where(table.c.id.in_(self._connection.scalars(newest).all())).order_by(table.c.id.desc())
        else:
            query = self._hinted(query.where(*self._conditions(scan)), scan.index)
            query = query.order_by(*self._order(scan)).limit(scan.limit)
        return [row_to_entry({**each}) for each in self._connection.execute(query).mappings()]

    def count_labels(self, scan: Scan) -> int:
        table = self._entries
        of_tenant = sa.select(sa.literal(1).label("one")).where(table.c.tenant == scan.tenant)
        few = of_tenant.where(*self._labels(scan, table.c.label_key)).order_by(table.c.label_key).limit(MOST_SORTED + 1)
        query = sa.select(sa.func.count()).select_from(self._hinted(few, "label_key").subquery("few"))
        return int(self._connection.execute(query).scalar_one())

    def update(self, entries: Sequence[LogEntry]) -> None:
        columns = ("payload", "external_id", "label_key")
        changed = sa.update(self._entries).where(self._entries.c.id == sa.bindparam("own_id"))
        changed = changed.values({name: sa.bindparam(f"new_{name}") for name in columns})
        rows = [entry_to_row(each) for each in entries]
        values = [{"own_id": row["id"], **{f"new_{name}": row[name] for name in columns}} for row in rows]
        self._connection.execute(changed, values)

    def delete_older(self, before: str, limit: int) -> int:
        id = self._entries.c.id
        found = self._connection.scalars(sa.select(id).where(id < id_bytes(before)).order_by(id).limit(limit)).all()
        return int(self._connection.execute(sa.delete(self._entries).where(id.in_(found))).rowcount) if found else 0

    def add_activity(self, key: Minute, at: int, reads: int) -> str | None:
        table = self._activity
        mine = self._is_minute(key)
        last = sa.case((table.c.last < at, at), else_=table.c.last)
        changed = sa.update(table).where(mine).values(reads=table.c.reads + reads, last=last)
        if self._connection.execute(changed).rowcount != 1:
            return None
        return bytes(self._connection.execute(sa.select(table.c.cycle_id).where(mine)).scalar_one()).decode()

    def latest_activity(self, key: Minute) -> Activity | None:
        table = self._activity
        query = sa.select(table).where(table.c.tenant == key.tenant, table.c.token_id == key.token_id)
        query = query.order_by(table.c.minute.desc()).limit(1).with_for_update()
        row = self._connection.execute(query).first()
        return None if row is None else _activity(row)

    def insert_activity(self, key: Minute, activity: Activity) -> bool:
        row = {
            "tenant": key.tenant, "token_id": key.token_id, "minute": key.minute, "first": activity.first,
            "cycle_id": activity.cycle_id.encode(), "last": activity.last, "reads": activity.reads,
        }  # fmt: skip
        statement = insert_if_missing(self._activity, self._connection.dialect.name)
        counted = statement.execution_options(preserve_rowcount=True)
        return bool(self._connection.execute(counted, row).rowcount == 1)

    def activity_of_cycles(
        self, tenant: bytes, token_id: bytes | None, cycle_id: bytes | None, before: bytes | None, limit: int
    ) -> Sequence[Activity]:
        table = self._activity
        first, last, reads = sa.func.min(table.c.first), sa.func.max(table.c.last), sa.func.sum(table.c.reads)
        query = sa.select(table.c.cycle_id, table.c.token_id, first.label("first"), last.label("last"),
                          reads.label("reads"))  # fmt: skip
        query = query.where(table.c.tenant == tenant)
        if token_id is not None:
            query = query.where(table.c.token_id == token_id)
        if cycle_id is not None:
            query = query.where(table.c.cycle_id == cycle_id)
        if before is not None:
            query = query.where(table.c.cycle_id < before)
        query = query.group_by(table.c.cycle_id, table.c.token_id).order_by(table.c.cycle_id.desc()).limit(limit)
        return [_activity(each) for each in self._connection.execute(query)]

    def counts(self, tenant: bytes, cycles: Sequence[bytes]) -> Sequence[tuple[str, str, str, str, int]]:
        table = self._entries
        columns = (table.c.cycle_id, table.c.action, table.c.result, table.c.error_code)
        query = sa.select(*columns, sa.func.count()).where(table.c.tenant == tenant, table.c.cycle_id.in_(cycles))
        found: Any = self._connection.execute(self._hinted(query.group_by(*columns), "cycle_id"))
        return [(bytes(row[0]).decode("utf-8", "replace"), row[1], row[2], row[3], row[4]) for row in found]

    def delete_older_activity(self, minute: int, limit: int) -> None:
        column = self._activity.c.minute
        oldest = sa.select(column).where(column < minute).order_by(column).limit(limit)
        found = self._connection.scalars(oldest).all()
        if found:
            self._connection.execute(sa.delete(self._activity).where(column <= found[-1]))

    def _is_minute(self, key: Minute) -> sa.ColumnElement[bool]:
        table = self._activity
        return sa.and_(table.c.tenant == key.tenant, table.c.token_id == key.token_id, table.c.minute == key.minute)

    def _conditions(self, scan: Scan) -> list[sa.ColumnElement[bool]]:
        """Return the conditions of a scan. Only the tenant, the id and the leading column can use an index."""
        table = self._entries
        others = scan.equal if scan.by_label else scan.equal[1:]
        found = [self._leading(scan), *(_checked(table.c[name]) == value for name, value in others)]
        return found + self._labels(scan, table.c.label_key if scan.by_label else _checked(table.c.label_key))

    def _leading(self, scan: Scan) -> sa.ColumnElement[bool]:
        """Return the condition of the index that leads to the rows of a scan.

        PostgreSQL would rather walk the index of all ids if it expects to find the rows soon, also if all of them are
        old. A comparison of rows leaves it no other index in the order of the page. With further conditions, it expects
        few rows, and an equality tells it how few.
        """
        table = self._entries
        tenant = table.c.tenant == scan.tenant
        low = None if scan.since is None else id_bytes(scan.since)
        high = None if scan.before is None else id_bytes(scan.before)
        if not self._compares_rows(scan):
            bounds = [] if low is None else [table.c.id >= low]
            bounds += [] if high is None else [table.c.id < high]
            leading = [] if scan.by_label else [table.c[name] == value for name, value in scan.equal[:1]]
            return sa.and_(tenant, *leading, *bounds)
        name, value = scan.equal[0] if scan.equal else ("tenant", scan.tenant)
        column = table.c[name]
        key = sa.tuple_(column, table.c.id)

        def row(id: bytes) -> Any:
            return sa.tuple_(sa.literal(value, column.type), sa.literal(id, table.c.id.type))

        bounds = [key >= row(low or b""), key < row(NO_KEY * 17 if high is None else high)]
        return sa.and_(tenant, *bounds) if scan.equal else sa.and_(*bounds)

    def _order(self, scan: Scan) -> list[sa.ColumnElement[Any]]:
        """Return the order of a page. The leading column, which is the same in all rows, says which index has it."""
        table = self._entries
        leading = table.c[scan.equal[0][0] if scan.equal else "tenant"].desc()
        return [*([leading] if self._compares_rows(scan) else []), table.c.id.desc()]

    def _compares_rows(self, scan: Scan) -> bool:
        is_single = len(scan.equal) < 2 and (scan.labels is None or not scan.equal) and not scan.by_label
        return is_single and self._connection.dialect.name == "postgresql"

    def _labels(self, scan: Scan, column: Any) -> list[sa.ColumnElement[bool]]:
        if scan.labels is None:
            return []
        low, high = scan.labels
        return [column >= low, column < (NO_KEY if high is None else high)]

    def _hinted(self, query: Any, index: str) -> Any:
        """Let MariaDB and MySQL use an index, even if they expect to find the rows sooner in the order of ids."""
        hint = f"FORCE INDEX ({self._entries.name}_{index})"
        return query.with_hint(self._entries, hint, "mysql").with_hint(self._entries, hint, "mariadb")


def _checked(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Return the value of a column as an expression, which is compared without an index."""
    missing = NO_KEY if isinstance(column.type, sa.LargeBinary) else ""
    return sa.func.coalesce(column, sa.literal(missing, column.type), type_=column.type)


def _activity(row: Any) -> Activity:
    return Activity(
        bytes(row.cycle_id).decode(), bytes(row.token_id).decode("utf-8", "replace"), int(row.first), int(row.last),
        int(row.reads),
    )  # fmt: skip
