"""Connections of Django that are lost while idle, and the deadline of a request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.stores.django.declared import AGENTS, TEAMS, helpdesk_of
from tests.stores.django.project import alias

from django.db import connections, transaction  # isort: skip

from scimkit import USER, Query, Scope, filters
from scimkit.errors import InvalidValue, Unavailable, Uniqueness
from scimkit.stores.django import DjangoStore
from scimkit.stores.django.tokens import DjangoTokenStore
from tests.stores.databases import DATABASES
from tests.stores.django.helpdesk.models import Agent
from tests.stores.mapped.helpdesk import account

SERVERS = [each for each in DATABASES if each.values[0] != "sqlite"]
SLOW = {"postgresql": "SELECT pg_sleep(20)", "mysql": "SELECT SLEEP(20) FROM (SELECT 1) AS one",
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n WHERE i > 0",
        }  # fmt: skip
TIMEOUT = {"postgresql": "SHOW statement_timeout", "mysql": "SELECT @@max_statement_time",
           "sqlite": "PRAGMA busy_timeout"}  # fmt: skip


@pytest.fixture(params=DATABASES)
def using(request: pytest.FixtureRequest) -> Iterator[str]:
    """The alias of each database."""
    yield alias(request.param)
    connections[request.param].close()


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The alias of each database with a server."""
    yield alias(request.param)
    connections[request.param].close()


@pytest.fixture
def scope() -> Scope:
    """A tenant that no other test uses."""
    return Scope(account())


def user(login: str) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": login}


def soon(scope: Scope, seconds: float = 0.5) -> Scope:
    """Return the scope with a deadline in the near future."""
    return Scope(scope.tenant, time.monotonic() + seconds)


def number_of(using: str) -> int:
    """Return the number by which the server identifies the connection of this thread."""
    statement = "SELECT connection_id()" if using == "mysql" else "SELECT pg_backend_pid()"
    return int(asked(connections[using], statement))


def asked(connection: Any, statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def kill(using: str) -> None:
    """Make the server end the connection of this thread, by a statement of another connection."""
    number, other = number_of(using), connections[using].copy("other")
    try:
        asked(other, f"KILL {number}" if using == "mysql" else f"SELECT pg_terminate_backend({number})")
        time.sleep(0.1)
    finally:
        other.close()


@contextmanager
def another(using: str) -> Iterator[Any]:
    """Yield another connection to a database."""
    other = connections[using].copy("other")
    try:
        yield other
    finally:
        other.close()


def test_an_idle_connection_that_was_ended(server: str, scope: Scope) -> None:
    """After the server ended an idle connection, the next read, write and transaction succeed."""
    store = helpdesk_of(server)
    for name, use in (
        ("read", lambda: store.search(scope, Query(USER))),
        ("write", lambda: store.create(scope, USER, user("ada"))),
        ("transaction", lambda: store.transaction(scope, lambda inner: inner.create(scope, USER, user("bob")))),
        ("read by a deadline", lambda: store.search(soon(scope, 20), Query(USER))),
        ("write by a deadline", lambda: store.create(soon(scope, 20), USER, user("cyd"))),
        ("token", lambda: DjangoTokenStore(server).find("nobody")),
    ):
        before = number_of(server)
        kill(server)
        use()
        assert number_of(server) != before, name
    assert store.search(scope, Query(USER)).total == 3


def test_a_connection_that_breaks_at_the_commit_is_not_tried_again(
    server: str, scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write whose connection was lost during COMMIT is not repeated, because the outcome is unknown."""
    store, connection, ended = helpdesk_of(server), connections[server], []
    store.create(scope, USER, user("ada"))
    commit: Callable[[], None] = connection.commit

    def end() -> None:
        ended.append(1)
        kill(server)
        commit()

    monkeypatch.setattr(connection, "commit", end)
    with pytest.raises(Unavailable):
        store.create(scope, USER, user("bob"))
    monkeypatch.undo()
    assert len(ended) == 1
    assert store.search(scope, Query(USER)).total == 1


def test_within_a_transaction_of_the_host_nothing_is_tried_again(server: str, scope: Scope) -> None:
    """Within a transaction of the application, the store repeats nothing, because it does not know the earlier work."""
    store = helpdesk_of(server)
    store.search(scope, Query(USER))
    with pytest.raises(Exception) as raised, transaction.atomic(using=server):
        Agent(account=scope.tenant, login="ada").save(using=server)
        kill(server)
        store.create(scope, USER, user("bob"))
    assert raised.type is not AssertionError
    connections[server].close()
    assert store.search(scope, Query(USER)).total == 0


def test_a_read_ends_by_the_deadline(using: str, scope: Scope, caplog: pytest.LogCaptureFixture) -> None:
    """A statement that lasts beyond the deadline is canceled: 503 with Retry-After, and the log contains the reason."""
    store = DjangoStore((AGENTS, TEAMS), using=using)
    before = asked(connections[using], TIMEOUT[using])
    began = time.monotonic()
    with pytest.raises(Unavailable) as failed:
        store._transactions.read(lambda: asked(connections[using], SLOW[using]), soon(scope).deadline)
    assert time.monotonic() - began < 5
    assert dict(failed.value.headers)["Retry-After"].isdigit()
    assert "took too long" in caplog.text
    assert asked(connections[using], TIMEOUT[using]) == before
    assert store.search(soon(scope, 20), Query(USER, filters.parse("userName pr"))).total == 0
    assert asked(connections[using], TIMEOUT[using]) == before


def test_a_shorter_timeout_of_the_host_stays_in_force(server: str, scope: Scope) -> None:
    """A shorter timeout of the application stays in force."""
    store = DjangoStore((AGENTS, TEAMS), using=server)
    asked(connections[server], "SET statement_timeout = '300ms'" if server == "postgresql"
          else "SET SESSION max_statement_time = 0.3")  # fmt: skip
    store.search(soon(scope, 15), Query(USER))
    assert asked(connections[server], TIMEOUT[server]) in ("300ms", 0.3)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        store._transactions.read(lambda: asked(connections[server], SLOW[server]), soon(scope, 15).deadline)
    assert time.monotonic() - began < 5


def test_no_time_left(using: str, scope: Scope) -> None:
    """After its deadline, a request sends no statement, not even the rest of many statements."""
    store = DjangoStore((AGENTS, TEAMS), using=using)
    for ask in (
        lambda: store.search(soon(scope, -1), Query(USER)),
        lambda: store.create(soon(scope, -1), USER, user("ada")),
    ):
        with pytest.raises(Unavailable):
            ask()

    def many() -> None:
        for _ in range(10):
            asked(connections[using], "SELECT 1")
            time.sleep(0.1)

    with pytest.raises(Unavailable):
        store._transactions.read(many, soon(scope, 0.3).deadline)
    assert store.search(scope, Query(USER)).total == 0


def test_a_lock_that_is_not_granted(using: str, scope: Scope) -> None:
    """A write that waits for a lock gets 503 with Retry-After at its deadline, and nothing is written."""
    store = helpdesk_of(using)
    id = store.create(scope, USER, user("ada")).document["id"]
    with another(using) as other:
        other.set_autocommit(False)
        if using == "sqlite":
            asked(other, "UPDATE helpdesk_agent SET title = title WHERE 0")
        else:
            asked(other, f"SELECT id FROM helpdesk_agent WHERE account = '{scope.tenant}' FOR UPDATE")
        began = time.monotonic()
        with pytest.raises(Unavailable) as failed:
            store.replace(soon(scope), USER, id, {**user("ada"), "title": "Lead"})
        assert time.monotonic() - began < 5
        assert dict(failed.value.headers)["Retry-After"].isdigit()
        other.rollback()
    assert "title" not in store.get(scope, USER, id)


def test_a_transaction_of_the_host_keeps_its_timeout(server: str, scope: Scope) -> None:
    """Within a transaction of the application, each call of the store restores the application's timeout."""
    store = DjangoStore((AGENTS, TEAMS), using=server)
    with transaction.atomic(using=server):
        before = asked(connections[server], TIMEOUT[server])
        for ask in (
            lambda: store.search(soon(scope, 15), Query(USER)),
            lambda: store.create(soon(scope, 15), USER, user("ada")),
        ):
            ask()
            assert asked(connections[server], TIMEOUT[server]) == before
    assert store.search(scope, Query(USER)).total == 1


def test_errors_of_the_hosts_code(using: str, scope: Scope) -> None:
    """Errors of the application's own statements in a transaction of the store get the answers of the same table."""
    store = DjangoStore((AGENTS, TEAMS), using=using)

    def twice() -> None:
        for _ in range(2):
            Agent(account=scope.tenant, login="ada").save(using=using)

    for work, answer in (
        (twice, Uniqueness),
        (lambda: Agent(account=scope.tenant, login=None).save(using=using), InvalidValue),
        (lambda: asked(connections[using], "SELECT * FROM no_such_table"), Unavailable),
    ):
        with pytest.raises(answer):
            store.transaction(scope, lambda _, work=work: work())
    assert store.search(scope, Query(USER)).total == 0
