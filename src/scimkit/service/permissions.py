"""Authorization of operations by the scopes of the token and by a hook of the host.

Both apply to every operation of a bulk request and every resource type of a search. Discovery needs no scope. Without a
hook, a token with the scopes `read` and `write` may do every operation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from typing import Final

from scimkit.errors import Forbidden
from scimkit.events import Access, AuthorizationHook, OperationKind
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import Response
from scimkit.service.request_context import Handler, RequestContext

_SCOPES: Final[dict[OperationKind, str]] = {
    "create": "write", "read": "read", "search": "read", "replace": "write", "patch": "write", "delete": "write",
}  # fmt: skip
"""The scope that each kind of operation needs."""


class Permissions:
    """Compares operations with the scopes of tokens, and calls the `authorize` hook of the host."""

    __slots__ = ("_hook", "allow_all")

    def __init__(self, hook: AuthorizationHook | None) -> None:
        self._hook = hook
        self.allow_all: bool = hook is None
        """True if there is no hook. The scopes of the token still apply."""

    def guarded(self, handler: Handler, operation: OperationKind, resource_type: ResourceType) -> Handler:
        """Return a handler that checks the scopes of the token and calls the hook before the operation."""
        if not self.allow_all:
            return self._asked(handler, operation, resource_type)

        def checked(call: RequestContext) -> Awaitable[Response]:
            """Serve the request if the scopes of the token permit the operation."""
            scopes = call.principal.scopes
            if scopes is not None:
                check_scope(scopes, operation, resource_type)
            return handler(call)

        return checked

    def _asked(self, handler: Handler, operation: OperationKind, resource_type: ResourceType) -> Handler:
        """Return a handler that also calls the hook."""

        async def asked(call: RequestContext) -> Response:
            """Serve the request if the scopes and the hook allow the operation."""
            await self.require(call, operation, resource_type)
            return await handler(call)

        return asked

    async def allow(self, call: RequestContext, operation: OperationKind, resource_type: ResourceType) -> bool:
        """Report whether the token may do the operation on a resource type, or on the resource in the path."""
        scopes = call.principal.scopes
        if scopes is not None and missing_scope(scopes, operation, resource_type) is not None:
            return False
        if self._hook is None:
            return True
        answer = self._hook(
            Access(call.principal.tenant, call.principal.token_id, operation, resource_type.name, call.id or None)
        )
        return answer if isinstance(answer, bool) else await answer

    async def require(self, call: RequestContext, operation: OperationKind, resource_type: ResourceType) -> None:
        """Raise Forbidden if the scopes of the token or the hook do not allow the operation."""
        scopes = call.principal.scopes
        if scopes is not None:
            check_scope(scopes, operation, resource_type)
        if not await self.allow(call, operation, resource_type):
            raise Forbidden(f"This token may not {operation} a {resource_type.name}.")


def missing_scope(scopes: Collection[str], operation: OperationKind, resource_type: ResourceType) -> str | None:
    """Return the scope that an operation lacks, or None if the scopes permit the operation.

    A token that is limited to resource types lacks the scope of a resource type. Any other token lacks a plain scope.
    """
    needed = _SCOPES[operation]
    typed = f"{needed}:{resource_type.name}"
    if needed in scopes or typed in scopes:
        return None
    return typed if any(each.startswith(f"{needed}:") for each in scopes) else needed


def check_scope(scopes: Collection[str], operation: OperationKind, resource_type: ResourceType) -> None:
    """Check that scopes permit an operation.

    Raises:
        Forbidden: The scopes do not permit the operation. The detail names the missing scope.
    """
    missing = missing_scope(scopes, operation, resource_type)
    if missing is not None:
        raise Forbidden(f"This token may not {operation} a {resource_type.name}: it lacks the scope {missing}.")
