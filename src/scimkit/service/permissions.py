"""Authorization: the host's word on every operation, also on each of a bulk and each type of a search.

This module holds no rule of its own; without a hook everything is allowed.
"""

from __future__ import annotations

from scimkit.errors import Forbidden
from scimkit.events import Access, AuthorizationHook, OperationKind
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import Response
from scimkit.service.request_context import Handler, RequestContext


class Permissions:
    """Asks the host's hook."""

    __slots__ = ("_hook", "allow_all")

    def __init__(self, hook: AuthorizationHook | None) -> None:
        self._hook = hook
        self.allow_all: bool = hook is None

    def guarded(self, handler: Handler, operation: OperationKind, resource_type: ResourceType) -> Handler:
        """The handler of an operation that is served when the hook allows it; itself when there is no hook."""
        if self.allow_all:
            return handler

        async def asked(call: RequestContext) -> Response:
            await self.require(call, operation, resource_type)
            return await handler(call)

        return asked

    async def allow(self, call: RequestContext, operation: OperationKind, resource_type: ResourceType) -> bool:
        """Whether the request's token may do this to resources of a type, or to the one it names."""
        if self._hook is None:
            return True
        answer = self._hook(
            Access(call.principal.tenant, call.principal.token_id, operation, resource_type.name, call.id or None)
        )
        return answer if isinstance(answer, bool) else await answer

    async def require(self, call: RequestContext, operation: OperationKind, resource_type: ResourceType) -> None:
        """Raises: Forbidden when it may not."""
        if not await self.allow(call, operation, resource_type):
            raise Forbidden(f"This token may not {operation} a {resource_type.name}.")
