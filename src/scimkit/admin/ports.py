"""The values that pages show, read from the ports of a service: tokens, provisioning log, store and breaker.

Sync and async ports are called the same way, so that a host without an event loop can run the page with `run_sync`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from scimkit.admin.client_states import client_state
from scimkit.dialects import OPTIONS, QUIRKS
from scimkit.errors import NotFound
from scimkit.provisioning import (
    ConnectionHealth,
    LogEntry,
    LogPage,
    LogQuery,
    OverdueRevocation,
    ProvisioningLog,
    as_async_log,
    async_connection_health,
    async_overdue_revocations,
)
from scimkit.runner import result_of
from scimkit.schema.resource_types import ResourceType
from scimkit.service import ScimService
from scimkit.stores.protocol import Scope, Store, as_async_store
from scimkit.tokens import AsyncTokenRegistry, Client, TokenRecord, TokenRegistry

if TYPE_CHECKING:  # the token endpoint is an extra
    from scimkit.oauth import AsyncClientRegistry, ClientRegistry


SHOWN_OVERDUE: Final = 20
"""The largest number of overdue revocations that a page shows."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A token with its status and with the health of the connection that it makes."""

    record: TokenRecord
    status: str
    health: ConnectionHealth | None


@dataclass(frozen=True, slots=True)
class OverdueAccess:
    """The access of a user that should have ended."""

    revocation: OverdueRevocation
    name: str = field(repr=False)
    """The user name, or the id if the log has no name."""


class Ports:
    """The ports of a service, as the pages call them.

    Args:
        service: The service.
        tokens: The registry of its tokens.
        endpoint: The URL of the SCIM endpoint, or its path on the host of the page.
        clients: The registry of the OAuth clients, or None.
        token_endpoint: The URL of the token endpoint, or its path on the host of the page.
        clock: A function that returns the present time in UTC.
    """

    def __init__(
        self,
        service: ScimService,
        tokens: TokenRegistry | AsyncTokenRegistry,
        endpoint: str,
        clients: ClientRegistry | AsyncClientRegistry | None = None,
        token_endpoint: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.service = service
        self.tokens = tokens
        self.endpoint = endpoint
        self.clients = clients
        self.token_endpoint = token_endpoint
        self.clock = clock
        store = service.store
        self.store: Store = store if store.is_async is True else as_async_store(store)
        log = service.provisioning_log
        self.log: ProvisioningLog | None = None if log is None else as_async_log(log)
        """The provisioning log of the service, or None."""
        self.quirk_summaries: dict[str, str] = {
            each.name: each.summary
            for each in (*QUIRKS, *OPTIONS, *(quirk for dialect in service.dialects for quirk in dialect.quirks))
        }
        """The summary of each quirk by name."""

    def scope(self, tenant: str) -> Scope:
        """Return the scope of a read of the store."""
        return Scope(tenant, monotonic() + self.service.limits.deadline)

    def resource_type(self, name: str) -> ResourceType:
        """Return the resource type with a name.

        Raises:
            NotFound: The service has no such resource type.
        """
        for each in self.service.resource_types:
            if each.name == name:
                return each
        raise NotFound("There is no such resource type.")

    async def token_records(self, tenant: str) -> Sequence[TokenRecord]:
        """Return the token records of a tenant, the newest first."""
        answer: Any = self.tokens.list(tenant)
        records: Sequence[TokenRecord] = await result_of(answer)
        return sorted(records, key=lambda each: each.created, reverse=True)

    async def token_record(self, tenant: str, id: str) -> TokenRecord:
        """Return the record of a token.

        Raises:
            NotFound: The tenant has no token with this id.
        """
        answer: Any = self.tokens.find(id, tenant=tenant)
        record: TokenRecord = await result_of(answer)
        return record

    async def client_list(self, tenant: str) -> Sequence[Client]:
        """Return the OAuth clients of a tenant, the newest first. There are none without a registry of clients."""
        if self.clients is None:
            return ()
        answer: Any = self.clients.list(tenant)
        clients: Sequence[Client] = await result_of(answer)
        return sorted(clients, key=lambda each: each.created, reverse=True)

    async def ending_clients(self, tenant: str) -> Sequence[Client]:
        """Return the OAuth clients of a tenant whose last secret expires soon or has expired."""
        states = [client_state(each, self.clock()) for each in await self.client_list(tenant)]
        return [each.client for each in states if each.is_ending or each.status == "Expired"]

    async def descriptions(self, tenant: str) -> dict[str, str]:
        """Return the descriptions of the tokens and the OAuth clients of a tenant, by their ids."""
        found = {each.id: each.description for each in await self.token_records(tenant)}
        return found | {each.id: each.description for each in await self.client_list(tenant)}

    async def overdue(self, tenant: str) -> Sequence[OverdueAccess]:
        """Return the access of users that should have ended, with the names of the users if the log has them."""
        if self.log is None:
            return ()
        found: list[OverdueAccess] = []
        for each in await async_overdue_revocations(self.log, tenant, self.clock()):
            label = None
            if len(found) < SHOWN_OVERDUE:
                entries = (await self.log.search(LogQuery(tenant=tenant, resource_id=each.id, limit=20))).entries
                label = next((entry.label for entry in entries if entry.label), None)
            found.append(OverdueAccess(each, label or each.id))
        return found

    async def connection(self, record: TokenRecord) -> Connection:
        """Return a token with its health. Tokens that have ended have no health."""
        now = self.clock()
        status = record.status(now)
        health = None
        if self.log is not None and status in ("Active", "Inactive"):
            health = await async_connection_health(self.log, record.tenant, record.id, now)
        return Connection(record, status, health)

    async def entries(self, query: LogQuery) -> LogPage:
        """Return one page of the log, which is empty without a log."""
        return LogPage((), None) if self.log is None else await self.log.search(query)

    async def entry(self, tenant: str, id: str) -> LogEntry:
        """Return an entry of the log.

        Raises:
            NotFound: The tenant has no entry with this id.
        """
        found = None if self.log is None else await self.log.find(tenant, id)
        if found is None:
            raise NotFound("There is no such entry.")
        return found
