"""Health checks on an event loop. They have their own threads, so they never wait in the queue of requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from scimkit.loop.executor import Executor
from scimkit.service.health import PATIENCE, Health, check_store, failed, is_due, keep, latest, live, read_store_health
from scimkit.service.http import Response
from scimkit.service.service import ScimService

_threads: Final = Executor(4)
"""The threads for the health checks of all services. Each service checks its store at most once a second."""


async def awaited_health(service: ScimService) -> Health:
    """Return whether a service can serve requests. The event loop is not blocked."""
    if not is_due(service):
        return latest(service)
    check = getattr(service.store, "check_health", None)
    try:
        if check is None:
            found = Health(True)
        elif service.store.is_async:
            found = read_store_health(await asyncio.wait_for(check(monotonic() + PATIENCE), PATIENCE))
        elif service.blocking:
            found = await _threads.run(lambda: check_store(service), monotonic() + PATIENCE)
        else:
            found = check_store(service)
    except Exception as error:
        found = failed(error)
    return keep(service, found)


def probe_of(path: str) -> Callable[[ScimService], Awaitable[Response]] | None:
    """Return the function that answers a probe, by the end of its path: `/healthz` or `/readyz`.

    None for other paths.
    """
    return _PROBES.get(path.rsplit("/", 1)[-1])


async def _live(service: ScimService) -> Response:
    """Answer a liveness probe."""
    return live()


async def _ready(service: ScimService) -> Response:
    """Answer a readiness probe."""
    return (await awaited_health(service)).response()


_PROBES: Final[dict[str, Callable[[ScimService], Awaitable[Response]]]] = {"healthz": _live, "readyz": _ready}
