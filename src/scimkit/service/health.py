"""Health: whether the process answers, and whether it can serve requests.

A check needs no token and never waits in the queue of requests. The store is asked at most once a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Any, Final
from weakref import WeakKeyDictionary

from scimkit.documents import write_json
from scimkit.service.executor import Executor
from scimkit.service.http import JSON, Response
from scimkit.service.service import ScimService

_log = logging.getLogger("scimkit")

_INTERVAL: Final = 1.0
_PATIENCE: Final = 2.0
"""Seconds within which a store must answer a health check."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a service can serve requests, and why not. `detail` holds no personal data and no password."""

    ready: bool
    detail: str = "ready"

    def response(self) -> Response:
        """The response to a probe: 200 if ready, else 503."""
        body = write_json({"ready": self.ready, "detail": self.detail})
        return Response(200 if self.ready else 503, body, (("Content-Type", JSON), ("Cache-Control", "no-store")))


class _State:
    """The last outcome of a service, and who may ask the store for a new one."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.health = Health(False, "the store was not asked yet")
        self.next = 0.0
        self.thread = Executor(2)
        """Apart from the threads of requests: a check comes through when all of those wait."""


_states: WeakKeyDictionary[ScimService, _State] = WeakKeyDictionary()
_states_lock = Lock()


def health(service: ScimService) -> Health:
    """Return whether a service over a sync store can serve requests.

    Raises: TypeError if the store is awaited; use `awaited_health`.
    """
    if service.store.is_async:
        raise TypeError("the store is awaited; use awaited_health")
    state = _state_of(service)
    if not _is_due(state):
        return _with_executor(service, state.health)
    return _with_executor(service, _kept(state, _asked(lambda: _check(service))))


async def awaited_health(service: ScimService) -> Health:
    """Return whether a service can serve requests, without blocking the event loop."""
    state = _state_of(service)
    if not _is_due(state):
        return _with_executor(service, state.health)
    check = getattr(service.store, "check_health", None)
    try:
        if check is None:
            found = Health(True)
        elif service.store.is_async:
            found = _read(await asyncio.wait_for(check(monotonic() + _PATIENCE), _PATIENCE))
        elif service.blocking:
            found = await state.thread.run(lambda: _asked(lambda: _check(service)), monotonic() + _PATIENCE)
        else:
            found = _asked(lambda: _check(service))
    except Exception as error:
        found = _failed(error)
    return _with_executor(service, _kept(state, found))


def live() -> Response:
    """The response of a process that answers."""
    return Response(200, write_json({"live": True}), (("Content-Type", JSON), ("Cache-Control", "no-store")))


def probe_of(path: str) -> Callable[[ScimService], Awaitable[Response]] | None:
    """Return what answers a probe by the end of its path, `/healthz` or `/readyz`; None for another path."""
    return _PROBES.get(path.rsplit("/", 1)[-1])


async def _live(service: ScimService) -> Response:
    return live()


async def _ready(service: ScimService) -> Response:
    return (await awaited_health(service)).response()


_PROBES: Final[dict[str, Callable[[ScimService], Awaitable[Response]]]] = {"healthz": _live, "readyz": _ready}


def _state_of(service: ScimService) -> _State:
    with _states_lock:
        return _states.setdefault(service, _State())


def _is_due(state: _State) -> bool:
    """Whether the store is asked now; whoever is told so asks it."""
    with state.lock:
        now = monotonic()
        if now < state.next:
            return False
        first = not state.next
        state.next = now + _INTERVAL
        if first:
            state.health = Health(False, "the first check of the store is not done yet")
        return True


def _kept(state: _State, found: Health) -> Health:
    if found != state.health:
        _log.log(logging.INFO if found.ready else logging.WARNING, "health: %s", found.detail)
    state.health = found
    return found


def _check(service: ScimService) -> Any:
    check = getattr(service.store, "check_health", None)
    return None if check is None else check(monotonic() + _PATIENCE)


def _asked(check: Callable[[], Any]) -> Health:
    try:
        return _read(check())
    except Exception as error:
        return _failed(error)


def _read(found: Any) -> Health:
    """The health of a store; a store without a check is ready."""
    return Health(True) if found is None else Health(bool(found.ready), str(found.detail) or "ready")


def _failed(error: Exception) -> Health:
    _log.warning("a health check failed: %s", type(error).__name__)
    return Health(False, "the store does not answer")


def _with_executor(service: ScimService, found: Health) -> Health:
    """A service whose queue is full refuses requests, whatever its store says."""
    return Health(False, "the queue of requests is full") if found.ready and service.executor.full else found
