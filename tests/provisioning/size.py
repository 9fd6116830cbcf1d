"""Measure the provisioning log: `python -m tests.provisioning.size [ENTRIES] [DATABASE ...]`.

The script fills a log with generated entries of two tenants, prints the time of each kind of query, and prints what a
write pays for its entry.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from time import perf_counter, process_time
from typing import Any, Final

import sqlalchemy as sa

from scimkit import USER, Scope
from scimkit.provisioning import LogEntry, LogQuery
from scimkit.provisioning.entries import Action, LogResult
from scimkit.provisioning.serialization import entry_to_row
from scimkit.stores.sql import SqlStore
from scimkit.stores.sql.tables import LOG
from scimkit.uuid7 import new_id_at, new_uuid7
from tests.stores.logs import sql_store

END: Final = datetime(2026, 3, 1, tzinfo=UTC)
DAYS: Final = 30
PEOPLE: Final = 10_000
_CYCLES: Final = 1_000
_BATCH: Final = 5_000


def generated(count: int) -> Iterator[LogEntry]:
    """Yield entries of thirty days, most of them of one tenant: updates without error, and some of everything else."""
    random = Random(1)
    begin = END - timedelta(days=DAYS)
    for number in range(count):
        at = begin + timedelta(days=DAYS) * number / count
        person = random.randrange(PEOPLE)
        action: Action = random.choices(("Update", "Create", "Disable", "AddMembers"), (90, 5, 1, 4))[0]
        result: LogResult = random.choices(("Success", "Failure", "Skipped", "Warning"), (94, 1, 4, 1))[0]
        yield LogEntry(
            id=new_id_at(at), started=at, tenant="big" if number % 50 else "small", action=action, result=result,
            token_id=f"token-{number % 3}", cycle_id=cycle_id(number * _CYCLES // count),
            error_code="uniqueness" if result == "Failure" else "", resource_type="User",
            resource_id=f"id-{person}", external_id=f"external-{person}", label=f"person{person}@example.org",
            detail="userName is taken" if result == "Failure" else "", duration=3.5, method="PATCH",
            request_id=f"{number:032x}", user_agent="Microsoft.SCIM", identity_provider="Microsoft Entra ID",
            changes={"displayName": {"before": "Old name", "after": "New name"}},
        )  # fmt: skip


def cycle_id(number: int) -> str:
    """Return the id of a cycle."""
    return f"00000000-0000-7000-8000-{number:012d}"


def fill(store: SqlStore, count: int) -> None:
    """Insert entries, many with each statement, and let the database count its rows."""
    rows: list[dict[str, Any]] = []
    for each in generated(count):
        rows.append(entry_to_row(each))
        if len(rows) == _BATCH:
            _insert(store, rows)
            rows = []
    if rows:
        _insert(store, rows)
    statements = {"mysql": "ANALYZE TABLE scim_log", "postgresql": "VACUUM ANALYZE scim_log", "sqlite": "SELECT 1"}
    statement = statements[store.engine.dialect.name]
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement).close()


def _insert(store: SqlStore, rows: list[dict[str, Any]]) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.insert(LOG.entries), rows)


def queries() -> dict[str, LogQuery]:
    """Return the queries to measure, by what they ask."""
    middle = new_id_at(END - timedelta(days=DAYS / 2))
    return {
        "newest": LogQuery(tenant="big"),
        "from the middle": LogQuery(tenant="big", cursor=middle),
        "since, until": LogQuery(tenant="big", since=END - timedelta(days=9), until=END - timedelta(days=8)),
        "small tenant": LogQuery(tenant="small", cursor=middle),
        "resource id": LogQuery(tenant="big", resource_id="id-77"),
        "external id": LogQuery(tenant="big", external_id="external-77"),
        "label prefix, one person": LogQuery(tenant="big", label_prefix="Person77@"),
        "label prefix, everyone": LogQuery(tenant="big", label_prefix="p"),
        "label prefix, nobody": LogQuery(tenant="big", label_prefix="nobody"),
        "person by id": LogQuery(tenant="big", person="id-77"),
        "person by label": LogQuery(tenant="big", person="person77@example.org"),
        "failures": LogQuery(tenant="big", result="Failure"),
        "failures from the middle": LogQuery(tenant="big", result="Failure", cursor=middle),
        "successes": LogQuery(tenant="big", result="Success", cursor=middle),
        "action": LogQuery(tenant="big", action="Disable"),
        "token": LogQuery(tenant="big", token_id="token-1"),
        "cycle": LogQuery(tenant="big", cycle_id=cycle_id(_CYCLES // 2)),
        "person, failures": LogQuery(tenant="big", person="id-77", result="Failure"),
        "resource, result, action": LogQuery(tenant="big", resource_id="id-77", result="Success", action="Update"),
        "failed disables of a token": LogQuery(tenant="big", result="Failure", action="Disable", token_id="token-1"),
        "no such token": LogQuery(tenant="big", token_id="nobody"),
    }


def milliseconds(work: Callable[[], object], times: int = 5) -> float:
    """Return the smallest time of some runs, in milliseconds."""
    found = []
    for _ in range(times):
        start = perf_counter()
        work()
        found.append(perf_counter() - start)
    return min(found) * 1000


def print_queries(store: SqlStore) -> None:
    """Print the time of each query, of the counts of a cycle, and of the cycles of a tenant."""
    log = store.provisioning_log
    assert log is not None
    for name, query in queries().items():
        found = len(log.search(query).entries)
        print(f"  {name:<28} {milliseconds(lambda query=query: log.search(query)):8.1f} ms, {found} entries")  # type: ignore[misc]
    cycles = [
        log.note_activity("big", "token-1", END + timedelta(minutes=minute), 1)
        for hour in range(24 * DAYS)
        for minute in (hour * 60, hour * 60 + 1)
    ]
    print(f"  {'20 of ' + str(len(set(cycles))) + ' cycles':<28} {milliseconds(lambda: log.cycles('big')):8.1f} ms")


def print_cost(store: SqlStore, times: int = 1000) -> None:
    """Print the time and the CPU time of creating a user, without and with an entry in the transaction."""
    scope = Scope("cost")
    entry = next(generated(1))

    def write(inside: Any, *, is_logged: bool) -> None:
        inside.create(scope, USER, {"schemas": [USER.schema], "userName": new_uuid7()})
        if is_logged:
            inside.record_log([LogEntry(**{**_fields(entry), "id": new_uuid7()})])

    for is_logged in (False, True, False, True):
        start, cpu = perf_counter(), process_time()
        for _ in range(times):
            store.transaction(scope, lambda inside, is_logged=is_logged: write(inside, is_logged=is_logged))  # type: ignore[misc]
        elapsed, used = perf_counter() - start, process_time() - cpu
        name = "with an entry" if is_logged else "without"
        print(f"  create {name:<14} {elapsed / times * 1e6:8.0f} us, CPU of Python {used / times * 1e6:6.0f} us")


def _fields(entry: LogEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in LogEntry.__slots__}


def main(count: int, databases: list[str]) -> None:
    """Fill the log of each database and print the times."""
    for database in databases:
        store = sql_store(database)
        print(f"{database}: the empty log")
        print_cost(store)
        start = perf_counter()
        fill(store, count)
        print(f"{database}: {count} entries in {perf_counter() - start:.0f} s")
        print_queries(store)
        print_cost(store)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2:] or ["postgresql"])
