"""Health checks: at most one check of the store per second, and probes of each adapter."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from scimkit import MemoryStore, ScimService, TokenRegistry, asgi, wsgi
from scimkit.loop import awaited_health
from scimkit.service.health import health


class Checked(MemoryStore):
    """A store that counts its health checks."""

    def __init__(self, *, ready: bool = True) -> None:
        super().__init__()
        self.checks = 0
        self.ready = ready

    def check_health(self, deadline: float | None) -> Any:
        assert deadline is not None
        self.checks += 1
        return SimpleNamespace(ready=self.ready, detail="" if self.ready else "the schema is behind")


def service(store: Any) -> ScimService:
    return ScimService(store, tokens=TokenRegistry())


@pytest.mark.parametrize("blocking", [True, False])
def test_health(blocking: bool) -> None:
    """The health is what the sync or async store reports. A second probe within a second does not reach the store."""
    for ready in (True, False):
        store = Checked(ready=ready)
        store.blocking = blocking
        one, other = service(store), service(store)
        found = [health(one), health(one), asyncio.run(awaited_health(other)), asyncio.run(awaited_health(other))]
        assert {each.ready for each in found} == {ready}
        assert store.checks == 2
        assert found[0].response().status == (200 if ready else 503)


def test_a_store_without_a_check() -> None:
    """A store without a health check is ready, but a service with a full queue is not."""
    full = service(MemoryStore())
    assert health(full).ready
    full.is_full = lambda: True
    assert not health(full).ready


def test_a_check_that_fails() -> None:
    """A store whose health check raises is not ready, and the probe does not show the error."""

    class Broken(Checked):
        def check_health(self, deadline: float | None) -> Any:
            raise OSError("password=x")

    found = health(service(Broken()))
    assert (found.ready, "password" in found.detail) == (False, False)


def test_applications() -> None:
    """The ASGI and WSGI applications answer probes by the end of the path, and other paths with 404."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    started: list[str] = []
    checked = service(Checked(ready=False))
    for path, status in (("/healthz", 200), ("/a/readyz", 503), ("/x", 404)):
        asyncio.run(asgi.HealthApp(checked)({"type": "http", "method": "GET", "path": path}, None, send))  # type: ignore[arg-type]
        assert sent[-2]["status"] == status
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path}
        body = b"".join(wsgi.HealthApp(checked)(environ, lambda line, headers: started.append(line)))  # type: ignore[arg-type,return-value]
        assert (started[-1][:3], body) == (str(status), sent[-1]["body"])
