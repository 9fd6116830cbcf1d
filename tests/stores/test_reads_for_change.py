"""A change of a resource that was read for the same request: `Scope.reads`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import pytest

from scimkit import USER, Scope
from scimkit.errors import NotFound, PreconditionFailed
from scimkit.events import ResourceEvent, in_transaction
from scimkit.patch import ChangeSet
from scimkit.stores.protocol import Written
from scimkit.stores.sql import AsyncSqlStore, SqlStore
from scimkit.stores.sql.rows import StoredResource
from tests.client import Client
from tests.stores.databases import DATABASES, noted, store_of, url_of

on_postgresql = pytest.mark.parametrize("database", [each for each in DATABASES if each.values == ("postgresql",)])
on_every_database = pytest.mark.parametrize("database", DATABASES)

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCHES: dict[str, list[dict[str, Any]]] = {
    "a sub-attribute": [{"op": "replace", "path": "name.givenName", "value": "Eve"}],
    "an element": [{"op": "Add", "path": 'emails[type eq "work"].value', "value": "eve@example.org"}],
    "an extension": [{"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Sales"}],
    "several": [{"op": "Replace", "value": {"userName": "eve", "name.familyName": "Nord", "active": "False"}}],
}
LISTENERS = [in_transaction(ResourceEvent, lambda event, transaction: None)]


def user(name: str) -> dict[str, Any]:
    return {"schemas": [USER.schema], "userName": name, "title": "Agent", "active": True}


@pytest.fixture
def tenant() -> Iterator[str]:
    """A tenant that no other test uses."""
    yield f"reads-{os.urandom(4).hex()}"


class MeetingStore(SqlStore):
    """A store that calls a function after each read."""

    meet: Callable[[], object] = staticmethod(lambda: None)

    def get(self, *arguments: Any, **options: Any) -> Any:
        found = super().get(*arguments, **options)
        self.meet()
        return found


class ShoutingStore(SqlStore):
    """A store of an application whose documents differ from the stored ones."""

    def get(self, *arguments: Any, **options: Any) -> Any:
        found = super().get(*arguments, **options)
        return {**found, "title": found["title"].upper()}


@on_postgresql
@pytest.mark.parametrize("listens", [False, True])
@pytest.mark.parametrize("patch", PATCHES)
def test_a_patch_reads_the_resource_once(database: str, tenant: str, patch: str, listens: bool) -> None:
    """A PATCH that depends on the present values takes one read and one statement that writes."""
    store = SqlStore(url_of(database))
    client = Client(store, tenant=tenant, listeners=LISTENERS if listens else [])
    ada = client.user("ada")
    said = noted(store.engine)
    answer = client.patch(f"/Users/{ada}", *PATCHES[patch])
    assert said == (["BEGIN", "SELECT", "WITH", "COMMIT"] if listens else ["SELECT", "WITH"])
    assert answer.body == client.get(f"/Users/{ada}").body
    assert answer.headers["ETag"] == 'W/"2"'
    store.engine.dispose()


@on_postgresql
def test_an_awaited_patch_reads_the_resource_once(database: str, tenant: str) -> None:
    """The awaited store does the same."""

    async def patched() -> tuple[list[str], Written]:
        store = AsyncSqlStore(url_of(database))
        scope = Scope(tenant, reads={})
        id = (await store.create(scope, USER, user("ada"))).document["id"]
        said = noted(store.engine.sync_engine)
        document = await store.get(scope, USER, id)
        written = await store.change(scope, USER, id, ChangeSet({"title": "Lead"}), document["meta"]["version"])
        await store.engine.dispose()
        return said, written

    said, written = asyncio.run(patched())
    assert said == ["SELECT", "WITH"]
    assert (written.document["title"], written.document["meta"]["version"]) == ("Lead", 'W/"2"')


@on_every_database
@pytest.mark.parametrize("listens", [False, True])
def test_a_write_between_the_read_and_the_change(database: str, tenant: str, listens: bool) -> None:
    """Neither write is lost: the PATCH begins again with the resource as it is then."""
    if listens and database in ("sqlite", "postgresql"):
        pytest.skip("no other connection can write the row, because the transaction has locked it")
    store, other = MeetingStore(url_of(database)), store_of(database)
    client = Client(store, tenant=tenant, listeners=LISTENERS if listens else [])
    ada = client.user("ada", name={"familyName": "King"})
    met: list[int] = []
    races = 1 if listens else 2  # a transaction locks the row after the first race

    def meet() -> None:
        met.append(1)
        if len(met) <= races:
            changes = ChangeSet({"name": {"familyName": f"Nord {len(met)}"}, "title": f"Lead {len(met)}"})
            other.change(Scope(tenant), USER, ada, changes)

    store.meet = meet
    answer = client.patch(f"/Users/{ada}", *PATCHES["a sub-attribute"])
    assert (answer.status, len(met)) == (200, races + 1)
    store.meet = lambda: None
    found = client.get(f"/Users/{ada}").body
    assert answer.body == found
    assert (found["name"], found["title"]) == ({"familyName": f"Nord {races}", "givenName": "Eve"}, f"Lead {races}")
    assert found["meta"]["version"] == f'W/"{races + 2}"'
    store.engine.dispose()


@on_postgresql
def test_no_write_between_the_read_and_the_change_of_a_transaction(database: str, tenant: str) -> None:
    """Within a transaction, the read locks the row, so the other write comes later."""
    store = MeetingStore(url_of(database))
    client, others = Client(store, tenant=tenant, listeners=LISTENERS), ThreadPoolExecutor(1)
    ada = client.user("ada", name={"familyName": "King"})
    waits: list[Future[Written]] = []

    def meet() -> None:
        if not waits:
            changes = ChangeSet({"title": "Lead"})
            waits.append(others.submit(store_of(database).change, Scope(tenant), USER, ada, changes))
            wait(waits, timeout=0.3)
            assert not waits[0].done()

    store.meet = meet
    answer = client.patch(f"/Users/{ada}", *PATCHES["a sub-attribute"])
    assert answer.body["meta"]["version"] == 'W/"2"'
    written = waits[0].result(10).document
    assert (written["name"]["givenName"], written["title"], written["meta"]["version"]) == ("Eve", "Lead", 'W/"3"')
    others.shutdown()
    store.engine.dispose()


@on_every_database
def test_a_deletion_between_the_read_and_the_change(database: str, tenant: str) -> None:
    """A resource that was deleted after it was read is not found."""
    store, scope = store_of(database), Scope(tenant, reads={})
    id = store.create(scope, USER, user("ada")).document["id"]
    version = store.get(scope, USER, id)["meta"]["version"]
    store.delete(Scope(tenant), USER, id)
    with pytest.raises(NotFound):
        store.change(scope, USER, id, ChangeSet({"title": "Lead"}), version)


@on_every_database
def test_the_expected_version_decides(database: str, tenant: str) -> None:
    """What was read counts only for a change that expects the version that was read, and only once."""
    store, scope = store_of(database), Scope(tenant, reads={})
    id = store.create(scope, USER, user("ada")).document["id"]
    store.get(scope, USER, id)
    with pytest.raises(PreconditionFailed):
        store.change(scope, USER, id, ChangeSet({"title": "Lead"}), 'W/"7"')
    version = store.get(scope, USER, id)["meta"]["version"]
    store.change(Scope(tenant), USER, id, ChangeSet({"nickName": "Eve"}))
    for _ in range(2):
        with pytest.raises(PreconditionFailed):
            store.change(scope, USER, id, ChangeSet({"title": "Lead"}), version)
    store.get(scope, USER, id)
    written = store.change(scope, USER, id, ChangeSet({"title": "Lead"}))
    assert (written.document["nickName"], written.document["title"]) == ("Eve", "Lead")


@on_every_database
def test_a_store_may_return_other_documents(database: str, tenant: str) -> None:
    """A store of an application that alters what it reads does not alter what is stored."""
    store = ShoutingStore(url_of(database))
    client = Client(store, tenant=tenant)
    ada = client.user("ada", title="Agent")
    assert client.patch(f"/Users/{ada}", *PATCHES["a sub-attribute"]).status == 200
    assert client.get(f"/Users/{ada}").body["title"] == "AGENT"
    assert store_of(database).get(Scope(tenant), USER, ada)["title"] == "Agent"
    store.engine.dispose()


@on_postgresql
def test_a_row_of_another_place_is_never_written(database: str, tenant: str) -> None:
    """What was read from another tenant or another database leads to no other row, and to no change of that row."""
    store, scope = store_of(database), Scope(tenant, reads={})
    assert scope.reads is not None
    ada, eve = (store.create(scope, USER, user(name)).document["id"] for name in ("ada", "eve"))
    version = store.get(scope, USER, eve)["meta"]["version"]
    (read,) = scope.reads.values()
    assert isinstance(read, StoredResource)
    scope.reads[tenant, USER.name, ada] = replace(read, id=ada)  # the number that Ada has in another database
    written = store.change(scope, USER, ada, ChangeSet({"title": "Lead"}), version)
    assert (written.document["userName"], written.document["title"]) == ("ada", "Lead")
    assert store.get(scope, USER, eve)["title"] == "Agent"
    other = replace(scope, tenant=f"{tenant}-other")
    assert scope.reads
    with pytest.raises(NotFound):
        store.change(other, USER, eve, ChangeSet({"title": "Lead"}), version)
    assert store.get(Scope(tenant), USER, eve)["meta"]["version"] == version
