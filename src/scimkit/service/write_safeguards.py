"""Check writes against the safeguards of the service, in the transaction of each write.

A service without safeguards has none of this in its way.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from scimkit.documents import Document
from scimkit.events import BreakerTripped, Transaction
from scimkit.patch.changes import EffectiveChanges
from scimkit.safeguards.active_resources import is_deactivation
from scimkit.safeguards.breaker import Breaker, BreakerOpen
from scimkit.safeguards.protection import Protection, ProtectionRules, check_rules
from scimkit.schema.resource_types import ResourceType
from scimkit.service.request_context import RequestContext
from scimkit.service.write_listeners import WriteListeners
from scimkit.stores.protocol import Store, Written

_log: Final = logging.getLogger("scimkit")


class WriteSafeguards:
    """The protected resources and the breaker of a service.

    Args:
        rules: The rules that name protected resources.
        breaker: The breaker, if the service has one.
        resource_types: The resource types of the service.
        store: The store of the service.

    Raises:
        ValueError: A rule does not fit the service, or the store lacks a capability that safeguards need.
    """

    def __init__(
        self,
        rules: Sequence[Protection],
        breaker: Breaker | None,
        resource_types: Sequence[ResourceType],
        store: Any,
    ) -> None:
        for capability in ("changes", "transactions"):
            if capability in store.unsupported:
                raise ValueError(f"this store does not support {capability}, which safeguards need")
        check_rules(rules, resource_types, store)
        if breaker is not None:
            breaker.bind(store)
        self._rules = {each.name: ProtectionRules(rules, each, store) for each in resource_types}
        self._breaker = breaker
        self._user_types = {each.name for each in resource_types if each.attributes.find("userName") is not None}

    def protects(self, resource_type: ResourceType, document: Document) -> bool:
        """Report whether a resource is protected."""
        return self._rules[resource_type.name].protects(document)

    def checked(
        self,
        write: Callable[[Store], Awaitable[Written]],
        store: Store,
        call: RequestContext,
        resource_type: ResourceType,
    ) -> Callable[[Store], Awaitable[Written]]:
        """Return a write that also checks the changes that it made.

        Args:
            write: The write on a store.
            store: The store within the transaction, which the check asks.
            call: The request.
            resource_type: The resource type of the request.
        """

        async def written(watched: Store) -> Written:
            """Write to the store that listeners watch, and check the changes on the store itself."""
            made = await write(watched)
            await self._check(made.changes, store, call, resource_type)
            return made

        return written

    async def _check(
        self, changes: EffectiveChanges | None, store: Store, call: RequestContext, resource_type: ResourceType
    ) -> None:
        """Check the changes of a write within its transaction.

        Raises:
            Forbidden: A safeguard refuses the write. The transaction must be undone.
        """
        if changes is None or not changes.before:
            return
        rules = self._rules[resource_type.name]
        if rules:
            await rules.check(store, call.scope, changes)
        breaker = self._breaker
        if breaker is None or resource_type.name not in self._user_types:
            return
        if not changes.after or is_deactivation(changes):
            transaction = Transaction(getattr(store, "sync_store", store), call.scope)
            call.id = changes.before["id"]
            await breaker.count(store, call.scope, resource_type, transaction)

    async def refused(
        self, error: BreakerOpen, call: RequestContext, resource_type: ResourceType, listeners: WriteListeners | None
    ) -> None:
        """Trip the breaker after the transaction of a write that exceeded its limit was undone.

        The listeners of committed writes receive a `BreakerTripped`, and the log has a warning.
        """
        breaker = self._breaker
        tenant = call.scope.tenant
        if breaker is None or error.limit is None or not await breaker.trip(tenant):
            return
        _log.warning(
            "the breaker of a tenant tripped: too many users were deactivated or deleted; "
            "check the scope of provisioning, then run scimkit safeguard release",
            extra={"tenant": tenant, "token_id": call.principal.token_id, "request_id": call.request.id},
        )
        if listeners is not None:
            event = BreakerTripped(
                resource_type=resource_type.name,
                id=call.id,
                tenant=tenant,
                token_id=call.principal.token_id,
                request_id=call.request.id,
                quirks=tuple(call.deviations.fired),
                deactivations=error.deactivations,
                limit=error.limit,
            )
            await listeners.committed([event])
