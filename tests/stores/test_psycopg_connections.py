"""Statements that are sent to PostgreSQL together, and whatever comes between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DataError, ProgrammingError

from scimkit import USER, Scope
from scimkit.errors import InvalidValue, Unavailable
from scimkit.events import ResourceEvent, in_transaction
from scimkit.events.listeners import Transaction
from scimkit.patch import ChangeSet
from scimkit.stores.sql import AsyncSqlStore, SqlStore, psycopg_connections
from scimkit.stores.sql.database import sync_engine
from scimkit.stores.sql.hot_statements import HotStatement
from scimkit.stores.sql.tables import RESOURCES
from tests.client import Answer, Client
from tests.stores.databases import DATABASES, end_connection, store_of, url_of
from tests.stores.postgresql_messages import sent_messages

on_postgresql = pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])

ACTIVE = {"op": "replace", "path": "active", "value": False}
PART_OF_NAME = {"op": "replace", "path": "name.givenName", "value": "Eve"}
NO_TITLE = {"op": "remove", "path": "title"}
USER_NAME = {"op": "replace", "path": "userName", "value": "eve"}
SAME = {"op": "replace", "path": "title", "value": "Agent"}

REQUESTS: dict[str, tuple[Callable[[Client, str], Answer], int, int]] = {
    "POST": (lambda client, id: client.post("/Users", {"schemas": [USER.schema], "userName": "bob"}), 1, 2),
    "PATCH of active": (lambda client, id: client.patch(f"/Users/{id}", ACTIVE), 2, 2),
    "PATCH of a sub-attribute": (lambda client, id: client.patch(f"/Users/{id}", PART_OF_NAME), 2, 2),
    "PATCH that removes a value": (lambda client, id: client.patch(f"/Users/{id}", NO_TITLE), 2, 2),
    "PATCH of a unique value": (lambda client, id: client.patch(f"/Users/{id}", USER_NAME), 2, 3),
    "PATCH without effect": (lambda client, id: client.patch(f"/Users/{id}", SAME), 2, 2),
}
"""Requests, with the number of their messages without and with a listener in the transaction."""


@pytest.fixture
def tenant() -> Iterator[str]:
    """A tenant that no other test uses."""
    yield f"messages-{os.urandom(4).hex()}"


@pytest.fixture
def store(database: str) -> Iterator[SqlStore]:
    """A store with connections of its own."""
    store = SqlStore(url_of(database), provisioning_log=True)
    yield store
    store.engine.dispose()


def user(name: str) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": name, "title": "Agent", "active": True}


def client_of(store: SqlStore, tenant: str, *listens: Callable[[ResourceEvent, Transaction], None]) -> Client:
    """Return a client of a service whose listeners run within the transaction."""
    return Client(store, tenant=tenant, listeners=[in_transaction(ResourceEvent, each) for each in listens])


@on_postgresql
@pytest.mark.parametrize("request_", REQUESTS)
def test_the_messages_of_a_request(store: SqlStore, tenant: str, request_: str) -> None:
    """A listener adds no message to a PATCH, and one to a POST. The provisioning log adds none."""
    send, alone, listened = REQUESTS[request_]
    for expected, listens in ((alone, ()), (listened, (lambda event, transaction: None,))):
        client = client_of(store, f"{tenant}-{expected}", *listens)
        with sent_messages(store.engine) as sent:
            for _ in range(2):
                id = client.user("ada", title="Agent")
                sent.count()
                answer = send(client, id)
                assert answer.status in (200, 201, 204)
                assert sent.count()[0] == expected
                for each in client.get("/Users").body["Resources"]:
                    client.delete(f"/Users/{each['id']}")


@on_postgresql
def test_a_listener_finds_what_was_written(store: SqlStore, tenant: str) -> None:
    """A statement of a listener comes after the write, whichever way the listener sends it."""
    seen: list[Any] = []

    def listen(event: ResourceEvent, transaction: Transaction) -> None:
        found = sa.select(RESOURCES.c.version).where(RESOURCES.c.tenant == tenant)
        seen.append(transaction.connection.scalar(found))
        driver = transaction.connection.connection.driver_connection
        query = "SELECT version FROM scim_resource WHERE tenant = %s"
        seen.append(driver.execute(query, [tenant.encode()]).fetchone()[0])
        document = transaction.store.get(transaction.scope, USER, event.id)
        seen.append(int(document["meta"]["version"][3:-1]))

    client = client_of(store, tenant, listen)
    ada = client.user("ada")
    assert client.patch(f"/Users/{ada}", ACTIVE).body["active"] is False
    assert seen[:3] == [1, 1, 1]
    assert set(seen[3:]) == {2}


@on_postgresql
@pytest.mark.parametrize("reads", [False, True])
def test_a_veto_after_a_write(store: SqlStore, tenant: str, reads: bool) -> None:
    """A listener that raises leaves nothing, whether the statement of the write was sent or not."""

    def veto(event: ResourceEvent, transaction: Transaction) -> None:
        if reads:
            transaction.connection.execute(sa.select(RESOURCES.c.id).limit(1))
        if event.id == vetoed[0]:
            raise InvalidValue("The helpdesk refuses this change.")

    vetoed = [""]
    client = client_of(store, tenant, veto)
    vetoed[0] = client.user("ada")
    before = client.get(f"/Users/{vetoed[0]}").body
    with sent_messages(store.engine) as sent:
        sent.count()
        assert client.patch(f"/Users/{vetoed[0]}", ACTIVE).status == 400
        assert sent.count()[1] >= 3
    assert client.get(f"/Users/{vetoed[0]}").body == before
    with store.engine.connect() as connection:
        assert connection.connection.driver_connection.scimkit_messages.waiting == []  # type: ignore[union-attr]


@on_postgresql
def test_a_write_that_fails_with_commit(store: SqlStore, tenant: str) -> None:
    """A statement that fails together with COMMIT commits nothing, and is answered by its kind."""
    client = client_of(store, tenant, lambda event, transaction: None)
    ada = client.user("ada")
    before = client.get(f"/Users/{ada}").body
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; "
            "END $$ LANGUAGE plpgsql; CREATE TRIGGER refuse BEFORE UPDATE ON scim_resource EXECUTE FUNCTION refuse()"
        )
    try:
        answer = client.patch(f"/Users/{ada}", ACTIVE)
        assert (answer.status, answer.body["scimType"]) == (400, "invalidValue")
    finally:
        with store.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER refuse ON scim_resource; DROP FUNCTION refuse()")
    assert client.get(f"/Users/{ada}").body == before
    assert client.patch(f"/Users/{ada}", ACTIVE).status == 200


@on_postgresql
def test_a_transaction_without_statements(store: SqlStore, tenant: str) -> None:
    """A transaction that does nothing sends nothing, whether it ends well or not."""

    def fail(_: object) -> None:
        raise LookupError

    scope = Scope(tenant)
    store.transaction(scope, lambda inner: inner.create(scope, USER, user("ada")))
    with sent_messages(store.engine) as sent:
        assert store.transaction(scope, lambda _: 7) == 7
        with suppress(LookupError):
            store.transaction(scope, fail)
        assert sent.count() == (0, 0)
        assert store.transaction(scope, lambda inner: inner.create(scope, USER, user("bob"))).changed


@on_postgresql
def test_a_connection_that_is_lost_before_commit(database: str, store: SqlStore, tenant: str) -> None:
    """If the connection is lost when COMMIT is sent, nothing was written, and nobody learns the contrary."""
    others = store_of(database).engine

    def end(event: ResourceEvent, transaction: Transaction) -> None:
        if ends:
            end_connection(others, transaction.connection.connection.driver_connection.info.backend_pid)

    ends: list[int] = []
    client = client_of(store, tenant, end)
    ada = client.user("ada")
    ends.append(1)
    answer = client.patch(f"/Users/{ada}", ACTIVE)
    assert (answer.status, "Retry-After" in answer.headers) == (503, True)
    ends.clear()
    assert "active" not in client.get(f"/Users/{ada}").body
    assert client.patch(f"/Users/{ada}", ACTIVE).status == 200


@on_postgresql
def test_a_connection_that_is_lost_before_begin(database: str, store: SqlStore, tenant: str) -> None:
    """A transaction whose connection ended while nobody used it begins again on another connection."""
    client = client_of(store, tenant, lambda event, transaction: None)
    ada = client.user("ada")
    with store.engine.connect() as connection:
        number = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
    end_connection(store_of(database).engine, number)
    assert client.patch(f"/Users/{ada}", ACTIVE).status == 200


@on_postgresql
def test_statements_that_the_application_removes(store: SqlStore, tenant: str) -> None:
    """A session whose prepared statements are gone prepares them again."""

    def deallocate(event: ResourceEvent, transaction: Transaction) -> None:
        transaction.connection.exec_driver_sql("DEALLOCATE ALL")

    client = client_of(store, tenant, deallocate)
    ada = client.user("ada")
    for name in ("Eve", "Ada", "Eve"):
        assert client.patch(f"/Users/{ada}", PART_OF_NAME | {"value": name}).body["name"]["givenName"] == name
        assert client.get(f"/Users/{ada}").status == 200


@on_postgresql
def test_statements_that_psycopg_would_remove(store: SqlStore) -> None:
    """Many rows at once and a rollback leave the prepared statements of scimkit as they are."""
    for _ in range(3):
        with store.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            connection.exec_driver_sql("CREATE TEMPORARY TABLE numbers (number INTEGER)")
            driver.cursor().executemany("INSERT INTO numbers VALUES (%s)", [(1,), (2,), (3,)])
            with suppress(LookupError), connection.begin_nested():
                raise LookupError
            connection.rollback()


@on_postgresql
def test_the_number_of_prepared_statements(store: SqlStore, tenant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection prepares a limited number of statements, and runs all others too."""
    monkeypatch.setattr(psycopg_connections, "_MOST_PREPARED", 2)
    client = client_of(store, tenant, lambda event, transaction: None)
    ada = client.user("ada")
    assert client.patch(f"/Users/{ada}", ACTIVE).status == 200
    assert client.patch(f"/Users/{ada}", USER_NAME).status == 200
    assert client.get(f"/Users/{ada}").body["userName"] == "eve"
    with store.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM pg_prepared_statements")) == 2


@on_postgresql
@pytest.mark.parametrize("prepares", [False, True])
def test_awaited_messages(database: str, tenant: str, prepares: bool) -> None:
    """The awaited store sends the same messages. In a session that others share, nothing waits."""

    async def changed() -> tuple[tuple[int, int], Any]:
        store, scope = AsyncSqlStore(url_of(database), prepare_statements=prepares), Scope(tenant)
        id = (await store.create(scope, USER, user("ada"))).document["id"]

        async def change(inner: Any) -> Any:
            return await inner.without_savepoints.change(scope, USER, id, ChangeSet({"active": False}))

        with sent_messages(store.engine) as sent:
            await store.transaction(scope, change)
            counted = sent.count()
        found = await store.get(scope, USER, id)
        await store.engine.dispose()
        return counted, found["active"]

    store_of(database)
    assert asyncio.run(changed()) == (((2, 4) if prepares else (4, 4)), False)


@on_postgresql
def test_a_request_that_is_canceled_while_the_database_waits(database: str, tenant: str) -> None:
    """A transaction whose messages are interrupted writes nothing, and its connection does no harm later."""

    async def canceled() -> Any:
        store, scope = AsyncSqlStore(url_of(database)), Scope(tenant)
        id = (await store.create(scope, USER, user("ada"))).document["id"]
        change = ChangeSet({"active": False})
        locks = store_of(database).engine
        with locks.connect() as holder:
            holder.execute(sa.select(RESOURCES).where(RESOURCES.c.tenant == tenant).with_for_update())
            waits = asyncio.create_task(
                store.transaction(scope, lambda inner: inner.without_savepoints.change(scope, USER, id, change))
            )
            await asyncio.sleep(0.3)
            waits.cancel()
            with suppress(asyncio.CancelledError):
                await waits
            holder.rollback()
        assert (await store.get(scope, USER, id))["active"] is True
        await store.transaction(scope, lambda inner: inner.without_savepoints.change(scope, USER, id, change))
        found = await store.get(scope, USER, id)
        await store.engine.dispose()
        return found["active"]

    store_of(database)
    assert asyncio.run(canceled()) is False


_VALUES: list[tuple[sa.types.TypeEngine[Any], st.SearchStrategy[Any]]] = [
    (sa.Text(), st.text(st.characters(exclude_characters="\0", codec="utf-8"))),
    (sa.LargeBinary(), st.binary()),
    (sa.BigInteger(), st.integers(-(2**63), 2**63 - 1)),
    (sa.Boolean(), st.booleans()),
    (sa.Double(), st.floats(allow_nan=False)),
    (sa.DateTime(), st.datetimes()),
    (sa.Uuid(), st.uuids()),
]
"""Types of parameters. Own tables on an engine of scimkit may have types that scimkit's own tables do not have."""


@on_postgresql
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(values=st.tuples(*(st.none() | each for _, each in _VALUES)))
def test_values_arrive_as_with_psycopg(database: str, values: tuple[Any, ...]) -> None:
    """A value comes back unchanged, as with a cursor of psycopg."""
    named = {f"value_{place}": value for place, value in enumerate(values)}
    binds = [sa.bindparam(name, type_=kind) for name, (kind, _) in zip(named, _VALUES, strict=True)]
    statement = HotStatement(sa.select(*(sa.cast(bind, bind.type).label(f"c_{bind.key}") for bind in binds)))
    with store_of(database).engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        sql, arguments = statement.text(connection.dialect, named)
        by_hand = driver.cursor(binary=True).execute(sql, arguments).fetchall()
        assert list(statement.rows(connection, named)) == by_hand == [values]


@on_postgresql
def test_a_text_that_postgresql_cannot_store(database: str) -> None:
    """The character NUL is refused, as psycopg does, instead of cutting the text off."""
    statement = HotStatement(sa.select(sa.bindparam("text", type_=sa.Text()).label("text")))
    with store_of(database).engine.connect() as connection:
        for run in (statement.rows, statement.add_to_next):
            with pytest.raises(DataError, match="NUL"):
                run(connection, {"text": "a\0b"})
        with pytest.raises(ProgrammingError, match="object"):
            statement.rows(connection, {"text": object()})


@on_postgresql
def test_texts_of_a_session_that_is_not_utf_8(database: str) -> None:
    """A session with another encoding sends texts in that encoding, so it leaves the statements to psycopg."""
    url = sa.make_url(url_of(database)).update_query_dict({"client_encoding": "LATIN1"})
    engine = sync_engine(url.render_as_string(hide_password=False))
    text = sa.bindparam("text", type_=sa.Text())
    statement = HotStatement(sa.select(text.label("text"), sa.func.length(text).label("length")))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SHOW client_encoding")) == "LATIN1"
        assert list(statement.rows(connection, {"text": "Zoë"})) == [("Zoë", 3)]
    engine.dispose()


@on_postgresql
def test_a_pipeline_of_the_application(database: str, tenant: str) -> None:
    """psycopg's own pipelines, savepoints and copies work on a connection on which statements wait."""
    store, scope = SqlStore(url_of(database)), Scope(tenant)

    def work(inner: Any) -> int:
        id = inner.create(scope, USER, user("ada")).document["id"]
        inner.without_savepoints.change(scope, USER, id, ChangeSet({"active": False}))
        driver = inner.connection.connection.driver_connection
        assert driver.scimkit_messages.waiting
        with driver.pipeline():
            first = driver.execute("SELECT count(*) FROM scim_resource WHERE tenant = %s", [tenant.encode()])
            second = driver.execute("SELECT 7")
        with closing(driver.cursor()) as cursor, cursor.copy("COPY (SELECT 7) TO STDOUT") as copied:
            assert list(copied.rows()) == [("7",)]
        with driver.transaction(), suppress(psycopg.Error), driver.transaction():
            driver.execute("SELECT 1/0")
        return int(first.fetchone()[0]) + int(second.fetchone()[0])

    assert store.transaction(scope, work) == 8
    store.engine.dispose()


def test_a_store_that_cannot_be_reached_says_so() -> None:
    """The connections of scimkit report a refused connection as any other."""
    with pytest.raises(Unavailable):
        SqlStore("postgresql+psycopg://nobody@127.0.0.1:1/none")
