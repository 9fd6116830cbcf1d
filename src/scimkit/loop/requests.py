"""Requests on an event loop. Work that may block runs in threads; all other work runs on the loop.

Discovery requests, and tokens that are verified from memory, never wait for a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any, Final, TypeVar

from scimkit.errors import ScimError
from scimkit.loop.executor import Executor
from scimkit.loop.turns import Turns
from scimkit.runner import run_sync
from scimkit.service.http import Request, Response
from scimkit.service.service import ScimService

Result = TypeVar("Result")
Answer = TypeVar("Answer", bound=Response | None)

_DISCOVERY: Final = frozenset({"serviceproviderconfig", "resourcetypes", "schemas"})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class LoopService:
    """Serves the requests of a `ScimService` on an event loop. Create it with `loop_service`."""

    def __init__(self, service: ScimService) -> None:
        self._service = service
        self._executor = Executor(getattr(service.store, "pool_size", None))
        limiter = service.rate_limiter
        self._turns = None if limiter is None else Turns(limiter.concurrent)

    @property
    def is_full(self) -> bool:
        """True if the queue for threads is full, so that further requests are refused."""
        return self._executor.full

    async def authenticated(self, request: Request) -> Response | None:
        """Verify the token of a request before its body is read.

        Returns:
            None if the token is valid. Otherwise the error response.
        """
        if self._turns is None:
            return await self._authenticated(request)
        return self._service.refused_lately(request) or await self._in_turn(request, self._authenticated)

    async def handled(self, request: Request) -> Response:
        """Return the response to a request. A request to a blocking store is handled in a thread."""
        if self._turns is None:
            return await self._handled(request)
        refused = self._service.refused_lately(request)
        if refused is None and self._is_of_unknown_tenant(request):
            refused = await self._authenticated(request)
        if refused is not None:
            return refused
        return await self._in_turn(request, self._handled)

    def _is_of_unknown_tenant(self, request: Request) -> bool:
        """Report whether the token must be verified first, because a rate limit needs the tenant."""
        limiter = self._service.rate_limiter
        return (
            limiter is not None
            and request.principal is None
            and "authorization" in request.headers
            and limiter.principal_of(request.headers) is None
        )

    async def _in_turn(self, request: Request, work: Callable[[Request], Awaitable[Answer]]) -> Answer | Response:
        """Do the work for a request when it is the turn of its tenant."""
        limiter, turns = self._service.rate_limiter, self._turns
        if limiter is None or turns is None:
            return await work(request)
        principal = request.principal or limiter.principal_of(request.headers)
        if principal is None or not principal.tenant:
            return await work(request)
        try:
            if not await turns.take(principal.tenant, _deadline(self._service, request)):
                request.refused = principal
                return self._service.refuse(request, limiter.busy(principal))
        except ScimError as error:
            return self._service.refuse(request, error)
        try:
            return await work(request)
        finally:
            turns.give_back(principal.tenant)

    async def _authenticated(self, request: Request) -> Response | None:
        """Verify the token of a request. The result is that of `authenticated`."""
        service = self._service
        if not service.verification_blocks:
            return await service.authenticate(request, recalls=True)
        try:
            return await self._executor.run(
                lambda: run_sync(service.authenticate(request, recalls=True)), _deadline(service, request)
            )
        except ScimError as error:
            return service.refuse(request, error)

    async def _handled(self, request: Request) -> Response:
        """Handle a request."""
        service = self._service
        if not service.blocking or _is_discovery(request):
            if request.principal is None and service.verification_blocks and "authorization" in request.headers:
                refused = await self._authenticated(request)
                if refused is not None:
                    return refused
            return await service.handle(request)
        if request.principal is None and not service.verification_blocks:
            refused = await service.authenticate(request, recalls=True)
            if refused is not None:
                return refused
        try:
            return await self._executor.run(
                lambda: run_sync(service.handle(request)), _deadline(service, request), _written_resource(request)
            )
        except ScimError as error:
            return service.refuse(request, error)

    async def flushed(self) -> None:
        """Write what the provisioning log still has in memory, when the server shuts down. Close other connections."""
        await self.run(self._service.flush_provisioning_log)
        if self._service.rate_limiter is not None:
            await self._service.rate_limiter.close()

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
