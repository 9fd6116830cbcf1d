"""Every query of the provisioning log reads an index, and never all rows of a tenant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from scimkit.provisioning import LogQuery
from scimkit.stores.sql import SqlStore
from tests.provisioning.size import cycle_id, fill, queries
from tests.stores.databases import DATABASES
from tests.stores.logs import sql_store

ENTRIES = 6_000
EXPECTED = {
    "newest": "id", "from the middle": "id", "since, until": "id", "small tenant": "id", "resource id": "resource_id",
    "external id": "external_id", "label prefix, one person": "label_key", "label prefix, everyone": "label_key",
    "failures": "result", "failures from the middle": "result", "action": "action", "token": "token_id",
    "cycle": "cycle_id", "resource, result, action": "resource_id", "failed disables of a token": "action",
}  # fmt: skip
"""The index that each query of `tests.provisioning.size` uses."""


@cache
def filled(database: str) -> SqlStore:
    """Return a store with some thousand entries, shared by the tests of this module."""
    store = sql_store(database)
    fill(store, ENTRIES)
    return store


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    """Yield the statements on the log that an engine executes, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "scim_log" in statement:
            found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plan(store: SqlStore, statement: str, parameters: Any) -> str:
    """Return the plan of a statement as text."""
    explain = "EXPLAIN QUERY PLAN " if store.engine.dialect.name == "sqlite" else "EXPLAIN "
    with store.engine.connect() as connection:
        if store.engine.dialect.name == "postgresql" and "label_key >=" in statement:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # this table is small enough to be read whole
        return "\n".join(" ".join(map(str, row)) for row in connection.exec_driver_sql(explain + statement, parameters))


def plans(store: SqlStore, query: LogQuery) -> list[str]:
    """Return the plans of the statements of a query."""
    assert store.provisioning_log is not None
    with statements(store.engine) as found:
        store.provisioning_log.search(query)
    return [plan(store, *each) for each in found]


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("database", DATABASES)
def test_a_query_uses_its_index(database: str, name: str) -> None:
    """A query reads its index in the order of the page. Only a label prefix sorts, and only ids."""
    store = filled(database)
    found = plans(store, queries()[name])
    used = set(re.findall(r"scim_log_[a-z_]+", "\n".join(found)))
    assert f"scim_log_{EXPECTED[name]}" in used, found
    for each in found:
        assert not re.search(r"Seq Scan|SCAN scim_log(?! USING)|scim_log ALL ", each), each
    if not EXPECTED[name].startswith("label"):
        assert len(used) == len(found) == 1, found
        assert not re.search("Sort|TEMP B-TREE|filesort", found[0]), found


@pytest.mark.parametrize("database", DATABASES)
def test_a_person_is_found_by_three_indexes(database: str) -> None:
    """The id, the external id and the label of a person each have an index."""
    found = "\n".join(plans(filled(database), LogQuery(tenant="big", person="person77@example.org")))
    for column in ("resource_id", "external_id", "label_key"):
        assert f"scim_log_{column}" in found


@pytest.mark.parametrize("database", DATABASES)
def test_a_frequent_label_prefix_is_not_sorted(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A label prefix with more entries than a search sorts is found in the order of time."""
    for module in ("log_operations", "sql.log_statements"):
        monkeypatch.setattr(f"scimkit.stores.{module}.MOST_SORTED", 100)
    store = filled(database)
    count, search = plans(store, LogQuery(tenant="big", label_prefix="p"))
    assert "scim_log_label_key" in count
    assert "scim_log_id" in search
    assert not re.search("Sort|TEMP B-TREE|filesort", search)


@pytest.mark.parametrize("database", DATABASES)
def test_the_counts_of_a_cycle_come_from_an_index(database: str) -> None:
    """The entries of a cycle are counted in an index, without their rows."""
    store = filled(database)
    with store.engine.connect() as connection, statements(store.engine) as found:
        from scimkit.stores.sql.log_statements import SqlLogRows
        from scimkit.stores.sql.tables import LOG

        counted = SqlLogRows(connection, LOG).counts(b"big", [cycle_id(500).encode(), cycle_id(501).encode()])
    assert sum(each[-1] for each in counted) == len(
        [each for number in (500, 501) for each in everything(store, cycle_id(number))]
    )
    text = plan(store, *found[0])
    assert "scim_log_cycle_id" in text
    covering = {"sqlite": "COVERING INDEX", "mysql": "Using index", "postgresql": "scim_log_cycle_id"}
    assert covering[database] in text, text


def everything(store: SqlStore, cycle: str) -> list[Any]:
    """Return the entries of a cycle."""
    assert store.provisioning_log is not None
    return list(store.provisioning_log.search(LogQuery(tenant="big", cycle_id=cycle, limit=1000)).entries)
