"""Requests on an event loop: what may block runs in the threads of the service, all else on the loop at once.

Discovery, and tokens that are verified from memory, never wait for a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Final

from scimkit.errors import ScimError
from scimkit.loop.executor import Executor
from scimkit.runner import run_sync
from scimkit.service.http import Request, Response
from scimkit.service.service import ScimService

_DISCOVERY: Final = frozenset({"serviceproviderconfig", "resourcetypes", "schemas"})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class LoopService:
    """Serves the requests of a `ScimService` on an event loop. `loop_service` gives it."""

    def __init__(self, service: ScimService) -> None:
        self._service = service
        self._executor = Executor(getattr(service.store, "pool_size", None))

    @property
    def is_full(self) -> bool:
        """Whether the queue for threads is full, so that requests are refused."""
        return self._executor.full

    async def authenticated(self, request: Request) -> Response | None:
        """Verify the token of a request before its body is read: None if the request may go on, else the response."""
        service = self._service
        if not service.verification_blocks:
            return await service.authenticate(request)
        try:
            return await self._executor.run(
                lambda: run_sync(service.authenticate(request)), _deadline(service, request)
            )
        except ScimError as error:
            return service.refuse(request, error)

    async def handled(self, request: Request) -> Response:
        """Return the response of a request. A service over a blocking store handles it in a thread."""
        service = self._service
        if not service.blocking or _is_discovery(request):
            if request.principal is None and service.verification_blocks and "authorization" in request.headers:
                refused = await self.authenticated(request)
                if refused is not None:
                    return refused
            return await service.handle(request)
        if request.principal is None and not service.verification_blocks:
            refused = await service.authenticate(request)
            if refused is not None:
                return refused
        try:
            return await self._executor.run(
                lambda: run_sync(service.handle(request)), _deadline(service, request), _written_resource(request)
            )
        except ScimError as error:
            return service.refuse(request, error)

    async def next_part(self, more: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Return the next part of a streamed body.

        Raises: what the store raises, Unavailable if no thread is free in time.
        """
        if not self._service.blocking:
            return await more()
        return await self._executor.run(lambda: run_sync(more()), monotonic() + self._service.limits.deadline)


def loop_service(service: ScimService) -> LoopService:
    """Return what serves a service on event loops. All adapters of one service share its threads."""
    if service.on_loop is None:
        created = service.on_loop = LoopService(service)
        service.is_full = lambda: created.is_full
    found = service.on_loop
    assert isinstance(found, LoopService)
    return found


def _deadline(service: ScimService, request: Request) -> float:
    return request.deadline or monotonic() + service.limits.deadline


def _is_discovery(request: Request) -> bool:
    return request.path.strip("/").partition("/")[0].lower() in _DISCOVERY


def _written_resource(request: Request) -> str:
    """The path of the resource that a request writes; empty for a read. Every POST of a type is a write of its own."""
    if request.method in _READS or request.path.rstrip("/").endswith("/.search"):
        return ""
    return f"{id(request)}" if request.method == "POST" else request.path.rstrip("/").lower()
