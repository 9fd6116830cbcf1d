"""Authorisation: the host's word on every operation, also on each of a bulk and each type of a search.

This module holds no rule of its own; without a hook everything is allowed.
"""

from __future__ import annotations

from scimkit.errors import Forbidden
from scimkit.events import Access, AuthorisationHook, OperationKind
from scimkit.schema.resource_types import ResourceType
from scimkit.service.calls import Call


class Permissions:
    """Asks the host's hook."""

    __slots__ = ("_hook",)

    def __init__(self, hook: AuthorisationHook | None) -> None:
        self._hook = hook

    async def allow(self, call: Call, operation: OperationKind, resource_type: ResourceType) -> bool:
        """Whether the request's token may do this to resources of a type, or to the one it names."""
        if self._hook is None:
            return True
        answer = self._hook(
            Access(call.principal.tenant, call.principal.token_id, operation, resource_type.name, call.id)
        )
        return answer if isinstance(answer, bool) else await answer

    async def require(self, call: Call, operation: OperationKind, resource_type: ResourceType) -> None:
        """Raises: Forbidden when it may not."""
        if self._hook is not None and not await self.allow(call, operation, resource_type):
            raise Forbidden(f"This token may not {operation} a {resource_type.name}.")
