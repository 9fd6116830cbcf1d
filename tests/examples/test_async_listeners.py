"""Handlers that are coroutine functions take part in writes of async stores, behind the ASGI adapter."""

from __future__ import annotations

import asyncio
import runpy
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from scimkit import ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.events import (
    MembersAdded,
    MembersRemoved,
    PendingWrite,
    Refused,
    ResourceEvent,
    Transaction,
    UserDeactivated,
    after_commit,
    before_write,
    in_transaction,
)
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.stores.sqlalchemy import AsyncMappedStore
from scimkit.testing.server import running
from tests.client import GROUP, PATCH_OP, USER
from tests.examples.fastapi_helpdesk import FastapiHelpdesk
from tests.stores.databases import MARKS, url_of

EXAMPLE: Final = Path(__file__).parents[2] / "docs" / "examples" / "async_listeners.py"
DATABASES: Final = [pytest.param(name, marks=MARKS[name]) for name in ("sqlite", "postgresql")]
OFF: Final = {"op": "replace", "path": "active", "value": False}


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database."""
    return f"sqlite:///{tmp_path}/async.db" if request.param == "sqlite" else url_of(request.param)


@contextmanager
def client_of(app: Any, tokens: TokenRegistry, tenant: str = "default", path: str = "") -> Iterator[httpx.Client]:
    """Serve an application, and yield a client of its SCIM endpoint."""
    headers = {"Authorization": f"Bearer {tokens.issue('test', tenant=tenant).token}"}
    with running(app) as url, httpx.Client(base_url=url + path, headers=headers, timeout=60) as client:
        yield client


def new_user(client: httpx.Client, name: str) -> str:
    """Create a user and return the id."""
    return str(client.post("/Users", json={"schemas": [USER], "userName": name, "active": True}).json()["id"])


def patch(client: httpx.Client, path: str, *operations: dict[str, Any]) -> httpx.Response:
    """Send a PATCH."""
    return client.patch(path, json={"schemas": [PATCH_OP], "Operations": list(operations)})


class TestAsyncSqlStore:
    """The example of the documentation."""

    def test_the_example(self, database: str) -> None:
        """Tickets of a leaver return to the queue with the write, and the chat hears of it."""
        example, messages = runpy.run_path(str(EXAMPLE)), list[bytes]()
        tenant, ticket = uuid4().hex, example["ticket"]

        async def chat(request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0)
            messages.append(request.content)
            return httpx.Response(204)

        sender = httpx.AsyncClient(transport=httpx.MockTransport(chat), base_url="https://chat.example.org")
        app = example["create_app"](database, sender)
        engine = SqlStore(database).engine  # its tables are those of the async store
        tokens = TokenRegistry(SqlTokenStore(engine))
        with client_of(app, tokens, tenant, "/scim/v2") as client:
            bo, ada = new_user(client, "bo"), new_user(client, "ada")
            with engine.begin() as connection:
                connection.execute(sa.delete(ticket))
                connection.execute(sa.insert(ticket), [{"subject": "printer", "agent": bo},
                                                       {"subject": "mouse", "agent": ada}])  # fmt: skip
            assert patch(client, f"/Users/{bo}", OFF).status_code == 200
            assert client.delete(f"/Users/{ada}").status_code == 204
            with engine.connect() as connection:
                assert dict(connection.execute(sa.select(ticket.c.subject, ticket.c.agent)).all()) == {
                    "printer": None, "mouse": None,
                }  # fmt: skip
        assert messages == [b'{"text":"bo has left."}']
        engine.dispose()


class TestAsyncMappedStore:
    """The tables of the FastAPI helpdesk, with handlers that are awaited."""

    @pytest.fixture
    def helpdesk(self, database: str) -> Iterator[FastapiHelpdesk]:
        """Return the sync helpdesk, which has made the tables and reads them."""
        made = FastapiHelpdesk(database)
        yield made
        made.close()

    @contextmanager
    def served(
        self, helpdesk: FastapiHelpdesk, database: str, tenant: str, handlers: Callable[..., Any]
    ) -> Iterator[httpx.Client]:
        """Serve the tables with listeners that `handlers` returns for a helpdesk."""
        from helpdesk_fastapi import scim

        engine = create_async_engine(database.replace("sqlite:", "sqlite+aiosqlite:"))
        store = AsyncMappedStore(async_sessionmaker(engine), [scim.agents, scim.teams])
        tokens = TokenRegistry()
        app = ScimApp(ScimService(store, tokens=tokens, listeners=handlers()))

        async def with_engine(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "lifespan":
                return await app(scope, receive, send)
            for kind in ("startup", "shutdown"):
                await receive()
                if kind == "shutdown":
                    await engine.dispose()
                await send({"type": f"lifespan.{kind}.complete"})
            return None

        with client_of(with_engine, tokens, tenant) as client:
            yield client

    def test_each_moment_is_awaited(self, helpdesk: FastapiHelpdesk, database: str) -> None:
        """Handlers of the three moments are awaited in their order, and a refusal undoes the handlers before it."""
        from helpdesk_fastapi.models import Agent, Ticket

        tenant, order, refuses = f"t{uuid4().hex[:12]}", list[str](), True

        async def check(pending: PendingWrite, transaction: Transaction) -> None:
            await transaction.session.execute(sa.select(1))
            order.append(f"before {pending.operation}")

        async def reassign(event: UserDeactivated, transaction: Transaction) -> None:
            leaver = sa.select(Agent.id).where(Agent.public_id == event.id).scalar_subquery()
            await transaction.session.execute(sa.update(Ticket).where(Ticket.agent_id == leaver).values(agent_id=None))
            order.append("in")

        async def refuse(event: UserDeactivated, transaction: Transaction) -> None:
            await asyncio.sleep(0)
            if refuses:
                raise Refused("Not now.")

        async def announce(event: ResourceEvent) -> None:
            await asyncio.sleep(0)
            order.append(f"after {type(event).__name__}")

        def handlers() -> list[Any]:
            return [before_write(check), in_transaction(UserDeactivated, reassign),
                    in_transaction(UserDeactivated, refuse), after_commit(UserDeactivated, announce)]  # fmt: skip

        with self.served(helpdesk, database, tenant, handlers) as client:
            bo = new_user(client, "bo")
            helpdesk.open_ticket(tenant, "printer", "bo")
            refused = patch(client, f"/Users/{bo}", OFF)
            assert (refused.status_code, refused.json()["detail"]) == (409, "Not now.")
            assert helpdesk.tickets(tenant) == {"printer": "bo"}
            refuses = False
            assert patch(client, f"/Users/{bo}", OFF).status_code == 200
            assert helpdesk.tickets(tenant) == {"printer": None}
        assert order == ["before create", "before patch", "in", "before patch", "in", "after UserDeactivated"]

    def test_roles_of_parallel_requests(self, helpdesk: FastapiHelpdesk, database: str) -> None:
        """A sync function of the application works in an async session, and parallel changes do not deadlock."""
        from helpdesk_fastapi.models import Agent
        from helpdesk_fastapi.roles import lock_account, refresh_roles

        tenant, before = f"t{uuid4().hex[:12]}", helpdesk.deadlocks()

        async def take_turns(pending: PendingWrite, transaction: Transaction) -> None:
            await transaction.session.run_sync(lock_account, transaction.tenant)

        async def members_changed(event: MembersAdded | MembersRemoved, transaction: Transaction) -> None:
            await transaction.session.run_sync(refresh_roles, Agent.public_id.in_(event.members))

        def handlers() -> list[Any]:
            return [before_write(take_turns), in_transaction(MembersAdded | MembersRemoved, members_changed)]

        helpdesk.set_seats(tenant, 100)
        with self.served(helpdesk, database, tenant, handlers) as client, ThreadPoolExecutor(6) as pool:
            users = [new_user(client, f"agent{number}") for number in range(6)]
            bodies = [{"schemas": [GROUP], "displayName": f"team{number}"} for number in range(4)]
            teams = [str(client.post("/Groups", json=each).json()["id"]) for each in bodies]
            for number in range(3):
                helpdesk.set_role(tenant, f"team{number}", number + 1)

            def change(number: int) -> int:
                kind = ("add", "replace", "add")[number % 3]
                members = [{"value": users[(number * step) % 6]} for step in (1, 3, 5)]
                operation = {"op": kind, "path": "members", "value": members}
                return patch(client, f"/Groups/{teams[number % 4]}", operation).status_code

            assert set(pool.map(change, range(60))) <= {200, 204}
        assert helpdesk.roles(tenant) == helpdesk.granted(tenant)
        assert max(helpdesk.roles(tenant).values()) == 3
        assert helpdesk.deadlocks() == before
