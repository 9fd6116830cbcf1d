"""Protected resources cannot be deactivated, deleted or demoted, over every kind of store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import sessionmaker

from scimkit import TOLERANT, USER, MemoryStore, Request, ScimService, Scope, TokenRegistry
from scimkit.dialects import RESTORE_INACTIVE
from scimkit.events import ResourceEvent, UserDeactivated, in_transaction
from scimkit.safeguards import keep_last
from scimkit.stores.sqlalchemy import Computed, MappedStore
from tests.client import Client
from tests.stores.databases import DATABASES, Apart, apart, apart_async, url_of
from tests.stores.mapped.helpdesk import AGENTS, ATTRIBUTES, TEAMS, helpdesk_of, sessions_of

OWNER = 'roles[value eq "owner"]'
ADMIN = 'roles[value eq "admin"]'
OFF = {"op": "replace", "path": "active", "value": False}
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


@pytest.fixture(params=["memory", *DATABASES])
def store(request: pytest.FixtureRequest) -> Any:
    """An empty store of each kind."""
    return MemoryStore() if request.param == "memory" else apart(request.param)


def with_role(client: Client, user_name: str, role: str, **more: Any) -> str:
    """Create a user with a role."""
    return client.user(user_name, roles=[{"value": role}], **more)


def body(user_name: str, **more: Any) -> dict[str, Any]:
    """Return the body of a user."""
    return {"schemas": [USER.schema], "userName": user_name, **more}


def owner_writes(id: str) -> dict[str, Callable[[Client], Any]]:
    """Return the writes that would deactivate, delete or demote the owner `ada`."""
    return {
        "deactivate": lambda client: client.patch(f"/Users/{id}", OFF),
        "deactivate by PUT": lambda client: client.put(
            f"/Users/{id}", body("ada", active=False, roles=[{"value": "owner"}])
        ),
        "delete": lambda client: client.delete(f"/Users/{id}"),
        "demote": lambda client: client.patch(f"/Users/{id}", {"op": "remove", "path": OWNER}),
        "demote by PUT": lambda client: client.put(f"/Users/{id}", body("ada")),
        "another role": lambda client: client.patch(
            f"/Users/{id}", {"op": "replace", "path": "roles", "value": [{"value": "agent"}]}
        ),
    }


def test_a_protected_user_stays(store: Any) -> None:
    """No operation deactivates, deletes or demotes a protected user. The answer is 403 and says what to do."""
    client = Client(store, protect=OWNER)
    id = with_role(client, "ada", "owner", active=True)
    before = client.get(f"/Users/{id}").body
    for name, write in owner_writes(id).items():
        answer = write(client)
        assert answer.status == 403, name
        assert "Remove it from the scope of provisioning" in answer.body["detail"]
        assert "ada" not in answer.body["detail"]
        assert client.get(f"/Users/{id}").body == before, name


def test_other_writes_are_allowed(store: Any) -> None:
    """A protected user may be changed otherwise, and other users may be deactivated and deleted."""
    client = Client(store, protect=[OWNER, 'userName eq "root"'])
    ada, bob = with_role(client, "ada", "owner"), with_role(client, "bob", "agent")
    assert client.patch(f"/Users/{ada}", {"op": "replace", "path": "title", "value": "Boss"}).status == 200
    assert client.patch(f"/Users/{bob}", OFF).status == 200
    assert client.delete(f"/Users/{bob}").status == 204
    root = client.user("root")
    assert client.patch(f"/Users/{root}", {"op": "replace", "path": "userName", "value": "admin"}).status == 403
    assert client.delete(f"/Users/{root}").status == 403


def test_a_bulk_is_checked_operation_by_operation(store: Any) -> None:
    """In a bulk, the operation on the protected user is refused, and the others succeed."""
    client = Client(store, protect=OWNER)
    ada, bob = with_role(client, "ada", "owner"), with_role(client, "bob", "agent")
    answer = client.post("/Bulk", {"schemas": [BULK], "Operations": [
        {"method": "DELETE", "path": f"/Users/{ada}"}, {"method": "DELETE", "path": f"/Users/{bob}"},
    ]})  # fmt: skip
    assert [each["status"] for each in answer.body["Operations"]] == ["403", "204"]


def test_a_function_protects(store: Any) -> None:
    """A function sees the name of the resource type and the document. Groups can be protected too."""
    client = Client(store, protect=lambda kind, document: kind == "Group" and document["displayName"] == "Admins")
    group, user = client.group("Admins"), client.user("ada")
    assert client.delete(f"/Groups/{group}").status == 403
    renamed = {"op": "replace", "path": "displayName", "value": "Users"}
    assert client.patch(f"/Groups/{group}", renamed).status == 403
    assert client.delete(f"/Users/{user}").status == 204


def test_a_restore_cannot_demote(store: Any) -> None:
    """A POST that restores a deactivated user may not take a protected role from the user."""
    id = with_role(Client(store), "ada", "owner", active=False, externalId="7")
    client = Client(store, protect=OWNER, dialect=TOLERANT.extended("restoring", RESTORE_INACTIVE))
    assert client.post("/Users", body("ada", active=True, externalId="7")).status == 403
    assert client.post("/Users", body("ada", active=True, externalId="7", roles=[{"value": "owner"}])).status == 201
    assert client.get(f"/Users/{id}").body["active"] is True


def test_listeners_do_not_hear_of_refused_writes(store: Any) -> None:
    """The check comes before the listeners in the transaction."""
    heard: list[ResourceEvent] = []
    client = Client(
        store, protect=OWNER, listeners=[in_transaction(UserDeactivated, lambda event, _: heard.append(event))]
    )
    ada, bob = with_role(client, "ada", "owner"), with_role(client, "bob", "agent")
    client.patch(f"/Users/{ada}", OFF)
    client.patch(f"/Users/{bob}", OFF)
    assert [each.id for each in heard] == [bob]


def test_the_last_administrator_stays(store: Any) -> None:
    """The last active administrator cannot be deactivated, deleted or demoted; others can."""
    client = Client(store, protect=keep_last(ADMIN))
    ada, bob = with_role(client, "ada", "admin", active=True), with_role(client, "bob", "admin")
    eve = with_role(client, "eve", "admin", active=False)
    assert client.patch(f"/Users/{ada}", OFF).status == 200
    for answer in (
        client.patch(f"/Users/{bob}", OFF),
        client.delete(f"/Users/{bob}"),
        client.put(f"/Users/{bob}", body("bob")),
    ):
        assert answer.status == 403
        assert "Give the role to another User first" in answer.body["detail"]
    assert client.delete(f"/Users/{ada}").status == 204  # it was inactive already
    assert client.patch(f"/Users/{eve}", {"op": "replace", "path": "active", "value": True}).status == 200
    assert client.delete(f"/Users/{bob}").status == 204


def test_each_tenant_keeps_its_own(store: Any) -> None:
    """An administrator of another tenant does not count."""
    client = Client(store, protect=keep_last(ADMIN))
    other = client.of_tenant("other")
    with_role(other, "ada", "admin")
    assert client.delete(f"/Users/{with_role(client, 'ada', 'admin')}").status == 403


def removals(number: int) -> list[Callable[[Client, str], Any]]:
    """Return different ways to remove an administrator."""
    ways: list[Callable[[Client, str], Any]] = [
        lambda client, id: client.patch(f"/Users/{id}", OFF),
        lambda client, id: client.delete(f"/Users/{id}"),
        lambda client, id: client.patch(f"/Users/{id}", {"op": "remove", "path": ADMIN}),
    ]
    return [ways[each % len(ways)] for each in range(number)]


@pytest.mark.parametrize("administrators", [2, 4])
def test_requests_at_once_leave_an_administrator(store: Any, administrators: int) -> None:
    """Requests that each remove one of the last administrators cannot all succeed."""
    client = Client(store, protect=keep_last(ADMIN))
    for attempt in range(8):
        ids = [with_role(client, f"u{attempt}-{each}", "admin") for each in range(administrators)]
        with ThreadPoolExecutor(administrators) as threads:
            futures = [
                threads.submit(remove, client, id) for remove, id in zip(removals(administrators), ids, strict=True)
            ]
            statuses = [each.result().status for each in futures]
        refused = [id for id, status in zip(ids, statuses, strict=True) if status == 403]
        assert len(refused) == 1, statuses
        with_role(client, f"spare{attempt}", "admin")
        assert client.delete(f"/Users/{refused[0]}").status == 204
        left = client.get("/Users?filter=" + ADMIN.replace(" ", "%20").replace('"', "%22")).body["Resources"]
        for each in left[:-1]:
            client.delete(f"/Users/{each['id']}")
        plain = Client(store)
        for each in plain.get("/Users").body["Resources"]:
            plain.delete(f"/Users/{each['id']}")


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
@pytest.mark.parametrize("database", DATABASES)
def test_requests_at_once_on_the_applications_tables(database: str, isolation: str) -> None:
    """The same holds on tables of the application, whatever the isolation level of its database is."""
    sessions_of(database)
    options: dict[str, Any] = {} if database == "sqlite" else {"isolation_level": isolation}
    engine = sa.create_engine(url_of(database), **options)
    store = Apart(MappedStore(sessionmaker(engine), (AGENTS, TEAMS)))
    client = Client(store, protect=keep_last('title eq "Admin"'))
    for attempt in range(5):
        ids = [client.user(f"u{attempt}-{each}", title="Admin", active=True) for each in range(2)]
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda id: client.patch(f"/Users/{id}", OFF), ids))
        assert sorted(each.status for each in answers) == [200, 403]
        plain = Client(store)
        for id in ids:
            plain.delete(f"/Users/{id}")
    engine.dispose()


@pytest.mark.parametrize("database", DATABASES)
def test_requests_at_once_on_an_awaited_store(database: str) -> None:
    """The same holds on an async store, whose requests run as tasks."""

    async def play() -> None:
        store = apart_async(database)
        tokens = TokenRegistry()
        service = ScimService(store, tokens=tokens, protect=keep_last(ADMIN))
        headers = {"authorization": f"Bearer {tokens.issue('t').token}", "content-type": "application/scim+json"}

        async def send(method: str, path: str, content: Any = None) -> Any:
            return await service.handle(Request(method, path, headers=headers, body=json.dumps(content).encode()))

        for attempt in range(4):
            ids = []
            for each in range(2):
                made = await send("POST", "/Users", body(f"u{attempt}-{each}", roles=[{"value": "admin"}]))
                ids.append(json.loads(made.body)["id"])
            answers = await asyncio.gather(*(send("DELETE", f"/Users/{id}") for id in ids))
            assert sorted(each.status for each in answers) == [204, 403]
            spare = json.loads((await send("POST", "/Users", body("spare", roles=[{"value": "admin"}]))).body)["id"]
            for id, each in zip(ids, answers, strict=True):
                if each.status == 403:
                    assert (await send("DELETE", f"/Users/{id}")).status == 204
            await store.delete(Scope(), USER, spare)
        await store.engine.dispose()

    asyncio.run(play())


def test_a_filter_that_the_store_refuses() -> None:
    """If the store cannot evaluate the filter of `keep_last`, all users are read, and the rule still holds."""
    attributes = {**ATTRIBUTES, "roles": Computed(read=lambda agent: [{"value": agent.title}] if agent.title else None)}
    store = Apart(helpdesk_of("sqlite", (replace(AGENTS, attributes=attributes), TEAMS)))
    client = Client(store, protect=keep_last(ADMIN))
    for number in range(150):
        client.user(f"agent-{number}")
    ids = [client.user(f"admin-{each}", title="admin") for each in range(2)]
    assert client.patch(f"/Users/{ids[0]}", {"op": "replace", "path": "title", "value": "agent"}).status == 200
    assert client.delete(f"/Users/{ids[1]}").status == 403
    assert client.delete(f"/Users/{ids[0]}").status == 204


class TestBuilding:
    """A service is built with rules that fit it, or not at all."""

    @pytest.mark.parametrize(
        ("rule", "message"),
        [
            ("userName eq", "cannot be read"),
            ('color eq "red"', "fits no resource type"),
            ('groups[value eq "x"]', "cannot name groups"),
            (keep_last('displayName eq "x"', "Team"), "fits no resource type"),
        ],
    )
    def test_a_rule_that_does_not_fit(self, rule: Any, message: str) -> None:
        """A rule with a mistake is refused, and the error says why."""
        with pytest.raises(ValueError, match=message):
            ScimService(MemoryStore(), tokens=TokenRegistry(), protect=rule)

    @pytest.mark.parametrize("capability", ["changes", "transactions"])
    def test_a_store_without_a_capability(self, capability: Any) -> None:
        """A store that does not support changes or transactions is refused."""

        class Poor(MemoryStore):
            unsupported = MemoryStore.unsupported | {capability}

        with pytest.raises(ValueError, match=f"does not support {capability}"):
            ScimService(Poor(), tokens=TokenRegistry(), protect=OWNER)

    def test_an_attribute_that_the_store_does_not_keep(self) -> None:
        """A rule on an attribute that the tables do not have is refused."""
        with pytest.raises(ValueError, match="does not keep"):
            ScimService(
                helpdesk_of("sqlite", (replace(AGENTS, rest=None), TEAMS)),
                tokens=TokenRegistry(),
                protect=keep_last('nickName eq "x"'),
            )


def test_without_safeguards_nothing_is_asked() -> None:
    """A service without safeguards opens no transaction and asks for no changes."""

    class Watched(MemoryStore):
        def transaction(self, scope: Any, work: Any) -> Any:
            raise AssertionError

    client = Client(Watched())
    id = client.user("ada")
    assert client.delete(f"/Users/{id}").status == 204


def test_only_writes_that_matter_are_checked() -> None:
    """A write of other attributes searches for nobody."""

    class Watched(MemoryStore):
        searches = 0

        def search(self, scope: Any, query: Any) -> Any:
            self.searches += 1
            return super().search(scope, query)

    store = Watched()
    client = Client(store, protect=keep_last(ADMIN))
    id = with_role(client, "ada", "admin")
    client.patch(f"/Users/{id}", {"op": "replace", "path": "title", "value": "Boss"})
    agent = client.user("bob")
    client.delete(f"/Users/{agent}")
    assert store.searches == 0
    client.delete(f"/Users/{id}")
    assert store.searches == 1
