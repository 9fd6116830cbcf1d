"""Requests on an event loop: what may block runs in the threads of the service, all else on the loop at once.

Discovery, and tokens that are verified from memory, never wait for a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Final

from scimkit.errors import ScimError
from scimkit.runner import run_sync
from scimkit.service.http import Request, Response
from scimkit.service.service import ScimService

_DISCOVERY: Final = frozenset({"serviceproviderconfig", "resourcetypes", "schemas"})
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


async def authenticated(service: ScimService, request: Request) -> Response | None:
    """Verify the token of a request before its body is read: None if the request may go on, else the response."""
    if not service.verification_blocks:
        return await service.authenticate(request)
    try:
        return await service.executor.run(lambda: run_sync(service.authenticate(request)), _deadline(service, request))
    except ScimError as error:
        return service.refuse(request, error)


async def handled(service: ScimService, request: Request) -> Response:
    """Return the response of a request. A service over a blocking store handles it in a thread."""
    if not service.blocking or _is_discovery(request):
        if request.principal is None and service.verification_blocks and "authorization" in request.headers:
            refused = await authenticated(service, request)
            if refused is not None:
                return refused
        return await service.handle(request)
    if request.principal is None and not service.verification_blocks:
        refused = await service.authenticate(request)
        if refused is not None:
            return refused
    try:
        return await service.executor.run(
            lambda: run_sync(service.handle(request)), _deadline(service, request), _written_resource(request)
        )
    except ScimError as error:
        return service.refuse(request, error)


async def next_part(service: ScimService, more: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
    """Return the next part of a streamed body. Raises: what the store raises, Unavailable without a thread in time."""
    if not service.blocking:
        return await more()
    return await service.executor.run(lambda: run_sync(more()), monotonic() + service.limits.deadline)


def _deadline(service: ScimService, request: Request) -> float:
    return request.deadline or monotonic() + service.limits.deadline


def _is_discovery(request: Request) -> bool:
    return request.path.strip("/").partition("/")[0].lower() in _DISCOVERY


def _written_resource(request: Request) -> str:
    """The path of the resource that a request writes; empty for a read. Every POST of a type is a write of its own."""
    if request.method in _READS or request.path.rstrip("/").endswith("/.search"):
        return ""
    return f"{id(request)}" if request.method == "POST" else request.path.rstrip("/").lower()
