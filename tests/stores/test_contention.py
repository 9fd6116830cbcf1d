"""Concurrent writers: several processes, deadlocks, serialization failures and lost connections."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from scimkit import GROUP, USER, Query, Scope, SyncStore
from scimkit.errors import Unavailable
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.sql import SqlStore, hot_statements
from scimkit.stores.sql.postgresql_statements import UPDATE_ENTRIES
from scimkit.stores.sqlalchemy import MappedStore
from tests.stores.databases import DATABASES, Apart, apart, end_connection, number_of, store_of, url_of
from tests.stores.mapped.helpdesk import AGENTS, TEAMS, account, sessions_of

on_every_database = pytest.mark.parametrize("database", DATABASES)
on_every_server = pytest.mark.parametrize("database", [each for each in DATABASES if each.values != ("sqlite",)])
SCOPE = Scope("one")


def user(name: str) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": name}


def group(name: str) -> dict[str, Any]:
    return {"schemas": [GROUP.schema], "displayName": name}


def joining(id: str) -> ChangeSet:
    return ChangeSet(references={"members": ReferenceChanges(({"value": id},))})


@on_every_database
def test_changes_of_several_processes_all_land(database: str) -> None:
    """If several processes add members to one group, no member is lost and each change has its own version."""
    store, scope = store_of(database), Scope(f"joiners-{os.urandom(4).hex()}")
    team = store.create(scope, GROUP, group("g")).document["id"]
    people = [store.create(scope, USER, user(f"u{number}")).document["id"] for number in range(30)]
    command = [sys.executable, "-m", "tests.stores.joiner", url_of(database), scope.tenant, team]
    joiners = [
        subprocess.Popen([*command, *people[start::3]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for start in range(3)
    ]
    for each in joiners:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda each: each.communicate("go\n", timeout=60), joiners))
    assert [each.returncode for each in joiners] == [0, 0, 0]
    found = store.get(scope, GROUP, team)
    assert {each["value"] for each in found["members"]} == set(people)
    assert found["meta"]["version"] == 'W/"31"'


@on_every_database
def test_deadlocks_are_tried_again(database: str) -> None:
    """Transactions that change two groups in opposite orders all succeed."""
    store = apart(database)
    teams = [store.create(SCOPE, GROUP, group(f"g{number}")).document["id"] for number in range(2)]
    people = [store.create(SCOPE, USER, user(f"u{number}")).document["id"] for number in range(12)]

    def join(number: int) -> None:
        def work(inner: SyncStore) -> None:
            for team in teams if number % 2 else reversed(teams):
                inner.change(SCOPE, GROUP, team, joining(people[number]))

        store.transaction(SCOPE, work)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(join, range(12)))
    for team in teams:
        assert {each["value"] for each in store.get(SCOPE, GROUP, team)["members"]} == set(people)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
@on_every_server
def test_serialization_failures_are_tried_again(database: str, level: Any) -> None:
    """Concurrent changes all succeed on an application's engine with a stricter isolation level."""
    engine = sa.create_engine(store_of(database).engine.url, isolation_level=level)
    try:
        store = Apart(SqlStore(engine, upgrade=False))
        team = store.create(SCOPE, GROUP, group("g")).document["id"]
        people = [store.create(SCOPE, USER, user(f"u{number}")).document["id"] for number in range(12)]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda id: store.change(SCOPE, GROUP, team, joining(id)), people))
        assert {each["value"] for each in store.get(SCOPE, GROUP, team)["members"]} == set(people)
    finally:
        engine.dispose()


def _own_tables(database: str) -> tuple[SyncStore, sa.Engine]:
    store = SqlStore(url_of(database), upgrade=False)
    return store, store.engine


def _tables_of_the_host(database: str) -> tuple[SyncStore, sa.Engine]:
    sessions = sessions_of(database)
    return MappedStore(sessions, (AGENTS, TEAMS)), sessions.kw["bind"]


on_every_store = pytest.mark.parametrize("store_on", [_own_tables, _tables_of_the_host])


@on_every_store
@on_every_server
def test_broken_connections_are_replaced(database: str, store_on: Any) -> None:
    """After the server ended every connection, as at a restart, the next read and the next write succeed."""
    others = store_of(database).engine
    store, engine = store_on(database)
    scope = Scope(account())
    for use in (lambda: store.search(scope, Query(USER)), lambda: store.create(scope, USER, user("ada"))):
        assert store.search(scope, Query(USER)).total == 0
        with engine.connect() as connection:
            idle = number_of(connection)
        end_connection(others, idle)
        use()
    assert store.search(scope, Query(USER)).total == 1
    engine.dispose()


@on_every_store
@on_every_server
def test_a_connection_that_breaks_at_the_commit_is_not_tried_again(database: str, store_on: Any) -> None:
    """A write whose connection was lost during COMMIT is not repeated, because the outcome is unknown."""
    others = store_of(database).engine
    store, engine = store_on(database)
    scope = Scope(account())
    store.create(scope, USER, user("ada"))
    ended: list[int] = []

    def end(connection: sa.Connection) -> None:
        ended.append(number_of(connection))
        end_connection(others, ended[-1])

    sa.event.listen(engine, "commit", end)
    with pytest.raises(Unavailable):
        store.transaction(scope, lambda inner: inner.create(scope, USER, user("bob")))
    assert len(ended) == 1
    sa.event.remove(engine, "commit", end)
    assert store.search(scope, Query(USER)).total == 1
    engine.dispose()


@pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])
def test_a_connection_that_breaks_during_a_single_statement(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write of one statement is not repeated if its connection is lost, but the read before it is."""
    others = store_of(database).engine
    store = SqlStore(url_of(database), upgrade=False)
    scope = Scope(account())
    id = store.create(scope, USER, user("ada")).document["id"]
    ended: list[int] = []
    write = hot_statements._run

    def run(connection: sa.Connection, *statement: Any) -> Any:
        if not ended:
            ended.append(int(connection.connection.driver_connection.info.backend_pid))  # type: ignore[union-attr]
            end_connection(others, ended[-1])
        return write(connection, *statement)

    monkeypatch.setattr(hot_statements, "_run", run)
    store.change(scope, USER, id, ChangeSet({"active": False}))
    assert len(ended) == 1
    ended.clear()
    with pytest.raises(Unavailable):
        store.create(scope, USER, user("bob"))
    assert len(ended) == 1
    monkeypatch.undo()
    assert store.search(scope, Query(USER)).total == 1
    assert store.get(scope, USER, id)["active"] is False
    store.engine.dispose()


@pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])
def test_a_write_that_came_between(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another write changes the resource between the read and the write, both changes are kept."""
    store, scope = store_of(database), Scope(account())
    id = store.create(scope, USER, user("ada")).document["id"]
    write, others = hot_statements._run, iter([ChangeSet({"displayName": "Ada"})])

    def run(connection: sa.Connection, statement: hot_statements.HotStatement, parameters: Any) -> Any:
        other = next(others, None) if statement in UPDATE_ENTRIES else None
        if other is not None:
            store.change(scope, USER, id, other)
        return write(connection, statement, parameters)

    monkeypatch.setattr(hot_statements, "_run", run)
    written = store.change(scope, USER, id, ChangeSet({"active": False})).document
    assert (written["displayName"], written["active"]) == ("Ada", False)
    assert written["meta"]["version"] == 'W/"3"'
    assert store.get(scope, USER, id) == written
