"""The plans that PostgreSQL makes for the statements of the SQL store, with the rows that each plan reads.

A statement that the store prepares is explained with its generic plan, and any other with the plan for its parameters.
This module changes nothing: each statement is rolled back.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from scimkit import GROUP, USER, Query, Scope, filters
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.sql import SqlStore
from scimkit.stores.sql.hot_statements import HotStatement

_PARAMETER: Final = re.compile(r"%\((\w+)\)s")
_SETTINGS: Final = ("plan_cache_mode", "enable_seqscan", "jit")
_WHOLE: Final = ("Seq Scan",)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one statement of a request."""

    request: str
    statement: str
    prepared: bool
    scans: tuple[str, ...]
    """The tables and indexes that the plan reads, such as `scim_value by ix_value`."""
    rows: int
    """Number of rows that the scans read."""
    pages: int
    """Number of pages of 8 KB that the statement touched."""

    @property
    def reads_whole_table(self) -> bool:
        """True if the plan reads a table from its beginning to its end."""
        return any(each.endswith(_WHOLE) for each in self.scans)


class _Undo(Exception):
    """The exception that rolls the requests back."""


def _requests(store: Any, scope: Scope, user: str, group: str, name: str) -> dict[str, Callable[[], object]]:
    """Return one request of each kind."""

    def find(text: str, kind: Any = USER) -> Callable[[], object]:
        requested: Any = (lambda each: each != "members") if kind is GROUP else (lambda each: True)
        return lambda: store.search(scope, Query(kind, filters.parse(text), count=10, requested=requested))

    def change(kind: Any, id: str, changes: ChangeSet) -> Callable[[], object]:
        return lambda: store.change(scope, kind, id, changes)

    member = ({"value": user},)
    nothing = ReferenceChanges(removed=(group,))  # a group is no member of itself, so nothing is written
    document = {"schemas": [USER.schema], "userName": f"new-{name}", "externalId": "new", "active": True}
    return {
        "GET of a user": lambda: store.get(scope, USER, user),
        "GET of a group without members": lambda: store.get(scope, GROUP, group, lambda each: each != "members"),
        "userName eq": find(f'userName eq "{name}"'),
        "externalId eq": find('externalId eq "ext-7"'),
        "emails.value eq": find(f'emails.value eq "{name}"'),
        "emails[...].value eq": find(f'emails[type eq "work" and value eq "{name}"]'),
        "members eq": find(f'members eq "{user}"', GROUP),
        "id eq and members eq": find(f'id eq "{group}" and members eq "{user}"', GROUP),
        "first page": lambda: store.search(scope, Query(USER, count=100)),
        "POST of a user": lambda: store.create(scope, USER, document),
        "PATCH active": change(USER, user, ChangeSet({"active": False})),
        "PATCH userName": change(USER, user, ChangeSet({"userName": f"other-{name}"})),
        "members without a transaction": change(GROUP, group, ChangeSet(references={"members": nothing})),
        "add a member": change(GROUP, group, ChangeSet(references={"members": ReferenceChanges(member)})),
        "remove a member": change(GROUP, group, ChangeSet(references={"members": ReferenceChanges(removed=(user,))})),
        "DELETE of a user": lambda: store.delete(scope, USER, user),
    }  # fmt: skip


def plans(url: str, tenant: str, user: str, group: str, name: str) -> Iterator[Plan]:
    """Yield the plan of each statement that requests to one tenant run.

    Args:
        url: The URL of a PostgreSQL database with the tables of scimkit.
        tenant: The tenant.
        user: The id of a user.
        group: The id of a group.
        name: The userName of the user.
    """
    store, scope = SqlStore(url, upgrade=False), Scope(tenant)
    said: list[tuple[str, Any]] = []

    def note(_: Any, cursor: Any, sql: str, values: Any, *rest: Any) -> None:
        said.append((sql, values))

    sa.event.listen(store.engine, "before_cursor_execute", note)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        with store.engine.connect() as settings:
            for setting in _SETTINGS:
                value = settings.exec_driver_sql(f"SHOW {setting}").scalar()
                connection.execute(f"SET {setting} = {value}")  # type: ignore[arg-type]
        for title, request in _requests(store, scope, user, group, name).items():
            said.clear()

            def work(inner: Any, title: str = title) -> None:
                _requests(inner, scope, user, group, name)[title]()
                raise _Undo

            if title.startswith(("PATCH", "POST", "DELETE", "add", "remove")):
                with suppress(_Undo):
                    store.transaction(scope, work)
            else:
                request()
            for sql, values in list(said):
                if sql.lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")) and "scim_" in sql:
                    yield _explained(connection, title, sql, values)
    store.engine.dispose()


def _is_hot(sql: str) -> bool:
    """Report whether the store prepares a statement."""
    known = [each for each in gc.get_objects() if isinstance(each, HotStatement) and each.may_prepare]
    return sql in {text.sql for each in known for text in each._texts.values()}


def _explained(connection: Any, title: str, sql: str, values: Any) -> Plan:
    """Explain one statement, run it, and roll it back."""
    rows = values if isinstance(values, list) else [values]
    hot = _is_hot(sql)
    cursor = psycopg.ClientCursor(connection)
    with suppress(_Undo), connection.transaction():
        if hot:
            names = list(dict.fromkeys(_PARAMETER.findall(sql)))
            numbered = _PARAMETER.sub(lambda match: f"${names.index(match[1]) + 1}", sql)
            connection.execute(f"PREPARE explained AS {numbered}")
            given = ", ".join(["%s"] * len(names))
            arguments = [rows[0][each] for each in names]
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained({given})", arguments)
        else:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", rows[0])
        found = cursor.fetchone()
        raise _Undo
    if hot:
        connection.execute("DEALLOCATE explained")
    top = found[0][0]["Plan"]
    nodes = [node for node in _nodes(top) if "Relation Name" in node and "Scan" in node["Node Type"]]
    nodes += [node for node in _nodes(top) if node["Node Type"] == "Bitmap Index Scan"]
    scans = tuple(dict.fromkeys(
        f"{node['Relation Name']} by {node['Index Name']}" if "Relation Name" in node and "Index Name" in node
        else f"by {node['Index Name']}" if "Index Name" in node
        else f"{node['Relation Name']} by {node['Node Type']}"
        for node in nodes
    ))  # fmt: skip
    read = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in nodes
    )  # fmt: skip
    pages = top.get("Shared Hit Blocks", 0) + top.get("Shared Read Blocks", 0)
    return Plan(title, sql, hot, scans, int(read), pages)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a node of a plan, and all nodes below it."""
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
