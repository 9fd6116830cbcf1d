"""Hot statements: what PostgreSQL prepares, and what the application can observe."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from scimkit import USER, Query, Scope, filters
from scimkit.errors import Uniqueness
from scimkit.patch import ChangeSet
from scimkit.stores.sql import AsyncSqlStore, SqlStore
from scimkit.stores.sql.hot_statements import BEGIN, HotStatement
from tests.stores.databases import DATABASES, noted, store_of, url_of

on_postgresql = pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])
on_every_database = pytest.mark.parametrize("database", DATABASES)
PREPARED = sa.text("SELECT statement, custom_plans FROM pg_prepared_statements")


def user(name: str) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": name, "active": True}


def played(store: SqlStore, scope: Scope) -> None:
    """Create, find, search and change a user."""
    id = store.create(scope, USER, user("ada")).document["id"]
    assert store.get(scope, USER, id)["userName"] == "ada"
    assert store.search(scope, Query(USER, filters.parse('userName eq "Ada"'))).total == 1
    assert store.search(scope, Query(USER, filters.parse('userName sw "a"'))).total == 1
    assert store.change(scope, USER, id, ChangeSet({"active": False})).changed
    assert store.search(scope, Query(USER, count=1)).total == 1


@pytest.fixture
def scope() -> Iterator[Scope]:
    """A tenant that no other test uses."""
    yield Scope(f"hot-{os.urandom(4).hex()}")


@on_postgresql
def test_hot_statements_are_prepared(database: str, scope: Scope) -> None:
    """PostgreSQL prepares the hot statements of a connection and plans them once; it prepares nothing else."""
    store = SqlStore(url_of(database))
    played(store, scope)
    with store.engine.connect() as connection:
        found = connection.execute(PREPARED).all()
        assert connection.scalar(sa.text("SHOW plan_cache_mode")) == "force_generic_plan"
    store.engine.dispose()
    begin, *hot = sorted(found)
    assert begin.statement == BEGIN
    assert len(hot) == 4
    assert all("scim_resource" in statement and not custom for statement, custom in hot)


@on_postgresql
def test_preparation_can_be_turned_off(database: str, scope: Scope) -> None:
    """With `prepare_statements=False`, PostgreSQL prepares nothing and keeps its settings for plans."""
    store = SqlStore(url_of(database), prepare_statements=False)
    played(store, scope)

    async def awaited() -> Any:
        other = AsyncSqlStore(url_of(database), prepare_statements=False)
        await other.create(scope, USER, user("bob"))
        async with other.engine.connect() as connection:
            found = (await connection.execute(PREPARED)).all()
        await other.engine.dispose()
        return found

    with store.engine.connect() as connection:
        assert connection.execute(PREPARED).all() == asyncio.run(awaited()) == []
        assert connection.scalar(sa.text("SHOW plan_cache_mode")) == "auto"
        assert connection.scalar(sa.text("SHOW enable_seqscan")) == "on"
    store.engine.dispose()


@on_every_database
def test_the_application_can_observe_hot_statements(database: str, scope: Scope) -> None:
    """A listener of the application to the statements of an engine sees the hot statements too."""
    store, said = SqlStore(url_of(database)), list[str]()

    def note(_: Any, cursor: Any, statement: str, *rest: Any) -> None:
        said.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", note)
    played(store, scope)
    with pytest.raises(Uniqueness):
        store.create(scope, USER, user("ADA"))
    store.engine.dispose()
    assert any(each.startswith("SELECT scim_resource.sequence") for each in said)
    assert any("INSERT INTO scim_value" in each for each in said)


@on_every_database
def test_a_listener_of_one_connection_observes_hot_statements(database: str) -> None:
    """A listener to the statements of a connection, or of all connections, sees hot statements on it."""
    store, said = SqlStore(url_of(database)), list[str]()
    statement = HotStatement(sa.select(sa.literal(1, sa.Integer())))

    def note(_: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith("SELECT"):
            said.append(statement)

    with store.engine.connect() as connection:
        statement.rows(connection, {})
        assert said == []
        sa.event.listen(connection, "before_cursor_execute", note)
        statement.rows(connection, {})
    assert len(said) == 1
    sa.event.listen(sa.Connection, "before_cursor_execute", note)
    try:
        with store.engine.connect() as connection:
            statement.rows(connection, {})
    finally:
        sa.event.remove(sa.Connection, "before_cursor_execute", note)
    store.engine.dispose()
    assert len(said) == 2


@on_postgresql
def test_a_write_takes_one_statement(database: str, scope: Scope) -> None:
    """A create is one statement, and a change is one read and one statement, without a transaction."""
    store = SqlStore(url_of(database))
    said = noted(store.engine)
    id = store.create(scope, USER, user("ada")).document["id"]
    store.change(scope, USER, id, ChangeSet({"userName": "eve"}))
    store.engine.dispose()
    assert said == ["WITH", "SELECT", "WITH"]
    assert store_of(database).search(scope, Query(USER, filters.parse('userName eq "ada"'))).total == 0
    assert store_of(database).get(scope, USER, id)["userName"] == "eve"


@on_postgresql
def test_a_name_can_be_freed_and_taken_in_one_change(database: str, scope: Scope) -> None:
    """A change replaces unique values and index entries, and the attribute of a conflict is named."""
    store = store_of(database)
    ada, bob = (store.create(scope, USER, user(name)).document["id"] for name in ("ada", "bob"))
    with pytest.raises(Uniqueness, match="userName"):
        store.change(scope, USER, bob, ChangeSet({"userName": "ada"}))
    store.change(scope, USER, ada, ChangeSet({"userName": "eve"}))
    store.change(scope, USER, bob, ChangeSet({"userName": "ada"}))
    found = store.search(scope, Query(USER, filters.parse('userName eq "ada"')))
    assert [each["id"] for each in found.documents] == [bob]
