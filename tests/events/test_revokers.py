"""Revokers: when they run, how their time is measured, and what is overdue. The test moves the clock."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from scimkit.events import OverdueRevocation, Refused, Revoker, UserDeactivated
from scimkit.events import revokers as module
from tests.client import GROUP, Client

OFF = {"op": "replace", "path": "active", "value": False}


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def client_of(*revokers: Revoker) -> Client:
    return Client(listeners=[each.listener for each in revokers])


def test_a_revoker_runs_for_deactivations_and_deletions_of_users(clock: Clock) -> None:
    """A revoker hears of each deactivated and each deleted user, in the transaction, and of nothing else."""
    heard: list[tuple[str, str]] = []
    revoker = Revoker("sessions", lambda event, at: heard.append((type(event).__name__, event.id)), clock=clock)
    client = client_of(revoker)
    ada, bob = client.user("ada"), client.user("bob")
    group = client.post("/Groups", {"schemas": [GROUP], "displayName": "Staff"}).id
    assert client.patch(f"/Users/{ada}", OFF).status == 200
    assert client.patch(f"/Users/{ada}", {"op": "replace", "path": "active", "value": True}).status == 200
    assert client.delete(f"/Users/{bob}").status == 204
    assert client.delete(f"/Groups/{group}").status == 204
    assert heard == [("UserDeactivated", ada), ("ResourceDeleted", bob)]
    assert (revoker.runs, revoker.overdue()) == (2, ())


def test_an_open_revocation_becomes_overdue(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A revocation without confirmation is overdue after its time, is logged once, and ends with its confirmation."""
    revoker = Revoker(
        "devices", lambda event: None, within=timedelta(minutes=2), moment="after_commit", confirmed=True, clock=clock
    )
    client = client_of(revoker)
    ada, bob = client.user("ada"), client.user("bob")
    client.patch(f"/Users/{ada}", OFF)
    clock.now = 60
    client.patch(f"/Users/{bob}", OFF)
    clock.now = 120
    assert revoker.overdue() == ()
    clock.now = 121
    expected = OverdueRevocation("devices", "default", ada, timedelta(seconds=1))
    with caplog.at_level(logging.ERROR, "scimkit"):
        assert revoker.overdue() == revoker.overdue() == (expected,)
        revoker.confirm("default", bob)
        revoker.confirm("default", "nobody")
        clock.now = 130
        revoker.confirm("default", ada)
        clock.now = 9_999
        assert revoker.overdue() == (OverdueRevocation("devices", "default", ada, timedelta(seconds=10)),)
    message = f"The revoker devices is overdue by 1 s: the user {ada} of the tenant default may still have access."
    assert [each.getMessage() for each in caplog.records] == [message]


def test_a_handler_that_fails_after_the_commit(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """The deactivation stays, and the revocation is open until a confirmation."""

    def fail(event: UserDeactivated) -> None:
        raise ConnectionError("no answer")

    revoker = Revoker("tokens", fail, moment="after_commit", clock=clock)
    client = client_of(revoker)
    ada = client.user("ada")
    assert client.patch(f"/Users/{ada}", OFF).status == 200
    clock.now = 301
    assert [each.id for each in revoker.overdue()] == [ada]
    assert "may still have access" in caplog.text


def test_a_handler_that_fails_in_the_transaction(clock: Clock) -> None:
    """The deactivation is undone, so nothing is open."""

    def refuse(event: Any, transaction: Any) -> None:
        raise Refused("Not now.")

    revoker = Revoker("tokens", refuse, clock=clock)
    client = client_of(revoker)
    assert client.patch(f"/Users/{client.user('ada')}", OFF).status == 409
    clock.now = 9_999
    assert revoker.overdue() == ()


def test_a_coroutine_function(clock: Clock) -> None:
    """A coroutine function is awaited, and its time is measured."""
    import asyncio

    async def slow(event: Any) -> None:
        clock.now += 301

    revoker = Revoker("sessions", slow, moment="after_commit", clock=clock)
    event = UserDeactivated(resource_type="User", id="1", tenant="acme")
    asyncio.run(revoker.listener.handler(event))
    assert revoker.overdue() == (OverdueRevocation("sessions", "acme", "1", timedelta(seconds=1)),)
    with pytest.raises(TypeError, match="event loop"):
        client_of(revoker)


def test_what_is_remembered_is_bounded(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The oldest open revocation is lost if there are too many, and the log has an error."""
    monkeypatch.setattr(module, "MAX_OPEN", 2)
    revoker = Revoker("sessions", lambda event: None, moment="after_commit", confirmed=True, clock=clock)
    for id in "abcd":
        revoker.listener.handler(UserDeactivated(resource_type="User", id=id, tenant="t"))
    clock.now = 301
    assert [each.id for each in revoker.overdue()] == ["c", "d"]
    for id in "cd":
        revoker.confirm("t", id)
    for id in "efgh":
        revoker.listener.handler(UserDeactivated(resource_type="User", id=id, tenant="t"))
        clock.now += 301
        revoker.confirm("t", id)
    assert [each.id for each in revoker.overdue()] == ["g", "h"]
    assert "The oldest is lost" in caplog.text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": ""}, "name"),
        ({"within": timedelta(0)}, "positive"),
        ({"confirmed": True}, "after_commit"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], said: str) -> None:
    """An option that cannot work is refused when the revoker is made."""
    with pytest.raises(ValueError, match=said):
        Revoker(**{"name": "sessions", "handler": lambda *_: None} | options)


def test_repr() -> None:
    """The repr has the name and the time."""
    assert repr(Revoker("sessions", lambda *_: None)) == "<Revoker sessions: within 0:05:00>"
