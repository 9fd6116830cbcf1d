"""Authorization of operations by a hook of the host.

The hook is also called for every operation of a bulk request and every resource type of a search. This module has no
rules; without a hook, every operation is allowed.
"""

from __future__ import annotations

from scimkit.errors import Forbidden
from scimkit.events import Access, AuthorizationHook, OperationKind
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import Response
from scimkit.service.request_context import Handler, RequestContext


class Permissions:
    """Calls the `authorize` hook of the host."""

    __slots__ = ("_hook", "allow_all")

    def __init__(self, hook: AuthorizationHook | None) -> None:
        self._hook = hook
        self.allow_all: bool = hook is None

    def guarded(self, handler: Handler, operation: OperationKind, resource_type: ResourceType) -> Handler:
        """Return a handler that calls the hook before the operation. Without a hook, return the handler itself."""
        if self.allow_all:
            return handler

        async def asked(call: RequestContext) -> Response:
            """Serve the request if the hook allows the operation."""
            await self.require(call, operation, resource_type)
            return await handler(call)

        return asked

    async def allow(self, call: RequestContext, operation: OperationKind, resource_type: ResourceType) -> bool:
        """Report whether the token may do the operation on a resource type, or on the resource in the path."""
        if self._hook is None:
            return True
        answer = self._hook(
            Access(call.principal.tenant, call.principal.token_id, operation, resource_type.name, call.id or None)
        )
        return answer if isinstance(answer, bool) else await answer

    async def require(self, call: RequestContext, operation: OperationKind, resource_type: ResourceType) -> None:
        """Raise Forbidden if the hook does not allow the operation."""
        if not await self.allow(call, operation, resource_type):
            raise Forbidden(f"This token may not {operation} a {resource_type.name}.")
