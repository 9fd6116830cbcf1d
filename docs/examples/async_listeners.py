from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import sqlalchemy as sa
from fastapi import FastAPI

from scimkit import ScimService
from scimkit.asgi import ScimApp
from scimkit.events import ResourceDeleted, Transaction, UserDeactivated, after_commit, in_transaction
from scimkit.stores.sql import AsyncSqlStore, AsyncSqlTokenStore
from scimkit.tokens import AsyncTokenRegistry

metadata = sa.MetaData()
ticket = sa.Table(
    "open_ticket",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subject", sa.String(200)),
    sa.Column("agent", sa.String(36), index=True),  # the id of a user; NULL is the queue
)


async def reassign_tickets(event: UserDeactivated | ResourceDeleted, transaction: Transaction) -> None:
    """Put the tickets of a leaver back into the queue."""
    tickets = sa.update(ticket).where(ticket.c.agent == event.id)
    await transaction.connection.execute(tickets.values(agent=None))


def create_app(database: str = "sqlite:///helpdesk.db", chat: httpx.AsyncClient | None = None) -> FastAPI:
    """Create the application: uvicorn --factory async_listeners:create_app. `chat` sends messages to a chat."""

    async def announce(event: UserDeactivated) -> None:
        if chat is not None:
            await chat.post("/messages", json={"text": f"{event.label} has left."})

    store = AsyncSqlStore(database)
    service = ScimService(
        store,
        tokens=AsyncTokenRegistry(AsyncSqlTokenStore(store.engine)),
        listeners=[
            in_transaction(UserDeactivated | ResourceDeleted, reassign_tickets),
            after_commit(UserDeactivated, announce),
        ],
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await store.upgrade()
        async with store.engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield
        await store.engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.mount("/scim/v2", ScimApp(service))
    return app
