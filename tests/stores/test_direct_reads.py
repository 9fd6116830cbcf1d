"""Direct reads of PostgreSQL: what goes straight to the driver, and what takes the usual way."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import create_async_engine

from scimkit import GROUP, USER, Query, Scope, TokenRegistry, filters
from scimkit.errors import NotFound, Unavailable, Uniqueness
from scimkit.patch import ChangeSet, ReferenceChanges
from scimkit.stores.sql import AsyncSqlStore, AsyncSqlTokenStore, SqlStore, SqlTokenStore
from scimkit.stores.sql.row_writers import SingleStatements
from scimkit.stores.sql.rows import Rows
from scimkit.tokens import AsyncTokenRegistry
from tests.stores.databases import DATABASES, end_connection, store_of, url_of
from tests.stores.postgresql_messages import sent_messages

on_postgresql = pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])


def user(name: str) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": name, "title": "Agent", "active": True}


@pytest.fixture
def scope() -> Iterator[Scope]:
    """A tenant that no other test uses."""
    yield Scope(f"direct-{os.urandom(4).hex()}")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The connections of SQLAlchemy that were opened, by the name of the class that opened them."""
    opened: list[str] = []
    connect = sa.Engine.connect

    def noting(self: sa.Engine) -> sa.Connection:
        opened.append(type(self).__name__)
        return connect(self)

    monkeypatch.setattr(sa.Engine, "connect", noting)
    return opened


@on_postgresql
def test_the_usual_reads_need_no_connection_of_sqlalchemy(database: str, scope: Scope, begun: list[str]) -> None:
    """A GET, an equality, a page and a token go straight to the driver, blocking and awaited."""
    store = SqlStore(url_of(database))
    ids = [store.create(scope, USER, user(f"ada{number}")).document["id"] for number in range(3)]
    members = ReferenceChanges(tuple({"value": id} for id in ids))
    group = store.create(scope, GROUP, {"schemas": [GROUP.schema], "displayName": "All"}).document["id"]
    store.change(scope, GROUP, group, ChangeSet(references={"members": members}))
    token = TokenRegistry(SqlTokenStore(store.engine)).issue("direct", tenant=scope.tenant).token
    registry = TokenRegistry(SqlTokenStore(store.engine))
    registry.verify(token)  # writes the time of the last use
    equal = Query(USER, filters.parse('userName eq "ADA1"'))

    async def awaited() -> list[Any]:
        other = AsyncSqlStore(url_of(database))
        tokens = AsyncTokenRegistry(AsyncSqlTokenStore(other.engine))
        await tokens.verify(token)
        begun.clear()
        found = [
            await other.get(scope, USER, ids[0]), (await other.search(scope, equal)).documents,
            (await other.search(scope, Query(USER, count=2))).total, (await tokens.verify(token)).tenant,
        ]  # fmt: skip
        assert begun == []
        with pytest.raises(NotFound):
            await other.get(scope, USER, "nobody")
        await other.engine.dispose()
        return found

    theirs = asyncio.run(awaited())
    begun.clear()
    ours = [
        store.get(scope, USER, ids[0]), store.search(scope, equal).documents,
        store.search(scope, Query(USER, count=2)).total, registry.verify(token).tenant,
    ]  # fmt: skip
    assert begun == []
    assert ours == theirs
    assert ours[0]["groups"][0]["value"] == group
    assert ours[2] == 3
    assert len(store.get(scope, GROUP, group)["members"]) == 3  # takes two statements, so a connection
    assert begun
    store.engine.dispose()


@on_postgresql
def test_rows_that_are_not_enough_are_read_again(database: str, scope: Scope) -> None:
    """A full page of equal values has no total, and a page beyond the end has none either: they are counted."""
    store = store_of(database)
    for number in range(5):
        store.create(scope, USER, user(f"ada{number}"))
    equal = filters.parse('title eq "Agent"')
    page = store.search(scope, Query(USER, equal, count=2))
    assert (page.total, len(page.documents)) == (5, 2)
    page = store.search(scope, Query(USER, start_index=9, count=2))
    assert (page.total, len(page.documents)) == (5, 0)


@on_postgresql
def test_every_connection_is_replaced_after_a_restart(database: str, scope: Scope) -> None:
    """After the server ended all connections of a pool, the next direct read succeeds, blocking and awaited."""
    store = SqlStore(url_of(database))
    id = store.create(scope, USER, user("ada")).document["id"]

    def end_all(engine: Any) -> None:
        records = (
            list(engine.pool._pool.queue) if not engine.dialect.is_async else list(engine.pool._pool._queue._queue)
        )
        for record in records:
            end_connection(store_of(database).engine, record.driver_connection.info.backend_pid)

    async def awaited() -> str:
        other = AsyncSqlStore(url_of(database))
        await asyncio.gather(*(other.get(scope, USER, id) for _ in range(4)))
        await asyncio.to_thread(end_all, other.engine.sync_engine)
        document = await other.get(scope, USER, id)
        await other.engine.dispose()
        return str(document["userName"])

    assert asyncio.run(awaited()) == "ada"
    end_all(store.engine)
    assert store.get(scope, USER, id)["userName"] == "ada"
    store.engine.dispose()


@on_postgresql
def test_a_deadline_in_the_past_is_refused(database: str, scope: Scope) -> None:
    """A read whose deadline has passed is refused, and gives its connection back."""
    store = SqlStore(url_of(database))
    id = store.create(scope, USER, user("ada")).document["id"]
    with pytest.raises(Unavailable):
        store.get(Scope(scope.tenant, deadline=monotonic() - 1), USER, id)
    assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    store.engine.dispose()


@on_postgresql
def test_an_engine_of_the_application_keeps_its_transactions(database: str, scope: Scope) -> None:
    """Tokens are read directly on an engine of the application, whose connections begin transactions afterwards."""
    store_of(database)
    engine = sa.create_engine(url_of(database), pool_size=1)
    registry = TokenRegistry(SqlTokenStore(engine))
    token = registry.issue("own", tenant=scope.tenant).token
    assert registry.verify(token).tenant == registry.verify(token).tenant == scope.tenant
    with orm.Session(engine) as session:
        session.execute(sa.text("CREATE TEMPORARY TABLE draft (id int) ON COMMIT PRESERVE ROWS"))
        session.commit()
        session.execute(sa.text("INSERT INTO draft VALUES (1)"))
        session.rollback()
        assert session.scalar(sa.text("SELECT count(*) FROM draft")) == 0
    engine.dispose()

    async def awaited() -> list[bool]:
        other = create_async_engine(url_of(database), pool_size=1)
        tokens = AsyncTokenRegistry(AsyncSqlTokenStore(other))
        assert [(await tokens.verify(token)).tenant for _ in range(2)] == [scope.tenant] * 2
        async with other.connect() as connection:
            before = (await connection.get_raw_connection()).driver_connection
            modes = [before is not None and before.autocommit]
        await other.dispose()
        return modes

    assert asyncio.run(awaited()) == [False]


@on_postgresql
def test_a_canceled_read_gives_no_connection_back(database: str, scope: Scope) -> None:
    """A task that is canceled while it waits for the server leaves no half-read connection in the pool."""
    store = store_of(database)
    id = store.create(scope, USER, user("ada")).document["id"]

    async def canceled() -> None:
        other = AsyncSqlStore(url_of(database))
        await other.get(scope, USER, id)
        for _ in range(20):
            task = asyncio.create_task(other.get(scope, USER, id))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await other.get(scope, USER, id))["userName"] == "ada"
        assert other.engine.sync_engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        await other.engine.dispose()

    asyncio.run(canceled())


@on_postgresql
@pytest.mark.parametrize("meanwhile", ["a new member is deleted", "the group changes", "nothing"])
def test_members_change_in_two_statements_or_in_a_transaction(
    database: str, scope: Scope, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """A change of members outside a transaction begins anew in one if another write came between."""
    store, other = SqlStore(url_of(database)), store_of(database)
    ids = [store.create(scope, USER, user(f"ada{number}")).document["id"] for number in range(4)]
    first = {"schemas": [GROUP.schema], "displayName": "All", "members": [{"value": ids[0]}, {"value": ids[3]}]}
    group = store.create(scope, GROUP, first).document["id"]
    begun: list[str] = []
    plan = Rows.member_changes

    def interrupted(self: Rows, *arguments: Any) -> Any:
        begun.append("transaction" if self.connection.in_transaction() else "single")
        planned = plan(self, *arguments)
        if len(begun) == 1 and meanwhile == "a new member is deleted":
            other.delete(scope, USER, ids[1])
        elif len(begun) == 1 and meanwhile == "the group changes":
            other.change(scope, GROUP, group, ChangeSet(references={"members": ReferenceChanges(({"value": ids[2]},))}))
        return planned

    with monkeypatch.context() as patched:
        patched.setattr(Rows, "member_changes", interrupted)
        changes = ReferenceChanges(({"value": ids[1]},), frozenset({ids[0]}))
        written = store.change(scope, GROUP, group, ChangeSet(references={"members": changes}))
    found = {each["value"] for each in store.get(scope, GROUP, group)["members"]}
    if meanwhile == "a new member is deleted":
        assert (found, written.skipped_members) == ({ids[3]}, (ids[1],))
    else:
        assert found == {ids[1], ids[3], *([ids[2]] if meanwhile == "the group changes" else [])}
    assert len(begun) == (1 if meanwhile == "nothing" else 2 + (meanwhile == "the group changes"))
    store.engine.dispose()


@on_postgresql
@pytest.mark.parametrize(("count", "expected"), [(1, 2), (97, 2), (98, 3)])
def test_the_members_are_read_with_the_group(database: str, scope: Scope, count: int, expected: int) -> None:
    """A change of up to 100 members takes two statements, also if it is reported. Unknown members are skipped."""
    store = SqlStore(url_of(database))
    ids = [store.create(scope, USER, user(f"cy{number}")).document["id"] for number in range(count + 1)]
    foreign = store.create(Scope(f"{scope.tenant}-other"), USER, user("cy")).document["id"]
    first = {"schemas": [GROUP.schema], "displayName": "All", "members": [{"value": ids[-1]}]}
    group = store.create(scope, GROUP, first).document["id"]
    added = tuple({"value": each} for each in (*ids[:count], "nobody", foreign))
    changes = ChangeSet(references={"members": ReferenceChanges(added, frozenset({ids[-1]}))})
    with sent_messages(store.engine) as sent:
        written = store.change(replace(scope, report_changes=True), GROUP, group, changes)
        assert sent.count() == (expected, expected)
    assert written.skipped_members == ("nobody", foreign)
    assert written.changes is not None
    assert written.changes.added_members == tuple(ids[:count])
    assert written.changes.removed_members == (ids[-1],)
    assert {each["value"] for each in store.get(scope, GROUP, group)["members"]} == set(ids[:count])
    with pytest.raises(NotFound):
        store.change(scope, GROUP, "nobody", changes)
    store.engine.dispose()


@on_postgresql
def test_a_member_whose_display_changes_keeps_its_place(database: str, scope: Scope) -> None:
    """Members are removed, added and displayed anew by one PATCH, alone and with a change of the document."""
    store = SqlStore(url_of(database))
    ids = [store.create(scope, USER, user(f"bob{number}")).document["id"] for number in range(3)]
    first = {"schemas": [GROUP.schema], "displayName": "All", "members": [{"value": ids[0]}, {"value": ids[1]}]}
    group = store.create(scope, GROUP, first).document["id"]
    again = ReferenceChanges(({"value": ids[0], "display": "Bob"}, {"value": ids[2]}), frozenset({ids[0], ids[1]}))
    store.change(scope, GROUP, group, ChangeSet(assigned={"displayName": "Few"}, references={"members": again}))
    found = store.get(scope, GROUP, group)
    assert found["displayName"] == "Few"
    assert {each["value"]: each.get("display") for each in found["members"]} == {ids[0]: "Bob", ids[2]: None}
    both = ReferenceChanges(({"value": ids[1]},), frozenset({ids[2]}))
    store.change(scope, GROUP, group, ChangeSet(assigned={"displayName": "Some"}, references={"members": both}))
    found = store.get(scope, GROUP, group)
    assert {each["value"] for each in found["members"]} == {ids[0], ids[1]}
    assert found["displayName"] == "Some"
    store.engine.dispose()


@on_postgresql
@pytest.mark.parametrize("claimed", ["before", "meanwhile"])
def test_a_taken_name_leaves_the_transaction_alive(
    database: str, scope: Scope, monkeypatch: pytest.MonkeyPatch, claimed: str
) -> None:
    """Within a transaction, an insert takes no savepoint. A taken name is refused, and the transaction goes on."""
    store, other = SqlStore(url_of(database)), store_of(database)
    if claimed == "before":
        other.create(scope, USER, user("Ada"))
    insert, tries = SingleStatements.insert, []

    def interrupted(self: SingleStatements, *arguments: Any) -> int:
        tries.append(len(tries))
        if claimed == "meanwhile" and len(tries) == 2:  # Grace is inserted, and the statement for Ada follows
            other.create(scope, USER, user("ADA"))
        return insert(self, *arguments)

    def work(inner: Any) -> str:
        inner.create(scope, USER, user("Grace"))
        with pytest.raises(Uniqueness) as refused:
            inner.create(scope, USER, user("ada"))
        inner.create(scope, USER, user("Edsger"))
        return str(refused.value.detail)

    with monkeypatch.context() as patched:
        patched.setattr(SingleStatements, "insert", interrupted)
        assert "userName" in store.transaction(scope, work)
    assert len(store.search(scope, Query(USER)).documents) == 3
    store.engine.dispose()


@on_postgresql
def test_a_transaction_begins_again_if_a_name_is_taken_at_the_same_moment(database: str, scope: Scope) -> None:
    """Two transactions that insert one name at once: one of them wins, the other one is refused, and both end."""
    store = SqlStore(url_of(database))
    results: list[str] = []
    barrier = threading.Barrier(2)

    def insert(name: str) -> None:
        met: list[bool] = []

        def work(inner: Any) -> None:
            inner.create(scope, USER, user(name))
            if not met:
                met.append(True)
                barrier.wait(10)
            try:
                inner.create(scope, USER, user("ada"))
                results.append("created")
            except Uniqueness:
                results.append("refused")

        store.transaction(scope, work)

    for _ in range(5):
        scope = Scope(f"direct-{os.urandom(4).hex()}")
        threads = [threading.Thread(target=insert, args=(name,)) for name in ("Grace", "Edsger")]
        for each in threads:
            each.start()
        for each in threads:
            each.join(30)
        assert len(store.search(scope, Query(USER)).documents) == 3
    assert sorted(results) == ["created"] * 5 + ["refused"] * 5
    store.engine.dispose()
