"""A service over a store with an outbox records each event in the transaction of the write."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import orm

from scimkit import USER, MemoryStore
from scimkit.events import (
    MembersAdded,
    ResourceCreated,
    ResourceEvent,
    Transaction,
    UserDeactivated,
    in_transaction,
)
from scimkit.service import Limits
from scimkit.stores.sqlalchemy import MappedStore
from scimkit.testing.contract.async_driver import DrivenAsyncStore, LoopThread
from tests.client import Client
from tests.events.test_listeners import new_group, new_user
from tests.stores.databases import DATABASES
from tests.stores.mapped.helpdesk import AGENTS, TEAMS, Base
from tests.stores.outboxes import METADATA, OWN_TABLE, async_sql_store, empty, own_engine, sql_store


@pytest.fixture(params=["memory", *DATABASES])
def store(request: pytest.FixtureRequest) -> Any:
    """A store of each kind with an empty outbox."""
    return MemoryStore(outbox=True) if request.param == "memory" else sql_store(request.param)


def recorded(store: Any) -> list[ResourceEvent]:
    """Return the events in the outbox."""
    return [each.event for each in store.outbox.list()]


def test_each_write_is_recorded(store: Any) -> None:
    """Without any listener, the events of users and groups are in the outbox, and so are their changes."""
    client = Client(store)
    ada = new_user(client, f"ada-{id(store)}")
    client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    new_group(client, f"team-{id(store)}", ada)
    client.get(f"/Users/{ada}")
    events = recorded(store)
    assert [type(each).__name__ for each in events] == [
        "ResourceCreated", "ResourceUpdated", "UserDeactivated", "ResourceCreated", "MembersAdded",
    ]  # fmt: skip
    assert isinstance(events[2], UserDeactivated)
    assert events[2].id == ada
    assert isinstance(events[4], MembersAdded)
    assert events[4].members == (ada,)
    assert all(each.request_id and each.token_id for each in events)


def test_a_write_that_changes_nothing_is_not_recorded(store: Any) -> None:
    """A PATCH without effect and a refused write leave the outbox as it is."""
    client = Client(store)
    ada = new_user(client, f"ada-{id(store)}", active=False)
    before = recorded(store)
    client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
    assert client.post("/Users", {"schemas": [USER.schema], "userName": f"ada-{id(store)}"}).status == 409
    assert recorded(store) == before


def test_a_write_that_a_listener_undoes_is_not_recorded(store: Any) -> None:
    """The events of a write that is rolled back are not in the outbox."""

    def fail(event: ResourceEvent, transaction: Transaction) -> None:
        raise RuntimeError("refused")

    client = Client(store, listeners=[in_transaction(ResourceCreated, fail)])
    assert client.post("/Users", {"schemas": [USER.schema], "userName": f"ada-{id(store)}"}).status == 500
    assert recorded(store) == []


def test_sensitive_attributes_are_not_recorded() -> None:
    """Passwords and attributes that `Limits.sensitive` names are not in the outbox."""
    store = MemoryStore(outbox=True)
    client = Client(store, limits=Limits(sensitive=frozenset({"title"})))
    new_user(client, "mira", password="secret of mira", title="secret of mira")
    assert "secret of mira" not in str([each.payload for each in store.outbox.list()])  # type: ignore[union-attr]
    assert "mira" not in repr(store.outbox.list())  # type: ignore[union-attr]


@pytest.mark.parametrize("database", DATABASES)
def test_the_application_owns_the_table(database: str) -> None:
    """A mapped store records events in the table of the application, in the transaction of its session."""
    engine = own_engine(database)
    Base.metadata.create_all(engine)
    empty(engine, OWN_TABLE)
    store = MappedStore(orm.sessionmaker(engine), [AGENTS, TEAMS], outbox=OWN_TABLE)
    name = f"ada-{id(store)}@example.org"
    user = new_user(Client(store), name, emails=[{"value": name, "type": "work"}])
    assert {each.id for each in recorded(store)} == {user}
    with engine.connect() as connection:
        ours = MigrationContext.configure(connection, opts={"include_name": _is_own})
        assert compare_metadata(ours, METADATA) == []


def _is_own(name: str | None, kind: str, parents: Any) -> bool:
    return kind != "table" or name == OWN_TABLE.name


def test_autogenerate_adds_the_table() -> None:
    """Alembic's autogenerate finds the table in the metadata of the application."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()
    assert [each[0] for each in found] == ["add_table", "add_index", "add_index", "add_index"]


@pytest.mark.parametrize("database", DATABASES)
def test_an_async_store_records_events(database: str) -> None:
    """A service over an async store awaits the outbox in the transaction."""
    loop = LoopThread()
    store = async_sql_store(database)
    try:
        client = Client(store)
        client.run = loop.run  # type: ignore[method-assign]
        user = new_user(client, f"ada-{id(store)}")
        assert {each.event.id for each in DrivenAsyncStore(store, loop).outbox.list()} == {user}
    finally:
        loop.run(store.engine.dispose())
        loop.close()
