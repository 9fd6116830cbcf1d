"""Requests on an event loop. Work that may block runs in threads; all other work runs on the loop.

Discovery requests, and tokens that are verified from memory, never wait for a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Final, TypeVar

from scimkit.errors import ScimError
from scimkit.loop.executor import Executor
from scimkit.runner import run_sync
from scimkit.service.http import Request, Response
from scimkit.service.service import ScimService

Result = TypeVar("Result")

_DISCOVERY: Final = frozenset({"serviceproviderconfig", "resourcetypes", "schemas"})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class LoopService:
    """Serves the requests of a `ScimService` on an event loop. Create it with `loop_service`."""

    def __init__(self, service: ScimService) -> None:
        self._service = service
        self._executor = Executor(getattr(service.store, "pool_size", None))

    @property
    def is_full(self) -> bool:
        """True if the queue for threads is full, so that further requests are refused."""
        return self._executor.full

    async def authenticated(self, request: Request) -> Response | None:
        """Verify the token of a request before its body is read.

        Returns:
            None if the token is valid. Otherwise the error response.
        """
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
        """Return the response to a request. A request to a blocking store is handled in a thread."""
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

    async def flushed(self) -> None:
        """Write what the provisioning log still has in memory, when the server shuts down."""
        await self.run(self._service.flush_provisioning_log)

    async def next_part(self, more: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        """Return the next part of a streamed body.

        Raises:
            Unavailable: No thread is free before the deadline.
            ScimError: The store failed.
        """
        return await self._run(more) if self._service.blocking else await more()

    async def run(self, work: Callable[[], Coroutine[Any, Any, Result]], key: str = "") -> Result:
        """Run a coroutine that uses the store and the tokens of the service, in a thread if they may block.

        Args:
            work: A function that returns the coroutine.
            key: The name of what the coroutine writes. Empty for a read.

        Raises:
            Unavailable: No thread is free before the deadline.
        """
        service = self._service
        may_block = (service.blocking or service.verification_blocks) and not service.is_async
        return await self._run(work, key) if may_block else await work()

    async def _run(self, work: Callable[[], Coroutine[Any, Any, Result]], key: str = "") -> Result:
        deadline = monotonic() + self._service.limits.deadline
        return await self._executor.run(lambda: run_sync(work()), deadline, key)


def loop_service(service: ScimService) -> LoopService:
    """Return the `LoopService` of a service. All adapters of one service share its threads."""
    if service.on_loop is None:
        created = service.on_loop = LoopService(service)
        service.is_full = lambda: created.is_full
    found = service.on_loop
    assert isinstance(found, LoopService)
    return found


def _deadline(service: ScimService, request: Request) -> float:
    """Return the time by which the request must be answered."""
    return request.deadline or monotonic() + service.limits.deadline


def _is_discovery(request: Request) -> bool:
    """Report whether the request reads a discovery document."""
    return request.path.strip("/").partition("/")[0].lower() in _DISCOVERY


def _written_resource(request: Request) -> str:
    """Return the path of the resource that a request writes, or an empty string for a read.

    A POST writes a resource that does not exist yet, so each POST has its own key.
    """
    if request.method in _READS or request.path.rstrip("/").endswith("/.search"):
        return ""
    return f"{id(request)}" if request.method == "POST" else request.path.rstrip("/").lower()
