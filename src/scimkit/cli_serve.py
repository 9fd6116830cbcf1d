"""`scimkit serve`: one process, or several over one database. Holds no rule of SCIM."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import typer
import uvicorn

from scimkit.asgi import ScimApp
from scimkit.dialects import DIALECTS
from scimkit.errors import ScimError
from scimkit.service import ScimService
from scimkit.service.cursors import Cursors
from scimkit.stores import MemoryStore
from scimkit.tokens import MemoryTokenStore, TokenRegistry

if TYPE_CHECKING:
    from scimkit.stores import SyncStore
    from scimkit.stores.sql import SqlStore

PREFIX: Final = "/scim/v2"
"""Where the endpoint is mounted by `serve` and `demo`."""

STORE_URLS: Final = "memory://, sqlite:///FILE, postgresql+psycopg://USER@HOST/NAME or mysql+pymysql://USER@HOST/NAME"
_SETTINGS: Final = "SCIMKIT_SERVE"


def open_store(url: str) -> tuple[SyncStore, TokenRegistry]:
    """The store of a URL, and the registry of the tokens kept beside it. Raises: typer.BadParameter."""
    if url == "memory://":
        return MemoryStore(), TokenRegistry(MemoryTokenStore())
    from scimkit.stores.sql import SqlTokenStore

    with explained():
        store = sql_store(url)
        store.upgrade()
    return store, TokenRegistry(SqlTokenStore(store.engine))


def sql_store(url: str) -> SqlStore:
    """The store of a database's URL, its tables as they are. Raises: typer.BadParameter."""
    from sqlalchemy.exc import ArgumentError

    from scimkit.stores.sql import SqlStore

    try:
        if url == "sqlite:///":
            raise ValueError("a file")
        return SqlStore(url, upgrade=False)
    except (ValueError, ArgumentError):
        raise typer.BadParameter(f"the store is {STORE_URLS}", param_hint="--store") from None
    except ModuleNotFoundError as missing:
        raise typer.BadParameter(f"the driver {missing.name} is not installed", param_hint="--store") from None


@contextmanager
def explained() -> Iterator[None]:
    """What a database refuses is a mistake in the URL of the store. Raises: typer.BadParameter."""
    try:
        yield
    except ScimError:
        raise typer.BadParameter("the database cannot be opened", param_hint="--store") from None


def cursors_of(secret: str | None) -> Cursors:
    """Cursors that whoever has the same secret can read; without one, nobody else."""
    return Cursors(None if secret is None else hashlib.sha256(secret.encode()).digest())


def application() -> ScimApp:
    """The application of one of several processes, as its parent set it out in the environment."""
    settings = json.loads(os.environ[_SETTINGS])
    store, tokens = open_store(settings["store"])
    service = ScimService(
        store, tokens=tokens, dialect=DIALECTS[settings["dialect"]], cursors=cursors_of(settings["cursor_secret"])
    )
    return ScimApp(service, prefix=PREFIX, public_url=settings["public_url"])


def serve_one(app: ScimApp, host: str, port: int, token: str | None) -> None:
    """Serve in this process until it is told to stop."""

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                _say_ready(host, self.servers[0].sockets[0].getsockname()[1])
                if token is not None:
                    typer.echo(f"Token: {token}")
                    sys.stdout.flush()

    Server(uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False)).run()


def serve_many(
    store: str, dialect: str, host: str, port: int, public_url: str | None, workers: int, cursor_secret: str | None
) -> None:
    """Serve in several processes over one database until told to stop; one that dies is started again."""
    open_store(store)  # the tables are made before the processes race for it
    secret = cursor_secret or secrets.token_hex(32)
    settings = {"store": store, "dialect": dialect, "public_url": public_url, "cursor_secret": secret}
    os.environ[_SETTINGS] = json.dumps(settings)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=2048) as listener:
        # Connections inherit this. Without it the end of an answer waits 40 ms for the client's kernel to say that the
        # beginning came: no event loop sets it on a socket that was handed over.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound = listener.getsockname()[1]
        threading.Thread(target=_when_ready, args=(host, bound), daemon=True).start()
        uvicorn.run(
            "scimkit.cli_serve:application", factory=True, fd=listener.fileno(), workers=workers,
            log_level="warning", access_log=False,
        )  # fmt: skip


def _when_ready(host: str, port: int) -> None:
    """Say so as soon as a process answers."""
    while True:
        try:
            with socket.create_connection((host, port), 1) as connection:
                connection.settimeout(1)
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if connection.recv(1):
                    _say_ready(host, port)
                    return
        except OSError:
            time.sleep(0.05)


def _say_ready(host: str, port: int) -> None:
    typer.echo(f"Ready: http://{host}:{port}{PREFIX}")
    sys.stdout.flush()
