"""The events of requests, and the hook that receives passwords."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scimkit import USER as USER_TYPE
from scimkit import MemoryStore, Request, RequestCompleted, Scope
from tests.client import USER, Client


class TestEvents:
    """The service reports exactly one event for each request."""

    @pytest.fixture
    def events(self) -> list[RequestCompleted]:
        """Return the events that the hook received."""
        return []

    @pytest.fixture
    def client(self, events: list[RequestCompleted]) -> Client:
        """Return a client of a service that reports events."""
        return Client(on_request_completed=events.append, tenant="acme")

    def test_a_change(self, client: Client, events: list[RequestCompleted]) -> None:
        """The event states the token, the resource and the outcome of a change."""
        ada = client.user("ada")
        event = events[-1]
        assert (event.method, event.path, event.status) == ("POST", "/Users", 201)
        assert (event.tenant, event.resource_type, event.id, event.changed) == ("acme", "User", ada, True)
        assert event.token_id is not None
        assert client.token not in repr(event)
        assert event.detail is None

    def test_a_read_changes_nothing(self, client: Client, events: list[RequestCompleted]) -> None:
        """The event of a read, or of a change without effect, has `changed` False."""
        ada = client.user("ada", active=True)
        client.get(f"/Users/{ada}")
        client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": True})
        client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": False})
        client.delete(f"/Users/{ada}")
        assert [each.changed for each in events] == [True, False, False, True, True]
        assert {each.id for each in events} == {ada}

    def test_a_search_has_no_id(self, client: Client, events: list[RequestCompleted]) -> None:
        """The event of a search has no resource id, for GET and POST."""
        client.get("/Users")
        client.post("/Users/.search", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]})
        assert [(each.status, each.resource_type, each.id) for each in events] == [(200, "User", None)] * 2

    def test_quirks(self, client: Client, events: list[RequestCompleted]) -> None:
        """The event names the quirks that the request needed."""
        client.post("/Users", {"userName": "ada", "active": "True"})
        assert events[-1].quirks == ("boolean-text", "other-schemas")

    def test_skipped_members(self, client: Client, events: list[RequestCompleted]) -> None:
        """The event has the ids of members that do not exist, for create, PUT and PATCH."""
        group = client.group("Staff", "nobody")
        assert events[-1].skipped_members == ("nobody",)
        client.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": "noone"}]})
        assert (events[-1].skipped_members, events[-1].changed) == (("noone",), False)
        client.put(f"/Groups/{group}", {"displayName": "Staff", "members": [{"value": "none"}]})
        assert events[-1].skipped_members == ("none",)

    def test_failures(self, client: Client, events: list[RequestCompleted]) -> None:
        """The event of a failed request has its detail. Without a valid token, the event has no tenant."""
        client.get("/Users/1")
        assert (events[-1].status, events[-1].tenant, events[-1].detail) == (404, "acme", "This User does not exist.")
        client.get("/Users", headers={"Authorization": "Bearer x"})
        assert (events[-1].status, events[-1].tenant, events[-1].token_id) == (401, None, None)
        client.get("/Nope")
        assert (events[-1].status, events[-1].resource_type) == (404, None)

    @pytest.mark.rfc("7643-9.3-1")
    def test_no_values(self, client: Client, events: list[RequestCompleted]) -> None:
        """An event has no attribute value, password or token."""
        client.post("/Users", {"userName": "ada@example.org", "password": "t1meMa$heen", "title": "Countess"})
        client.post("/Users", {"userName": "ada@example.org", "password": "t1meMa$heen", "title": "Countess"})
        assert events[-1].status == 409
        for word in ("ada@example.org", "t1meMa$heen", "Countess", client.token):
            assert word not in repr(events)


@pytest.mark.rfc("7643-4.1.1-3", "7643-9.2-1", "7644-7.7-1", "7643-4.1.1-5")
def test_passwords() -> None:
    """A password is passed to the hook and then dropped: it is never returned, stored, found or logged."""
    handed: list[tuple[str, str, str]] = []
    events: list[RequestCompleted] = []
    store = MemoryStore()
    client = Client(store, set_password=lambda *args: handed.append(args), on_request_completed=events.append)
    answer = client.post("/Users", {"schemas": [USER], "userName": "ada", "password": "s3cret1"})
    client.put(f"/Users/{answer.id}", {"schemas": [USER], "userName": "ada", "password": "s3cret2"})
    for operation in ({"path": "password", "value": "s3cret3"}, {"value": {"password": "s3cret4", "title": "x"}}):
        changed = client.patch(f"/Users/{answer.id}", {"op": "replace", **operation})
        assert changed.status == 200
        assert "password" not in changed.body
    assert handed == [("default", answer.id, f"s3cret{number}") for number in (1, 2, 3, 4)]
    assert "s3cret" not in repr(store.get(Scope(), USER_TYPE, answer.id)) + repr(events)
    assert client.get('/Users?filter=password eq "s3cret4"').status == 400
    assert "password" not in client.get("/Users?attributes=password").body["Resources"][0]
    assert client.get("/ServiceProviderConfig").body["changePassword"]["supported"] is True


class TestWithoutAPasswordHook:
    """Passwords without a hook."""

    def test_passwords_are_dropped(self) -> None:
        """Passwords are accepted, but not stored."""
        store = MemoryStore()
        client = Client(store)
        answer = client.post("/Users", {"schemas": [USER], "userName": "ada", "password": "s3cret"})
        assert answer.status == 201
        replaced = client.put(f"/Users/{answer.id}", {"schemas": [USER], "userName": "ada", "password": "s3cret"})
        assert "password" not in answer.body.keys() | replaced.body.keys()
        assert "password" not in store.get(Scope(), USER_TYPE, answer.id)

    def test_a_patch_of_a_password_alone_changes_nothing(self, client: Client) -> None:
        """A PATCH of only the password leaves the resource and its version unchanged."""
        ada = client.user("ada")
        before = client.get(f"/Users/{ada}").body
        answer = client.patch(f"/Users/{ada}", {"op": "replace", "path": "password", "value": "s3cret"})
        assert (answer.status, answer.body) == (200, before)


class TestPasswordHook:
    """The hook that receives passwords."""

    def test_a_refused_request_does_not_call_the_hook(self) -> None:
        """The hook is not called if the resource was not written."""
        handed: list[Any] = []
        client = Client(set_password=lambda *args: handed.append(args))
        ada, body = client.user("ada"), {"schemas": [USER], "userName": "ada", "password": "s3cret"}
        other = client.user("bob")
        assert client.post("/Users", body).status == 409
        assert client.put(f"/Users/{other}", body).status == 409
        failed = {"op": "remove", "path": "userName"}
        assert client.patch(f"/Users/{ada}", {"op": "add", "path": "password", "value": "s"}, failed).status == 400
        assert handed == []

    def test_a_failing_hook_undoes_the_write(self) -> None:
        """If the hook raises, neither a created user nor a change is stored."""

        def fail(*_: str) -> None:
            raise OSError

        client = Client(set_password=fail)
        ada = client.user("ada")
        assert client.post("/Users", {"schemas": [USER], "userName": "bob", "password": "s3cret"}).status == 500
        assert client.put(f"/Users/{ada}", {"schemas": [USER], "userName": "bob", "password": "s3cret"}).status == 500
        changes = [{"op": "replace", "value": {"title": "x", "password": "s3cret"}}]
        assert client.patch(f"/Users/{ada}", *changes).status == 500
        assert [each["userName"] for each in client.get("/Users").body["Resources"]] == ["ada"]
        assert "title" not in client.get(f"/Users/{ada}").body

    def test_the_hook_needs_transactions(self) -> None:
        """A service with the hook over a store without transactions raises ValueError when it is created."""

        class Plain(MemoryStore):
            unsupported = ("member_pages", "transactions")

        with pytest.raises(ValueError, match="transactions"):
            Client(Plain(), set_password=lambda *_: None)

    def test_an_async_hook_is_awaited(self) -> None:
        """A hook that is a coroutine function is awaited."""
        handed: list[Any] = []

        async def take(*arguments: str) -> None:
            await asyncio.sleep(0)
            handed.append(arguments)

        client = Client(set_password=take, tenant="acme")
        body = json.dumps({"schemas": [USER], "userName": "ada", "password": "s3cret"}).encode()
        request = Request("POST", "/Users", headers={"authorization": f"Bearer {client.token}"}, body=body)
        created = asyncio.run(client.service.handle(request))
        assert handed == [("acme", json.loads(created.body)["id"], "s3cret")]

    def test_the_last_password_is_passed(self) -> None:
        """The hook receives the last password of a PATCH that sets several."""
        handed: list[str] = []
        client = Client(set_password=lambda tenant, id, password: handed.append(password))
        ada = client.user("ada")
        client.patch(
            f"/Users/{ada}",
            *({"op": "replace", "path": "password", "value": value} for value in ("first", "second")),
        )
        assert handed == ["second"]


def test_an_invalid_token_has_its_tenant_in_the_event() -> None:
    """The event of a revoked or expired token has its tenant and token id, and every event has its time."""
    events: list[RequestCompleted] = []
    client = Client(tenant="acme", on_request_completed=events.append)
    issued = client.tokens.issue("old", tenant="acme")
    client.tokens.revoke(issued.record.id, tenant="acme")
    expired = client.tokens.issue("short", tenant="acme", expires_in=timedelta(seconds=-1))
    before = datetime.now(UTC)
    for token, record in ((issued.token, issued.record), (expired.token, expired.record)):
        client.token = token
        answer = client.get("/Users")
        assert (answer.status, events[-1].tenant, events[-1].token_id) == (401, "acme", record.id)
        assert record.id not in str(answer.body)
        assert before <= events[-1].time <= datetime.now(UTC)
    client.token = "unknown"
    assert client.get("/Users").status == 401
    assert (events[-1].tenant, events[-1].token_id) == (None, None)
