"""Revokers: when they run, how their time is measured, and what is overdue. The test moves the clock."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scimkit import MemoryStore, Request, ScimService, TokenRegistry
from scimkit.events import Refused, UserDeactivated
from scimkit.provisioning import LogQuery, OverdueRevocation, overdue_revocations
from scimkit.provisioning.revocations import async_overdue_revocations
from scimkit.safeguards import Revoker
from scimkit.safeguards import revokers as module
from scimkit.stores.sql import AsyncSqlStore, SqlStore
from tests.client import GROUP, PATCH_OP, USER, Client

ROOT = Path(__file__).parents[2]

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
    return Client(listeners=[one for each in revokers for one in each.listeners])


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

    async def slow(event: Any) -> None:
        clock.now += 301

    revoker = Revoker("sessions", slow, moment="after_commit", clock=clock)
    event = UserDeactivated(resource_type="User", id="1", tenant="acme")
    asyncio.run(revoker.listeners[0].handler(event))
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
        revoker.listeners[0].handler(UserDeactivated(resource_type="User", id=id, tenant="t"))
    clock.now = 301
    assert [each.id for each in revoker.overdue()] == ["c", "d"]
    for id in "cd":
        revoker.confirm("t", id)
    for id in "efgh":
        revoker.listeners[0].handler(UserDeactivated(resource_type="User", id=id, tenant="t"))
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


def started(event: Any) -> None:
    """Start a revocation that another process confirms."""


def with_log(store: Any, handler: Any = started, **options: Any) -> Revoker:
    """Return a revoker of a process that keeps its revocations in the log of a store."""
    return Revoker(
        "devices", handler, **({"moment": "after_commit", "confirmed": True, "log": store.provisioning_log} | options)
    )


def entries_of(store: Any, user: str) -> list[tuple[str, str]]:
    """Return the results and details of the entries about revocations of a user, the oldest first."""
    query = LogQuery(tenant="default", resource_id=user, action="EndAccess")
    found = store.provisioning_log.search(query).entries
    assert all((each.revoker, each.resource_type) == ("devices", "User") for each in found)
    return [(each.result, each.detail) for each in reversed(found)]


def deactivated(store: Any, revoker: Revoker, name: str = "ada", status: int = 200) -> str:
    """Deactivate a new user, and return the id of the user."""
    client = Client(store, listeners=revoker.listeners)
    user = client.user(name)
    assert client.patch(f"/Users/{user}", OFF).status == status
    return user


def later() -> datetime:
    """Return the time in six minutes."""
    return datetime.now(UTC) + timedelta(minutes=6)


def test_another_process_sees_and_confirms_a_revocation(tmp_path: Path) -> None:
    """With a log, a revocation is open for every process. A confirmation in one of them ends it for all of them."""
    store, other = (SqlStore(f"sqlite:///{tmp_path}/db", provisioning_log=True) for _ in range(2))
    ada = deactivated(store, with_log(store))
    assert other.provisioning_log is not None
    assert overdue_revocations(other.provisioning_log, "default") == ()
    (late,) = overdue_revocations(other.provisioning_log, "default", later())
    assert (late.revoker, late.tenant, late.id) == ("devices", "default", ada)
    assert timedelta(seconds=50) < late.late < timedelta(seconds=61)
    assert overdue_revocations(other.provisioning_log, "other", later()) == ()
    elsewhere = with_log(other)
    elsewhere.confirm("default", "nobody")
    elsewhere.confirm("other", ada)
    Revoker("sessions", started, moment="after_commit", log=other.provisioning_log).confirm("default", ada)
    assert len(overdue_revocations(other.provisioning_log, "default", later())) == 1
    elsewhere.confirm("default", ada)
    elsewhere.confirm("default", ada)
    assert overdue_revocations(other.provisioning_log, "default", later()) == ()
    assert entries_of(store, ada) == [
        ("Warning", "The revoker devices has begun. The access must end within 300 s."),
        ("Success", "The revoker devices ended the access in time."),
    ]
    for each in (store, other):
        each.engine.dispose()


KILLED = """
import os, sys
from scimkit import ScimService, TokenRegistry
from scimkit.safeguards import Revoker
from scimkit.stores.sql import SqlStore
from tests.client import Client
store = SqlStore(sys.argv[1], provisioning_log=True)
revoker = Revoker("devices", lambda event: os._exit(9), moment="after_commit", log=store.provisioning_log)
client = Client(store, listeners=revoker.listeners)
client.patch(f"/Users/{client.user('ada')}", {"op": "replace", "path": "active", "value": False})
"""


def test_a_revocation_survives_the_end_of_its_process(tmp_path: Path) -> None:
    """If the process ends after the commit and before the revoker has done its work, the revocation is overdue."""
    url = f"sqlite:///{tmp_path}/db"
    done = subprocess.run([sys.executable, "-c", KILLED, url], cwd=ROOT, check=False)
    assert done.returncode == 9
    store = SqlStore(url, provisioning_log=True)
    assert store.provisioning_log is not None
    (late,) = overdue_revocations(store.provisioning_log, "default", later())
    with_log(store).confirm("default", late.id)
    assert overdue_revocations(store.provisioning_log, "default", later()) == ()
    store.engine.dispose()


def test_a_revoker_with_a_log_that_returns_or_fails() -> None:
    """A handler that returns ends the revocation. One that fails has an entry, and leaves the revocation open."""
    store = MemoryStore(provisioning_log=True)
    ada = deactivated(store, with_log(store, confirmed=False))
    assert [each for each, _ in entries_of(store, ada)] == ["Warning", "Success"]

    def fail(event: UserDeactivated) -> None:
        raise ConnectionError("secret of the device management")

    bob = deactivated(store, with_log(store, fail, confirmed=False), "bob")
    assert entries_of(store, bob)[1:] == [("Failure", "The revoker devices failed. The user may still have access.")]
    log: Any = store.provisioning_log
    assert [each.id for each in overdue_revocations(log, "default", later())] == [bob]
    with_log(store).confirm("default", bob)
    assert overdue_revocations(log, "default", later()) == ()


def test_a_late_end_is_in_the_log(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    """An end after the deadline is a warning in the log, after the commit and in the transaction."""
    store, tiny = MemoryStore(provisioning_log=True), timedelta(microseconds=1)
    revoker = with_log(store, within=tiny)
    ada = deactivated(store, revoker)
    revoker.confirm("default", ada)
    assert entries_of(store, ada)[1:] == [("Warning", "The revoker devices ended the access 0 s late.")]

    def slow(event: Any, transaction: Any) -> None:
        clock.now += 301

    inside = with_log(store, slow, moment="in_transaction", confirmed=False, within=tiny, clock=clock)
    bob = deactivated(store, inside, "bob")
    assert entries_of(store, bob) == [("Warning", "The revoker devices ended the access 0 s late.")]
    quick = with_log(store, lambda *_: None, moment="in_transaction", confirmed=False, clock=clock)
    assert entries_of(store, deactivated(store, quick, "cy")) == []
    assert caplog.text.count("ended the access 0 s late. The user is") == 2


def test_a_deactivation_that_is_undone_begins_no_revocation() -> None:
    """The entry is written in the transaction of the deactivation, so nothing is open if the transaction fails."""
    store = MemoryStore(provisioning_log=True)

    def refuse(event: Any, transaction: Any) -> None:
        raise Refused("Not now.")

    refusing, revoker = Revoker("sessions", refuse), with_log(store)
    client = Client(store, listeners=[*revoker.listeners, *refusing.listeners])
    user = client.user("ada")
    assert client.patch(f"/Users/{user}", OFF).status == 409
    assert entries_of(store, user) == [] and revoker.runs == 0


def test_an_async_log(tmp_path: Path) -> None:
    """Over an async store, entries are awaited, and a confirmation is awaited too."""

    async def run() -> None:
        store = AsyncSqlStore(f"sqlite:///{tmp_path}/db", provisioning_log=True)
        log, tokens = store.provisioning_log, TokenRegistry()
        assert log is not None
        revoker = with_log(store)
        service = ScimService(store, tokens=tokens, listeners=revoker.listeners)
        token = tokens.issue("x").token

        async def send(method: str, path: str, body: Any) -> Any:
            headers = {"authorization": f"Bearer {token}"}
            response = await service.handle(Request(method, path, "", headers, json.dumps(body).encode()))
            assert response.status < 300, response.body
            return json.loads(response.body)

        user = (await send("POST", "/Users", {"schemas": [USER], "userName": "ada"}))["id"]
        await send("PATCH", f"/Users/{user}", {"schemas": [PATCH_OP], "Operations": [OFF]})
        assert [each.id for each in await async_overdue_revocations(log, "default", later())] == [user]
        with pytest.raises(TypeError, match="confirm_async"):
            revoker.confirm("default", user)
        await revoker.confirm_async("default", user)
        assert await async_overdue_revocations(log, "default", later()) == ()
        await store.engine.dispose()

    SqlStore(f"sqlite:///{tmp_path}/db").engine.dispose()  # creates the tables
    asyncio.run(run())


def test_a_log_that_is_not_that_of_the_store_is_refused() -> None:
    """A revoker whose log is not that of the store is refused when the service is built. `overdue` needs no log."""
    revoker = with_log(MemoryStore(provisioning_log=True))
    with pytest.raises(ValueError, match="log of a revoker"):
        Client(MemoryStore(provisioning_log=True), listeners=revoker.listeners)
    with pytest.raises(ValueError, match="overdue_revocations"):
        revoker.overdue()
    asyncio.run(Revoker("sessions", started, moment="after_commit").confirm_async("default", "x"))
