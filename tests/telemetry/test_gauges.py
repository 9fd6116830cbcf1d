"""The gauges: the backlog of the outbox, the health of connections, and the readiness."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, get_args

import pytest

from scimkit import MemoryStore, Request, ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.provisioning.health import HealthStatus
from scimkit.stores.memory_log import MemoryProvisioningLog
from scimkit.stores.sql import AsyncSqlStore, AsyncSqlTokenStore, SqlStore
from scimkit.telemetry import instrument
from scimkit.tokens import AsyncTokenRegistry
from tests.client import BASE_URL, Client
from tests.telemetry.recorded import Recorded

NAMES = {"scim.outbox.pending", "scim.outbox.dead", "scim.outbox.lag", "scim.connections", "scim.ready"}


def test_the_outbox() -> None:
    """The gauges of the outbox have the number of pending and dead events, and the age of the first pending one."""
    store, recorded = MemoryStore(outbox=True), Recorded()
    client = Client(store)
    instrument(client.service, **recorded.options)
    client.user("ada")
    client.user("bo")
    (dead,) = store.outbox.claim(1, 60)
    store.outbox.dead_letter(dead, "refused")
    found = {name: value for name, _, value in recorded.points()}
    assert (found["scim.outbox.pending"], found["scim.outbox.dead"], found["scim.ready"]) == (1, 1, 1)
    assert 0 <= found["scim.outbox.lag"] < 60
    assert "scim.connections" not in found


def test_the_health_of_connections() -> None:
    """`scim.connections` has the number of connections in each state, together or for each tenant."""
    tokens, log = TokenRegistry(), MemoryProvisioningLog()
    clients = [Client(tenant=each, tokens=tokens, provisioning_log=log) for each in ("acme", "globex")]
    revoked = tokens.issue("old", tenant="acme").record
    tokens.revoke(revoked.id, tenant="acme")
    clients[0].user("ada")
    for by_tenant in (False, True):
        recorded = Recorded()
        service = ScimService(MemoryStore(), tokens=tokens, provisioning_log=log)
        instrument(service, tokens=tokens, tenants=lambda: ["acme", "globex"], tenant=by_tenant, **recorded.options)
        states = recorded.values("scim.connections", "scim.tenant", "scim.connection.status")
        assert {status for _, status in states} == set(get_args(HealthStatus))
        counted = {key: value for key, value in states.items() if value}
        first, second = ("acme", "globex") if by_tenant else (None, None)
        assert counted == {(first, "Provisioning"): 1, (second, "Waiting"): 1}


def test_an_async_store_is_read_on_its_event_loop(tmp_path: Path) -> None:
    """The gauges of an async store are read on the loop of its requests. Before, and on that loop, they are absent."""
    url = f"sqlite:///{tmp_path}/scim.db"
    SqlStore(url).engine.dispose()

    async def run() -> tuple[list[set[str]], Any]:
        store, recorded = AsyncSqlStore(url, outbox=True, provisioning_log=True), Recorded()
        tokens = AsyncTokenRegistry(AsyncSqlTokenStore(store.engine))
        service = ScimService(store, tokens=tokens)
        instrument(service, tokens=tokens, **recorded.options)
        token = (await tokens.issue("test")).token
        seen = [await asyncio.to_thread(lambda: {name for name, _, _ in recorded.points()})]
        request = Request("GET", "/Users", "", {"authorization": f"Bearer {token}"}, b"", BASE_URL)
        await service.handle(request)
        seen.append({name for name, _, _ in recorded.points()})
        found = await asyncio.to_thread(recorded.points)
        await store.engine.dispose()
        return [*seen, {name for name, _, _ in found}], found

    (before, on_the_loop, at_last), _ = asyncio.run(run())
    assert before & NAMES == on_the_loop & NAMES == set()
    assert at_last >= NAMES


def test_a_gauge_that_cannot_be_read(caplog: pytest.LogCaptureFixture) -> None:
    """A gauge whose source fails has no value, and the log has the kind of the error but not its text."""
    store, recorded = MemoryStore(outbox=True), Recorded()
    client = Client(store)
    instrument(client.service, **recorded.options)

    def fail() -> None:
        raise OSError("password=x")

    store.outbox = type("Broken", (), {"backlog": staticmethod(fail)})()  # type: ignore[assignment]
    client = Client(store)
    recorded = Recorded()
    instrument(client.service, **recorded.options)
    assert {name for name, _, _ in recorded.points()} & NAMES == {"scim.ready"}
    assert "OSError" in caplog.text
    assert "password" not in caplog.text


def test_the_adapter_needs_nothing() -> None:
    """A service that adapters already serve can be instrumented, because the service itself is observed."""
    client, recorded = Client(), Recorded()
    app = ScimApp(client.service)
    instrument(client.service, **recorded.options)
    assert app.service.handle is client.service.handle
