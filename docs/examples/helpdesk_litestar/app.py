import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from litestar import Litestar, asgi, get, post
from litestar.types import Receive, Scope, Send

from scimkit import ScimService
from scimkit.asgi import ScimApp
from scimkit.events import ResourceDeleted, Transaction, UserDeactivated, in_transaction
from scimkit.stores.sql import AsyncSqlStore, AsyncSqlTokenStore
from scimkit.tokens import AsyncTokenRegistry

metadata = sa.MetaData()
ticket = sa.Table(
    "ticket",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subject", sa.String(200)),
    sa.Column("agent", sa.String(36), index=True),  # the id of a user; NULL is the queue
)


async def reassign_tickets(event: UserDeactivated | ResourceDeleted, transaction: Transaction) -> None:
    """Put the tickets of a leaver back into the queue, in the transaction that deactivates the leaver."""
    await transaction.connection.execute(sa.update(ticket).where(ticket.c.agent == event.id).values(agent=None))


def create_app(database: str | None = None) -> Litestar:
    """Create the application: uvicorn --factory helpdesk_litestar.app:create_app."""
    store = AsyncSqlStore(database or os.environ.get("HELPDESK_DATABASE", "sqlite:///helpdesk.db"))
    tokens = AsyncTokenRegistry(AsyncSqlTokenStore(store.engine))
    listeners = [in_transaction(UserDeactivated | ResourceDeleted, reassign_tickets)]
    scim_app = ScimApp(ScimService(store, tokens=tokens, listeners=listeners))

    @asgi("/scim/v2", is_mount=True, copy_scope=True)
    async def scim(scope: Scope, receive: Receive, send: Send) -> None:
        scope["root_path"] = "/scim/v2"  # Litestar removes the prefix from the path, and does not keep it
        await scim_app(scope, receive, send)

    # The helpdesk's own API. Its users sign in, which this example leaves out.
    @get("/tickets")
    async def tickets() -> list[dict[str, str | None]]:
        async with store.engine.connect() as connection:
            rows = await connection.execute(sa.select(ticket))
            return [{"subject": each.subject, "agent": each.agent} for each in rows]

    @post("/tickets")
    async def open_ticket(data: dict[str, str | None]) -> None:
        async with store.engine.begin() as connection:
            await connection.execute(sa.insert(ticket).values(subject=data["subject"], agent=data["agent"]))

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await store.upgrade()
        async with store.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield
        await store.engine.dispose()

    return Litestar([scim, tickets, open_ticket], lifespan=[lifespan])
