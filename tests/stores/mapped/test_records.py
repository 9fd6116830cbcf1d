"""The mapped store uses records only where no code of the application needs instances."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from scimkit import USER, Query, Scope
from scimkit.errors import NotFound, Uniqueness
from scimkit.patch import ChangeSet
from scimkit.stores.sqlalchemy import AsyncMappedStore, Computed, MappedStore, ResourceMapping, record_calls
from tests.stores.databases import DATABASES, url_of
from tests.stores.mapped.helpdesk import PLAIN_AGENTS, PLAIN_TEAMS, PlainAgent, account, helpdesk_of, sessions_of

SCOPE = Scope()
ADA = {"schemas": [USER.schema], "userName": "ada"}


def declare(**more: Any) -> Any:
    """Return a new model without code of its own. One column has the name of a method of tuples."""

    class Base(orm.DeclarativeBase):
        pass

    attributes = {
        "__tablename__": "agent",
        "id": orm.mapped_column(sa.Integer, primary_key=True),
        "login": orm.mapped_column(sa.String(100)),
        "count": orm.mapped_column(sa.String(100)),
        "on": orm.mapped_column("is_active", sa.Boolean, default=True),
        **more,
    }
    return type("Agent", (Base,), attributes)


def mapping(model: Any, **options: Any) -> ResourceMapping:
    """Return the mapping of a model of `declare`."""
    attributes = {"userName": model.login, "title": model.count, "active": model.on}
    return ResourceMapping(USER, model, id=model.id, attributes=attributes | options.pop("more", {}), **options)


@pytest.fixture
def maker() -> Iterator[orm.sessionmaker[Any]]:
    """A sessionmaker on an empty database."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
    yield orm.sessionmaker(engine)
    engine.dispose()


def stored(maker: orm.sessionmaker[Any], model: Any, **options: Any) -> MappedStore:
    """Return a store over a model, and create its table."""
    model.metadata.create_all(maker.kw["bind"])
    always = options.pop("always_instances", False)
    return MappedStore(maker, [mapping(model, **options)], always_instances=always)


def play(store: MappedStore) -> None:
    """Create, change, read and find a user."""
    id = store.create(SCOPE, USER, {**ADA, "title": "one"}).document["id"]
    assert store.change(SCOPE, USER, id, ChangeSet({"title": "two"})).changed
    assert store.get(SCOPE, USER, id)["title"] == "two"
    assert store.search(SCOPE, Query(USER)).total == 1


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The uses of records, one entry for each."""
    used: list[Any] = []
    rows = record_calls.RecordRows

    def note(*arguments: Any, **options: Any) -> Any:
        used.append(arguments)
        return rows(*arguments, **options)

    monkeypatch.setattr(record_calls, "RecordRows", note)
    return used


def test_a_plain_model_needs_no_instances(maker: orm.sessionmaker[Any], records: list[Any]) -> None:
    """Every call on a model without code of its own uses records."""
    play(stored(maker, declare()))
    assert len(records) == 4


def test_always_instances(maker: orm.sessionmaker[Any], records: list[Any]) -> None:
    """With `always_instances`, no call uses records."""
    play(stored(maker, declare(), always_instances=True))
    assert not records


def test_a_sessionmaker_that_is_configured_later(maker: orm.sessionmaker[Any], records: list[Any]) -> None:
    """The store uses the engine that the sessionmaker has at the time of the call."""
    model = declare()
    late: orm.sessionmaker[Any] = orm.sessionmaker()
    store = MappedStore(late, [mapping(model)])
    other = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    for engine in (maker.kw["bind"], other):
        model.metadata.create_all(engine)
        late.configure(bind=engine)
        play(store)
    assert len(records) == 8
    other.dispose()


MAPPER = ("before_insert", "after_insert", "before_update", "after_update")


@pytest.mark.parametrize(
    ("target", "name"),
    [
        *((lambda model, maker: model, each) for each in MAPPER),
        *((lambda model, maker: orm.Mapper, each) for each in MAPPER),
        *((lambda model, maker: model, each) for each in ("init", "load")),
        (lambda model, maker: model.count, "set"),
        *((lambda model, maker: maker, each) for each in ("after_begin", "before_flush", "do_orm_execute")),
        (lambda model, maker: maker, "after_commit"),
        (lambda model, maker: orm.Session, "before_commit"),
    ],
)
def test_a_listener_is_called(maker: orm.sessionmaker[Any], target: Callable[..., Any], name: str) -> None:
    """A listener that the application adds after the store was created is called."""
    model = declare()
    store = stored(maker, model)
    called: list[str] = []

    def listener(*_: Any) -> None:
        called.append(name)

    sa.event.listen(target(model, maker), name, listener)
    try:
        play(store)
    finally:
        sa.event.remove(target(model, maker), name, listener)
    assert called


def test_code_of_a_model_runs(maker: orm.sessionmaker[Any]) -> None:
    """A validator, a constructor, `new`, `Computed`, a version counter and a session class get instances."""
    seen: list[str] = []

    def check(self: Any, key: str, value: Any) -> Any:
        seen.append(key)
        return value

    def construct(self: Any, **values: Any) -> None:
        seen.append("constructor")

    class Own(orm.Session):
        def flush(self, objects: Any = None) -> None:
            seen.append("session")
            super().flush(objects)

    def read(agent: Any) -> str:
        seen.append(type(agent).__name__)
        return str(agent.login)

    def play_on(model: Any, sessions: Any = maker, **options: Any) -> None:
        seen.clear()
        play(stored(sessions, model, **options))
        model.metadata.drop_all(maker.kw["bind"])

    play_on(declare(check=orm.validates("count")(check)))
    assert seen == ["count", "count"]
    play_on(declare(__init__=construct))
    assert seen == ["constructor"]
    model = declare()
    play_on(model, new=lambda: seen.append("new") or model())
    assert seen == ["new"]
    play_on(declare(), more={"displayName": Computed(read)})
    assert set(seen) == {"Agent"}
    play_on(declare(), orm.sessionmaker(maker.kw["bind"], class_=Own))
    assert "session" in seen


def test_instances_of_the_application_are_current(maker: orm.sessionmaker[Any], records: list[Any]) -> None:
    """In a transaction, the store writes pending changes of the session, and refreshes the instance of its row."""
    model = declare()
    store = stored(maker, model)
    id = store.create(SCOPE, USER, {**ADA, "title": "one"}).document["id"]

    def work(inner: Any) -> tuple[str, str]:
        agent = inner.session.get(model, int(id))
        agent.login = "bob"
        inner.change(SCOPE, USER, id, ChangeSet({"title": "two"}))
        return agent.login, agent.count

    assert store.transaction(SCOPE, work) == ("bob", "two")
    assert len(records) == 2
    document = store.get(SCOPE, USER, id)
    assert (document["userName"], document["title"]) == ("bob", "two")
    store.delete(SCOPE, USER, id)
    with pytest.raises(NotFound):
        store.get(SCOPE, USER, id)


@pytest.mark.parametrize("database", DATABASES)
def test_uniqueness(database: str) -> None:
    """A record with a login that another row has is 409, with and without a tenant column."""
    store, scope = helpdesk_of(database, (PLAIN_AGENTS, PLAIN_TEAMS)), Scope(account())
    store.create(scope, USER, {**ADA, "name": {"givenName": "Ada"}, "active": False})
    with pytest.raises(Uniqueness, match="userName"):
        store.create(scope, USER, {**ADA, "userName": "ADA"})
    for name in ("a" * 100, "b\\%_'"):
        assert store.create(Scope(account()), USER, {**ADA, "userName": name}).document["userName"] == name


def levels(engine: sa.Engine, call: Callable[[], Any]) -> list[str]:
    """Return the isolation level of each statement that a call sends."""
    found: list[str] = []

    def note(connection: sa.Connection, *_: Any) -> None:
        found.append(str(connection.get_execution_options().get("isolation_level")))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    return found


@pytest.mark.parametrize("database", [each for each in DATABASES if each.values[0] == "postgresql"])
def test_without_a_transaction(database: str) -> None:
    """Reads and creates need one statement without a transaction, unless the application says otherwise."""
    sessions_of(database)
    engine = sa.create_engine(url_of(database))
    scope = Scope(account())

    def calls(on: sa.Engine) -> Callable[[], Any]:
        store = MappedStore(on, (PLAIN_AGENTS,))
        number = account()

        def run() -> None:
            id = store.create(scope, USER, {**ADA, "userName": number}).document["id"]
            store.get(scope, USER, id)
            store.change(scope, USER, id, ChangeSet({"title": "x"}))

        engine.connect().close()
        return run

    assert levels(engine, calls(engine)) == ["AUTOCOMMIT", "AUTOCOMMIT", "None", "None"]
    strict = engine.execution_options(isolation_level="SERIALIZABLE")
    assert set(levels(engine, calls(strict))) == {"SERIALIZABLE"}

    def begun(_: Any) -> None:
        pass

    sa.event.listen(engine, "begin", begun)
    assert set(levels(engine, calls(engine))) == {"None"}
    engine.dispose()


def test_async_sessions_with_listeners() -> None:
    """Listeners of the synchronous session class of an `async_sessionmaker` are called."""

    class Own(orm.Session):
        pass

    async def run() -> list[str]:
        engine = create_async_engine("sqlite+aiosqlite://", poolclass=sa.StaticPool)
        model = declare()
        async with engine.begin() as connection:
            await connection.run_sync(model.metadata.create_all)
        store = AsyncMappedStore(async_sessionmaker(engine, sync_session_class=Own), [mapping(model)])
        await store.create(SCOPE, USER, ADA)
        called: list[str] = []
        sa.event.listen(Own, "after_begin", lambda *_: called.append("begun"))
        await store.search(SCOPE, Query(USER))
        await engine.dispose()
        return called

    assert asyncio.run(run()) == ["begun"]


def test_an_async_write_without_savepoints() -> None:
    """In a transaction, each write has a savepoint, unless the caller ends the transaction after every error."""

    async def run() -> list[str]:
        engine = create_async_engine("sqlite+aiosqlite://", poolclass=sa.StaticPool)
        model = declare()
        async with engine.begin() as connection:
            await connection.run_sync(model.metadata.create_all)
        begun: list[str] = []
        sa.event.listen(engine.sync_engine, "savepoint", lambda *_: begun.append("savepoint"))
        store = AsyncMappedStore(engine, [mapping(model)])

        async def work(inner: Any) -> None:
            await inner.create(SCOPE, USER, ADA)
            begun.append("first")
            await inner.without_savepoints.create(SCOPE, USER, {**ADA, "userName": "bob"})

        await store.without_savepoints.transaction(SCOPE, work)
        assert (await store.search(SCOPE, Query(USER))).total == 2
        await engine.dispose()
        return begun

    assert asyncio.run(run()) == ["savepoint", "first"]


def test_a_manager_needs_an_instance_only_when_it_changes(records: list[Any]) -> None:
    """Records show references. A change of a reference is repeated with instances."""
    store, scope = helpdesk_of("sqlite", (PLAIN_AGENTS, PLAIN_TEAMS)), Scope(account())
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    boss, ada = (store.create(scope, USER, {**ADA, "userName": name}).document["id"] for name in ("boss", "ada"))
    managed = {enterprise: {"manager": {"value": boss}}}
    assert store.change(scope, USER, ada, ChangeSet(managed)).document[enterprise] == managed[enterprise]
    assert store.change(scope, USER, ada, ChangeSet({"title": "x"})).document[enterprise] == managed[enterprise]
    assert [each.get(enterprise) for each in store.search(scope, Query(USER)).documents] == [None, managed[enterprise]]
    assert enterprise not in store.change(scope, USER, ada, ChangeSet(unassigned=(enterprise,))).document
    with sessions_of("sqlite")() as session:
        query = sa.select(PlainAgent.manager_id).where(PlainAgent.account == scope.tenant)  # type: ignore[attr-defined]
        assert session.scalars(query).all() == [None, None]
