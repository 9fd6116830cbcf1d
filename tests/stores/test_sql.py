"""The SQL store on every database, in addition to the store contract: keys, migrations, statements and connections."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from scimkit import GROUP, USER, MemoryStore, Query, Scope
from scimkit.errors import ScimError
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores import memory
from scimkit.stores.protocol import Store, SyncStore
from scimkit.stores.sql import AsyncSqlStore, SqlStore, migrations, rows
from scimkit.stores.sql.index_entries import encoded
from scimkit.stores.sql.tables import METADATA
from tests.client import Client
from tests.stores.databases import DATABASES, apart, store_of, url_of

on_every_database = pytest.mark.parametrize("database", DATABASES)
SCOPE = Scope("one")


def user(name: str, **attributes: Any) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": name, **attributes}


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(NUMBERS, NUMBERS)
def test_number_keys_order_as_numbers(one: float, other: float) -> None:
    """Encoded numbers have exactly the order of the numbers, even for integers that a float would round."""
    assert (encoded(one) < encoded(other)) == (one < other)
    assert (encoded(one) == encoded(other)) == (one == other)


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    """Report whether a table belongs to the store. A database may have other tables."""
    return kind != "table" or str(name).startswith("scim_")


@on_every_database
def test_migrated_tables_are_the_declared_ones(database: str) -> None:
    """Migrations create exactly the declared tables, and do nothing if they run again."""
    engine = store_of(database).engine
    with engine.connect() as connection:
        options = {"version_table": migrations.VERSION_TABLE, "include_name": _is_ours}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
        assert migrations.current(connection) == migrations.HEAD
    SqlStore(url_of(database)).engine.dispose()


@pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])
def test_jit_compiler_is_off(database: str) -> None:
    """PostgreSQL does not compile query plans to machine code on the connections of the store."""
    shown = sa.text("SHOW jit")
    store = SqlStore(url_of(database))
    with store.engine.connect() as connection:
        assert connection.execute(shown).scalar() == "off"
        connection.rollback()
        assert connection.execute(shown).scalar() == "off"
    store.engine.dispose()

    async def awaited() -> Any:
        engine = AsyncSqlStore(url_of(database)).engine
        async with engine.connect() as connection:
            found = (await connection.execute(shown)).scalar()
        await engine.dispose()
        return found

    assert asyncio.run(awaited()) == "off"


@on_every_database
def test_unknown_members_can_be_refused(database: str) -> None:
    """With `unknown_members="reject"`, a group with an unknown member is not created."""
    scope = Scope(f"reject-{id(object())}")
    store: SyncStore = SqlStore(store_of(database).engine, unknown_members="reject", upgrade=False)
    with pytest.raises(ScimError):
        store.create(scope, GROUP, {"schemas": [GROUP.schema], "displayName": "g", "members": [{"value": "x"}]})
    assert store.search(scope, Query(GROUP)).total == 0


@on_every_database
def test_one_member_of_many_is_one_row(database: str) -> None:
    """Adding a member reads no other member: the statements do not depend on the number of members."""
    store = apart(database)
    people = [store.create(SCOPE, USER, user(f"u{n}")).document["id"] for n in range(30)]
    counts = []
    for size in (1, 29):
        members = [{"value": each} for each in people[:size]]
        group = {"schemas": [GROUP.schema], "displayName": f"g{size}", "members": members}
        id = store.create(SCOPE, GROUP, group).document["id"]
        said: list[tuple[str, int]] = []

        def note(_: Any, cursor: Any, statement: str, *rest: Any, said: list[tuple[str, int]] = said) -> None:
            said.append((statement, cursor.rowcount if statement.startswith("SELECT") else 0))

        sa.event.listen(store.engine, "after_cursor_execute", note)
        try:
            change = ChangeSet(references={"members": ReferenceChanges(({"value": people[29]},))})
            store.change(SCOPE, GROUP, id, change)
        finally:
            sa.event.remove(store.engine, "after_cursor_execute", note)
        counts.append(said)
    assert counts[0] == counts[1]


@on_every_database
def test_connection_for_statements_of_the_application(database: str) -> None:
    """Within a transaction, the store has a connection for statements of the application. Outside, it has none."""
    scope, store = Scope(f"connection-{id(object())}"), store_of(database)

    def work(inner: SyncStore) -> None:
        assert isinstance(inner, SqlStore)
        assert inner.connection is not None
        inner.connection.execute(sa.text("SELECT 1"))

    store.transaction(scope, work)
    assert store.connection is None

    async def awaited(inner: Store) -> None:
        assert isinstance(inner, AsyncSqlStore)
        assert inner.connection is not None
        await inner.connection.execute(sa.text("SELECT 1"))

    async def play() -> None:
        other = AsyncSqlStore(url_of(database))
        await other.transaction(scope, awaited)
        assert other.connection is None
        await other.engine.dispose()

    asyncio.run(play())


@pytest.mark.parametrize("database", DATABASES)
def test_the_time_of_a_change_never_goes_back(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`lastModified` never goes back and is never before `created`, even if the clock goes back."""
    for client in (Client(apart(database)), Client(MemoryStore())):
        user = client.user("ada")
        group = client.group("Agents", user)
        before = {path: client.get(path).body["meta"] for path in (f"/Users/{user}", f"/Groups/{group}")}
        with monkeypatch.context() as patch:
            for module in (rows, memory):
                patch.setattr(module, "now", lambda: "2001-01-01T00:00:00.000000Z")
            answer = client.patch(f"/Users/{user}", {"op": "replace", "path": "active", "value": False})
            assert answer.status == 200
            assert client.delete(f"/Users/{user}").status == 204
        assert answer.body["meta"]["lastModified"] >= before[f"/Users/{user}"]["lastModified"]
        touched = client.get(f"/Groups/{group}").body["meta"]
        assert touched["version"] != before[f"/Groups/{group}"]["version"]
        assert touched["lastModified"] == before[f"/Groups/{group}"]["lastModified"] >= touched["created"]
