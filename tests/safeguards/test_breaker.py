"""The breaker stops a mass deactivation until an administrator releases it, over every kind of store."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scimkit import USER, MemoryStore, Request, ScimService, TokenRegistry, wsgi
from scimkit.events import BreakerTripped, Refused, ResourceEvent, UserDeactivated, after_commit, in_transaction
from scimkit.safeguards import Breaker, BreakerState, MemoryBreakerStore
from scimkit.stores.sql import AsyncSqlStore, SqlBreakerStore, SqlStore
from scimkit.stores.sqlalchemy import MappedStore
from scimkit.testing.directory import Directory, Person, key_of
from scimkit.testing.endpoint import open_endpoint
from scimkit.testing.entra import EntraSimulator
from tests.client import Client
from tests.stores.databases import DATABASES, store_of, url_of
from tests.stores.mapped.helpdesk import AGENTS, TEAMS, account, sessions_of

OFF = {"op": "replace", "path": "active", "value": False}
ON = {"op": "replace", "path": "active", "value": True}


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=["memory", *DATABASES])
def store(request: pytest.FixtureRequest) -> Any:
    """A store of each kind."""
    return MemoryStore() if request.param == "memory" else store_of(request.param)


@pytest.fixture
def tenant() -> str:
    """A tenant that nobody else has."""
    return account()


def users(client: Client, number: int) -> list[str]:
    """Create active users."""
    return [client.user(f"user-{each}", active=True) for each in range(number)]


def active(client: Client) -> int:
    """Return the number of active users."""
    return int(client.get("/Users?filter=active%20eq%20true&count=0").body["totalResults"])


def test_deactivations_stop_at_the_limit(store: Any, tenant: str, caplog: pytest.LogCaptureFixture) -> None:
    """Past the limit each deactivation and deletion is refused, until the release, with one event and one warning."""
    heard: list[ResourceEvent] = []
    breaker = Breaker(deactivations=3, percent=None)
    client = Client(store, tenant=tenant, breaker=breaker, listeners=[after_commit(BreakerTripped, heard.append)])
    ids = users(client, 8)
    with caplog.at_level(logging.WARNING, "scimkit"):
        statuses = [client.patch(f"/Users/{id}", OFF).status for id in ids[:6]]
    assert statuses == [200, 200, 200, 403, 403, 403]
    refused = client.delete(f"/Users/{ids[7]}")
    assert refused.status == 403
    assert "ask an administrator" in refused.body["detail"]
    assert active(client) == 5
    assert [(each.id, each.deactivations, each.limit) for each in heard if isinstance(each, BreakerTripped)] == [
        (ids[3], 4, 3)
    ]
    assert len([each for each in caplog.records if "breaker" in each.getMessage()]) == 1
    assert breaker.status(tenant).tripped is not None

    assert client.patch(f"/Users/{ids[7]}", {"op": "replace", "path": "title", "value": "x"}).status == 200
    assert client.user("somebody")
    breaker.release(tenant)
    assert [client.patch(f"/Users/{id}", OFF).status for id in ids[3:]] == [200, 200, 200, 403, 403]
    assert len(heard) == 2


def test_each_tenant_has_its_own_count(store: Any, tenant: str) -> None:
    """A tripped breaker of one tenant does not touch another tenant."""
    client = Client(store, tenant=tenant, breaker=Breaker(deactivations=1, percent=None))
    other = client.of_tenant(f"{tenant}-other")
    statuses = [client.delete(f"/Users/{id}").status for id in users(client, 3)]
    assert statuses == [204, 403, 403]
    assert client.get("/Users").body["totalResults"] == 2
    assert other.delete(f"/Users/{users(other, 1)[0]}").status == 204


def test_a_percentage_of_the_active_users(store: Any, tenant: str) -> None:
    """The percentage counts active users at the start of the window. A few deactivations are always allowed."""
    client = Client(store, tenant=tenant, breaker=Breaker(None, 20, minimum=2))
    ids = users(client, 20)
    assert [client.patch(f"/Users/{id}", OFF).status for id in ids[:5]] == [200, 200, 200, 200, 403]
    small = client.of_tenant(f"{tenant}-small")
    assert [small.patch(f"/Users/{id}", OFF).status for id in users(small, 3)] == [200, 200, 403]


def test_writes_that_are_undone_are_not_counted(store: Any, tenant: str) -> None:
    """A deactivation that a listener refuses leaves no count, and neither does one that changes nothing."""

    def refuse(event: UserDeactivated, _: Any) -> None:
        if event.label == "user-0":
            raise Refused("Not this one.")

    breaker = Breaker(deactivations=2, percent=None)
    client = Client(store, tenant=tenant, breaker=breaker, listeners=[in_transaction(UserDeactivated, refuse)])
    ids = users(client, 3)
    assert [client.patch(f"/Users/{ids[0]}", OFF).status for _ in range(5)] == [409] * 5
    assert breaker.status(tenant).deactivations == 0
    assert [client.patch(f"/Users/{ids[1]}", OFF).status for _ in range(5)] == [200] * 5
    client.patch(f"/Users/{ids[1]}", ON)
    client.group("team", ids[2])
    assert breaker.status(tenant).deactivations == 1


def test_requests_at_once_do_not_pass_the_limit(store: Any, tenant: str) -> None:
    """Of many deactivations at once, exactly the allowed number succeeds."""
    heard: list[ResourceEvent] = []
    listeners = [after_commit(BreakerTripped, heard.append)]
    client = Client(store, tenant=tenant, breaker=Breaker(deactivations=4, percent=None), listeners=listeners)
    ids = users(client, 12)
    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(lambda id: client.patch(f"/Users/{id}", OFF).status, ids))
    assert sorted(statuses) == [200] * 4 + [403] * 8
    assert active(client) == 8
    assert len(heard) == 1


def test_the_window_moves(tenant: str) -> None:
    """A deactivation is forgotten after the window; a tripped breaker is not."""
    clock = Clock()
    breaker = Breaker(deactivations=2, percent=None, window=timedelta(hours=1), clock=clock)
    client = Client(tenant=tenant, breaker=breaker)
    ids = users(client, 8)
    statuses = []
    for id in ids[:4]:
        statuses.append(client.patch(f"/Users/{id}", OFF).status)
        clock.now += timedelta(minutes=40)
    assert statuses == [200] * 4
    clock.now += timedelta(hours=2)
    assert [client.patch(f"/Users/{id}", OFF).status for id in ids[4:7]] == [200, 200, 403]
    clock.now += timedelta(days=2)
    assert client.patch(f"/Users/{ids[7]}", OFF).status == 403


def test_a_pause_lets_a_large_deactivation_through(tenant: str) -> None:
    """A release with a pause counts nothing for a time, and then counts again."""
    clock = Clock()
    breaker = Breaker(deactivations=1, percent=None, clock=clock)
    client = Client(tenant=tenant, breaker=breaker)
    ids = users(client, 8)
    assert [client.patch(f"/Users/{id}", OFF).status for id in ids[:2]] == [200, 403]
    breaker.release(tenant, pause=timedelta(hours=1))
    assert [client.patch(f"/Users/{id}", OFF).status for id in ids[1:5]] == [200] * 4
    clock.now += timedelta(hours=1)
    assert [client.patch(f"/Users/{id}", OFF).status for id in ids[5:7]] == [200, 403]


@pytest.mark.parametrize("database", DATABASES)
def test_processes_count_together(database: str, tenant: str) -> None:
    """Two services over the same database share the count and the release."""
    first, second = Breaker(2, None), Breaker(2, None)
    one = Client(store_of(database), tenant=tenant, breaker=first)
    two = Client(SqlStore(url_of(database)), tenant=tenant, breaker=second)
    ids = users(one, 4)
    assert [client.patch(f"/Users/{id}", OFF).status for client, id in zip((one, two, one, two), ids, strict=True)] == [
        200, 200, 403, 403,
    ]  # fmt: skip
    second.release(tenant)
    assert one.patch(f"/Users/{ids[2]}", OFF).status == 200
    two.service.store.engine.dispose()  # type: ignore[union-attr]


@pytest.mark.parametrize("database", DATABASES)
def test_a_breaker_over_the_applications_tables(database: str, tenant: str) -> None:
    """With a `MappedStore`, the count is in the same transaction as the row of the user."""
    store_of(database)
    sessions = sessions_of(database)
    breaker = Breaker(2, None, store=SqlBreakerStore(sessions.kw["bind"]))
    client = Client(MappedStore(sessions, (AGENTS, TEAMS)), tenant=tenant, breaker=breaker)
    ids = users(client, 4)
    assert [client.patch(f"/Users/{id}", OFF).status for id in ids] == [200, 200, 403, 403]
    assert active(client) == 2
    breaker.release(tenant)
    assert client.delete(f"/Users/{ids[3]}").status == 204


def test_an_awaited_store(tenant: str) -> None:
    """Over an async store, the breaker is awaited."""
    store_of("sqlite")

    async def play() -> None:
        store = AsyncSqlStore(url_of("sqlite"))
        breaker, tokens = Breaker(1, None), TokenRegistry()
        service = ScimService(store, tokens=tokens, breaker=breaker)
        headers = {
            "authorization": f"Bearer {tokens.issue('t', tenant=tenant).token}",
            "content-type": "application/scim+json",
        }
        statuses = []
        for name in ("ada", "bob"):
            body = f'{{"schemas": ["{USER.schema}"], "userName": "{name}"}}'.encode()
            made = await service.handle(Request("POST", "/Users", headers=headers, body=body))
            path = dict(made.headers)["Location"].rpartition("/Users/")[2]
            statuses.append((await service.handle(Request("DELETE", f"/Users/{path}", headers=headers))).status)
        assert statuses == [204, 403]
        assert (await breaker.status_async(tenant)).tripped
        with pytest.raises(TypeError, match="release_async"):
            breaker.release(tenant)
        assert await breaker.release_async(tenant) == BreakerState() == await breaker.status_async(tenant)
        await store.engine.dispose()

    asyncio.run(play())


@pytest.mark.parametrize("database", ["memory", *DATABASES])
def test_a_scoping_mistake_in_entra(database: str, tenant: str) -> None:
    """Somebody takes everybody out of the scope in Entra: after the limit, nobody else is deactivated.

    After the release, it goes on.
    """
    store = MemoryStore() if database == "memory" else store_of(database)
    breaker, tokens = Breaker(deactivations=3, percent=None), TokenRegistry()
    service = ScimService(store, tokens=tokens, breaker=breaker)
    people = [
        Person(key_of(f"person-{each}"), f"person{each}@example.org", "Person", str(each), f"person{each}@example.org")
        for each in range(8)
    ]
    directory = Directory(people)
    token = tokens.issue("Entra", tenant=tenant).token
    client = Client(store, tenant=tenant)
    with open_endpoint(wsgi.ScimApp(service)) as endpoint:
        entra = EntraSimulator(endpoint.base_url, token, directory, client=endpoint.client)
        assert entra.initial_cycle()
        assert active(client) == 8
        for person in people:
            directory.delete(person.key)
        assert not entra.incremental_cycle()
        assert active(client) == 5
        assert entra.quarantine.active  # Entra stops the job, too, and asks its administrator
        assert not entra.incremental_cycle()
        assert active(client) == 5

        for person in people[:4]:
            directory.purge(person.key)
        assert not entra.incremental_cycle()  # the later deletions are refused, too
        assert client.get("/Users").body["totalResults"] == 8

        breaker.release(tenant, pause=timedelta(hours=2))
        entra.incremental_cycle()
        assert active(client) == 0
        assert client.get("/Users").body["totalResults"] == 4
        entra.close()


class TestBuilding:
    """A breaker is built with sensible limits and a store, or not at all."""

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"deactivations": None, "percent": None}, "needs a limit"),
            ({"deactivations": -1}, "negative"),
            ({"window": timedelta(seconds=10)}, "one minute"),
        ],
    )
    def test_limits(self, arguments: Any, message: str) -> None:
        """Limits that make no sense are refused."""
        with pytest.raises(ValueError, match=message):
            Breaker(**arguments)

    def test_a_store_without_a_place(self) -> None:
        """A store that does not say where to keep states needs `store=`."""

        class Foreign(MemoryStore):
            breaker_store = None  # type: ignore[assignment]

        with pytest.raises(ValueError, match="needs store="):
            ScimService(Foreign(), tokens=TokenRegistry(), breaker=Breaker())
        with pytest.raises(ValueError, match="no store yet"):
            Breaker().status("t")
        client = Client(Foreign(), breaker=Breaker(0, None, store=MemoryBreakerStore()))
        assert client.delete(f"/Users/{client.user('ada')}").status == 403
