"""The page of the safeguards: the breaker of the tenant with its release, and the protected resources."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from scimkit.admin.page_requests import Answer, Page, PageRequest, Redirect
from scimkit.admin.ports import Ports
from scimkit.documents import Document
from scimkit.errors import InvalidFilter, NotFound
from scimkit.filters import parse
from scimkit.safeguards import KeepLast, Protection
from scimkit.schema.resource_types import ResourceType
from scimkit.service.request_ids import one_line
from scimkit.stores.protocol import Query

PAUSES: Final[Mapping[str, timedelta | None]] = {"none": None, "1h": timedelta(hours=1), "1d": timedelta(days=1)}
"""The choices for the time in which a released breaker does not count."""
_SHOWN: Final = 20

_log: Final = logging.getLogger("scimkit.admin")


@dataclass(frozen=True, slots=True)
class ProtectedResources:
    """A rule of the service, with some of the resources that it protects."""

    kind: str
    """`filter`, `last` or `function`."""
    text: str
    """The filter. Empty for a function."""
    resources: Sequence[tuple[str, Document]] = ()
    """Pairs of the name of a resource type and a resource."""
    total: int = 0


class SafeguardPages:
    """The handlers of the page of the safeguards."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def show(self, call: PageRequest) -> Answer:
        """Show the state of the breaker, and who is protected."""
        service = self._ports.service
        breaker = service.breaker
        if breaker is None and not service.protection:
            raise NotFound("The service has no safeguards.")
        state = None if breaker is None else await breaker.status_async(call.tenant)
        rules = [await self._protected(call, each) for each in service.protection]
        return Page("safeguards.html", {"breaker": breaker, "state": state, "rules": rules, "pauses": PAUSES})

    async def release(self, call: PageRequest) -> Answer:
        """Release the breaker of the tenant."""
        breaker, pause = self._ports.service.breaker, call.field("pause")
        if breaker is None:
            raise NotFound("The service has no breaker.")
        await breaker.release_async(call.tenant, pause=PAUSES.get(pause))
        name = one_line(call.administrator.name)
        _log.info("the breaker was released by %s", name, extra={"tenant": call.tenant, "administrator": name})
        return Redirect(("safeguards",), "done=released")

    async def _protected(self, call: PageRequest, rule: Protection) -> ProtectedResources:
        """Return a rule with the resources that its filter matches."""
        if callable(rule):
            return ProtectedResources("function", "")
        text = rule.filter if isinstance(rule, KeepLast) else rule
        found: list[tuple[str, Document]] = []
        total = 0
        for each in self._ports.service.resource_types:
            if isinstance(rule, KeepLast) and rule.resource_type != each.name:
                continue
            documents, matches = await self._matches(call, each, text)
            found += [(each.name, document) for document in documents]
            total += matches
        return ProtectedResources("last" if isinstance(rule, KeepLast) else "filter", text, found, total)

    async def _matches(
        self, call: PageRequest, resource_type: ResourceType, text: str
    ) -> tuple[Sequence[Document], int]:
        """Return some resources that match a filter, and their number. A filter that does not fit matches nothing."""
        parsed = parse(text)
        try:
            parsed.compile(resource_type)
            query = Query(resource_type, parsed, count=_SHOWN)
            page = await self._ports.store.search(self._ports.scope(call.tenant), query)
        except InvalidFilter:
            return (), 0
        return page.documents, page.total
