"""Listeners hear of each write, in its transaction or after it, over every kind of store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from scimkit import GROUP, USER, MemoryStore, Query, Request, ScimService, Scope, TokenRegistry, run_sync
from scimkit.errors import ScimError
from scimkit.events import (
    AttributeChange,
    MembersAdded,
    MembersRemoved,
    PendingWrite,
    Refused,
    RequestCompleted,
    ResourceCreated,
    ResourceDeleted,
    ResourceEvent,
    ResourceUpdated,
    Transaction,
    UserActivated,
    UserDeactivated,
    ValuesChange,
    after_commit,
    before_write,
    in_transaction,
)
from scimkit.patch.changes import ChangeSet, ReferenceChanges
from scimkit.service import Limits
from scimkit.stores.sql import SqlStore
from scimkit.stores.sqlalchemy import MappedStore
from tests.client import Client
from tests.stores.databases import DATABASES, apart
from tests.stores.mapped.helpdesk import AGENTS, TEAMS, Agent, Ticket, sessions_of

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture(params=["memory", *DATABASES])
def store(request: pytest.FixtureRequest) -> Any:
    """An empty store of each kind."""
    return MemoryStore() if request.param == "memory" else apart(request.param)


@pytest.fixture
def heard() -> list[ResourceEvent]:
    """The events that the client's service told."""
    return []


@pytest.fixture
def client(store: Any, heard: list[ResourceEvent]) -> Client:
    """A client of a service whose listener collects every event in the transaction."""
    return Client(store, listeners=[in_transaction(ResourceEvent, lambda event, _: heard.append(event))])


def names(events: list[ResourceEvent]) -> list[str]:
    """Return the names of the classes of some events, and forget the events."""
    found = [type(each).__name__ for each in events]
    events.clear()
    return found


def new_user(client: Client, user_name: str, /, **more: Any) -> str:
    """Create a user and return the id."""
    return str(client.post("/Users", {"schemas": [USER.schema], "userName": user_name, **more}).body["id"])


def new_group(client: Client, name: str, *members: str) -> str:
    """Create a group and return the id."""
    body = {"schemas": [GROUP.schema], "displayName": name, "members": [{"value": each} for each in members]}
    return str(client.post("/Groups", body).body["id"])


def test_the_events_of_a_user(client: Client, heard: list[ResourceEvent]) -> None:
    """Each write of a user yields its events, with the changes by path."""
    id = new_user(client, "ada", name={"givenName": "Ada"}, emails=[{"value": "a@example.org"}], externalId="x-1")
    created = heard[0]
    assert (created.id, created.external_id, created.label) == (id, "x-1", "ada")
    assert created.changes["name.givenName"] == AttributeChange(None, "Ada")
    assert created.changes["emails"] == ValuesChange(added=({"value": "a@example.org"},))
    assert names(heard) == ["ResourceCreated"]

    client.patch(f"/Users/{id}", {"op": "replace", "path": "active", "value": False},
                 {"op": "add", "path": f"{ENTERPRISE}:department", "value": "IT"})  # fmt: skip
    assert heard[0].changes == {
        "active": AttributeChange(None, False),
        f"{ENTERPRISE}:department": AttributeChange(None, "IT"),
    }
    assert heard[0].request_id
    assert names(heard) == ["ResourceUpdated", "UserDeactivated"]

    client.patch(f"/Users/{id}", {"op": "replace", "path": "active", "value": False})
    assert names(heard) == []

    client.put(f"/Users/{id}", {"schemas": [USER.schema], "userName": "ada", "active": True})
    assert names(heard) == ["ResourceUpdated", "UserActivated"]

    client.delete(f"/Users/{id}")
    assert heard[0].document["userName"] == "ada"
    assert names(heard) == ["ResourceDeleted"]


def test_a_user_created_inactive_is_not_deactivated(client: Client, heard: list[ResourceEvent]) -> None:
    """A user that is created with `active: false` is created, and nothing else."""
    new_user(client, "ada", active=False)
    assert names(heard) == ["ResourceCreated"]


def test_the_events_of_a_group(client: Client, heard: list[ResourceEvent]) -> None:
    """Members that come and go have events of their own; a deleted user leaves each of their groups."""
    ada, bob = new_user(client, "ada"), new_user(client, "bob")
    heard.clear()
    team = new_group(client, "team", ada)
    assert [each.members for each in heard if isinstance(each, MembersAdded)] == [(ada,)]
    assert names(heard) == ["ResourceCreated", "MembersAdded"]
    client.patch(f"/Groups/{team}", {"op": "add", "path": "members", "value": [{"value": ada}, {"value": bob}]})
    assert [each.members for each in heard if isinstance(each, MembersAdded)] == [(bob,)]
    assert names(heard) == ["MembersAdded"]
    client.patch(f"/Groups/{team}", {"op": "replace", "path": "displayName", "value": "board"})
    assert names(heard) == ["ResourceUpdated"]
    client.delete(f"/Users/{ada}")
    left = heard[1]
    assert isinstance(left, MembersRemoved)
    assert (left.resource_type, left.id, left.members) == ("Group", team, (ada,))
    assert names(heard) == ["ResourceDeleted", "MembersRemoved"]


def test_many_members_come_in_several_events() -> None:
    """One event has at most 1,000 members."""
    store, heard = MemoryStore(), list[ResourceEvent]()
    client = Client(store, listeners=[after_commit(MembersAdded, heard.append)])
    members = [new_user(client, f"user-{number}") for number in range(2_100)]
    new_group(client, "all", *members)
    assert [len(each.members) for each in heard if isinstance(each, MembersAdded)] == [1_000, 1_000, 100]


def test_each_operation_of_a_bulk_has_its_events(client: Client, heard: list[ResourceEvent]) -> None:
    """A bulk with a user and a group yields the events of both, with the request id of the bulk."""
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER.schema], "userName": "ada"}},
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {
                "schemas": [GROUP.schema], "displayName": "team", "members": [{"value": "bulkId:u"}]}},
        ],
    }  # fmt: skip
    client.post("/Bulk", body)
    assert len({each.request_id for each in heard}) == 1
    assert names(heard) == ["ResourceCreated", "ResourceCreated", "MembersAdded"]


def test_each_operation_of_a_bulk_is_a_completed_request() -> None:
    """Each operation of a bulk completes with its own resource type, id and outcome; then the bulk does."""
    heard: list[RequestCompleted] = []
    client = Client(on_request_completed=heard.append)
    user = {"schemas": [USER.schema], "userName": "ada"}
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": user},
            {"method": "POST", "path": "/Users", "bulkId": "v", "data": user},
        ],
    }
    client.post("/Bulk", body)
    first, second, whole = heard
    assert (first.resource_type, first.status, first.changed, bool(first.id)) == ("User", 201, True, True)
    assert (second.resource_type, second.status, second.changed) == ("User", 409, False)
    assert second.detail
    assert (whole.path, whole.status) == ("/Bulk", 200)
    assert first.request_id == second.request_id == whole.request_id


def test_a_handler_that_refuses_undoes_the_write(store: Any) -> None:
    """`Refused` in the transaction is the response, and nothing is written."""

    def refuse(event: ResourceCreated, transaction: Transaction) -> None:
        raise Refused("No seat is left. Buy seats or remove an agent.", status=403)

    client = Client(store, listeners=[in_transaction(ResourceCreated, refuse)])
    answer = client.post("/Users", {"schemas": [USER.schema], "userName": "ada"})
    assert (answer.status, answer.body["detail"]) == (403, "No seat is left. Buy seats or remove an agent.")
    assert client.get("/Users").body["totalResults"] == 0


def test_a_handler_that_fails_undoes_the_write(store: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Another exception is 500, is logged, and nothing of it reaches the client."""

    def fail(event: ResourceEvent, transaction: Transaction) -> None:
        raise RuntimeError("secret of the application")

    client = Client(store, listeners=[in_transaction(ResourceEvent, fail)])
    answer = client.post("/Users", {"schemas": [USER.schema], "userName": "ada"})
    assert answer.status == 500
    assert "secret" not in str(answer.body)
    assert "secret of the application" in caplog.text
    assert client.get("/Users").body["totalResults"] == 0


def test_a_handler_writes_in_the_same_transaction(store: Any) -> None:
    """What a handler writes through the store is kept with the write, and undone with it."""

    def join(event: ResourceCreated, transaction: Transaction) -> None:
        group = transaction.store.search(transaction.scope, Query(GROUP)).documents[0]["id"]
        changes = ChangeSet(references={"members": ReferenceChanges(({"value": event.id},))})
        transaction.store.change(transaction.scope, GROUP, group, changes)
        if event.label == "eve":
            raise Refused("Eve may not join.")

    client = Client(store, listeners=[in_transaction(ResourceCreated, join)])
    group = new_group(Client(store), "team")
    ada = new_user(client, "ada")
    assert client.post("/Users", {"schemas": [USER.schema], "userName": "eve"}).status == 409
    members = client.get(f"/Groups/{group}").body["members"]
    assert [each["value"] for each in members] == [ada]


def test_after_commit_cannot_undo(store: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A handler after the commit that fails is logged; the write stays, and the next handlers are called."""
    heard: list[str] = []

    def fail(event: ResourceEvent) -> None:
        raise RuntimeError("mail server")

    listeners = [after_commit(ResourceEvent, fail), after_commit(ResourceCreated, lambda event: heard.append(event.id))]
    client = Client(store, listeners=listeners)
    id = new_user(client, "ada")
    assert heard == [id]
    assert "mail server" in caplog.text
    assert client.get(f"/Users/{id}").status == 200


def test_a_refused_write_is_not_told(client: Client, heard: list[ResourceEvent]) -> None:
    """A write that the store refuses yields nothing."""
    new_user(client, "ada")
    heard.clear()
    assert client.post("/Users", {"schemas": [USER.schema], "userName": "ADA"}).status == 409
    assert names(heard) == []


def test_before_write_may_refuse_or_replace(store: Any) -> None:
    """A listener before the write sees the document or the changes, and may replace or refuse them."""

    def check(pending: PendingWrite, transaction: Transaction) -> None:
        if pending.operation == "create" and pending.document is not None:
            if pending.document["userName"] == "eve":
                raise Refused("Eve is not welcome.", status=403)
            pending.document = {**pending.document, "title": "Agent"}
        if pending.operation == "patch":
            pending.changes = ChangeSet({"title": "Lead"})
        if pending.operation == "delete":
            raise Refused("Nobody is deleted here.")

    client = Client(store, listeners=[before_write(check)])
    id = new_user(client, "ada")
    assert client.get(f"/Users/{id}").body["title"] == "Agent"
    assert client.post("/Users", {"schemas": [USER.schema], "userName": "eve"}).status == 403
    client.patch(f"/Users/{id}", {"op": "replace", "path": "title", "value": "Boss"})
    assert client.get(f"/Users/{id}").body["title"] == "Lead"
    assert client.delete(f"/Users/{id}").status == 409
    assert client.get(f"/Users/{id}").status == 200


def test_sensitive_attributes_are_in_no_event(heard: list[ResourceEvent]) -> None:
    """Passwords and attributes that the application calls sensitive appear nowhere in an event."""
    client = Client(
        MemoryStore(),
        limits=Limits(sensitive=frozenset({"phoneNumbers", "name.familyName"})),
        set_password=lambda *_: None,
        listeners=[after_commit(ResourceEvent, heard.append)],
    )
    new_user(client, "ada", password="t0psecret", phoneNumbers=[{"value": "+1 555 0199"}],
             name={"givenName": "Ada", "familyName": "Secretname"})  # fmt: skip
    event = heard[0]
    for text in (repr(event), str(event.document), str(event.changes)):
        assert not any(word in text for word in ("t0psecret", "555 0199", "Secretname"))
    assert event.changes["name.givenName"] == AttributeChange(None, "Ada")


@pytest.mark.parametrize("database", DATABASES)
def test_tickets_follow_the_leaver_in_the_same_transaction(database: str) -> None:
    """With the application's own tables, a handler writes rows of the application in the session of the write."""
    sessions = sessions_of(database)
    fail = True

    def reassign(event: UserDeactivated, transaction: Transaction) -> None:
        leaver = sa.select(Agent.id).where(Agent.public_id == UUID(event.id)).scalar_subquery()
        transaction.session.execute(sa.update(Ticket).where(Ticket.agent_id == leaver).values(subject="to reassign"))
        if fail:
            raise Refused("Not now.")

    client = Client(MappedStore(sessions, (AGENTS, TEAMS)), listeners=[in_transaction(UserDeactivated, reassign)])
    agent = new_user(client, f"leaver-{uuid4()}", active=True)
    with sessions.begin() as session:
        owner = session.scalars(sa.select(Agent).where(Agent.public_id == UUID(agent))).one()
        ticket = Ticket(agent=owner, subject="open")
        session.add(ticket)
        session.flush()
        number = ticket.id

    def subject() -> Any:
        with sessions() as session:
            return session.get(Ticket, number).subject

    off = {"op": "replace", "path": "active", "value": False}
    assert client.patch(f"/Users/{agent}", off).status == 409
    assert subject() == "open"
    fail = False
    assert client.patch(f"/Users/{agent}", off).status == 200
    assert subject() == "to reassign"
    with sessions.begin() as session:
        session.delete(session.get(Ticket, number))
    client.delete(f"/Users/{agent}")


class TestBuilding:
    """A service is built with listeners that its store can serve, or not at all."""

    def test_a_store_without_changes(self) -> None:
        """A store that does not report changes is refused."""

        class Silent(MemoryStore):
            unsupported = MemoryStore.unsupported | {"changes"}

        with pytest.raises(ValueError, match="does not support changes"):
            ScimService(Silent(), tokens=TokenRegistry(), listeners=[after_commit(ResourceEvent, print)])

    @pytest.mark.parametrize("listen", [in_transaction, after_commit])
    def test_a_coroutine_function_without_a_loop(self, listen: Any) -> None:
        """A handler that must be awaited is refused where nothing awaits it."""

        async def handler(*_: Any) -> None: ...

        with pytest.raises(TypeError, match="coroutine function"):
            ScimService(MemoryStore(), tokens=TokenRegistry(), listeners=[listen(ResourceEvent, handler)])

    def test_a_status_that_is_no_refusal(self) -> None:
        """The status of a refusal is from 400 to 499."""
        with pytest.raises(ValueError, match="400 to 499"):
            Refused("x", status=500)
        assert isinstance(Refused("x"), ScimError)


def test_the_parts_of_a_transaction_are_explained() -> None:
    """A part that the store's transaction does not have is named in the error."""
    transaction = Transaction(MemoryStore(), Scope())
    for name in ("session", "connection", "using"):
        with pytest.raises(AttributeError, match=f"MemoryStore has no {name}"):
            getattr(transaction, name)


def test_events_can_be_taken_apart() -> None:
    """`match` takes an event apart by its class and fields."""
    event: ResourceEvent = MembersAdded(resource_type="Group", id="7", tenant="acme", members=("1", "2"))
    match event:
        case MembersAdded(id=team, members=members):
            assert (team, members) == ("7", ("1", "2"))
        case _:
            pytest.fail("no match")
    assert isinstance(UserActivated(resource_type="User", id="1", tenant="t"), ResourceEvent)
    assert ResourceUpdated(resource_type="User", id="1", tenant="t").event_id[14] == "7"
    assert ResourceDeleted(resource_type="User", id="1", tenant="t").changes == {}


def test_without_listeners_nothing_is_reported() -> None:
    """A service without listeners asks the store for no changes and opens no transaction."""

    class Watched(MemoryStore):
        scopes: list[bool] = []  # noqa: RUF012

        def create(self, scope: Any, *arguments: Any) -> Any:
            self.scopes.append(scope.report_changes)
            return super().create(scope, *arguments)

        def transaction(self, scope: Any, work: Any) -> Any:
            raise AssertionError

    store = Watched()
    new_user(Client(store), "ada")
    assert store.scopes == [False]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.ERROR)
    yield


def test_handlers_run_without_a_loop() -> None:
    """A sync host drives a service with listeners by `run_sync`."""
    heard: list[str] = []
    tokens = TokenRegistry()
    service = ScimService(
        MemoryStore(), tokens=tokens, listeners=[after_commit(ResourceCreated, lambda event: heard.append(event.id))]
    )
    headers = {"authorization": f"Bearer {tokens.issue('t').token}", "content-type": "application/scim+json"}
    body = b'{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"}'
    assert run_sync(service.handle(Request("POST", "/Users", headers=headers, body=body))).status == 201
    assert len(heard) == 1


def test_one_more_member_reads_no_other_member(tmp_path: Any) -> None:
    """A member that is added to a group costs the same statements, however many members the group has."""
    store, heard = SqlStore(f"sqlite:///{tmp_path}/a.db"), list[ResourceEvent]()
    client = Client(store, listeners=[in_transaction(MembersAdded, lambda event, _: heard.append(event))])
    users = [new_user(client, f"user-{number}") for number in range(1_202)]
    small, large = new_group(client, "small", users[0]), new_group(client, "large", *users[:1_200])
    rows: list[int] = []

    def executed(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        rows.append(len(parameters))

    sa.event.listen(store.engine, "before_cursor_execute", executed)
    counts = []
    for group in (small, large):
        rows.clear()
        added = {"op": "add", "path": "members", "value": [{"value": users[1_201]}]}
        assert client.patch(f"/Groups/{group}", added).status == 204
        counts.append(list(rows))
    store.engine.dispose()
    assert counts[0] == counts[1]
    assert [each.members for each in heard if isinstance(each, MembersAdded)][-2:] == [(users[1_201],)] * 2
