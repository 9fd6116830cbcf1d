"""`scimkit serve`: one process, or several over one database. Holds no rule of SCIM."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import typer
import uvicorn

from scimkit.asgi import ScimApp
from scimkit.dialects import DIALECTS
from scimkit.service import ScimService
from scimkit.service.cursors import Cursors
from scimkit.stores import MemoryStore
from scimkit.tokens import MemoryTokenStore, TokenRegistry

if TYPE_CHECKING:
    from scimkit.stores import SyncStore

PREFIX: Final = "/scim/v2"
"""Where the endpoint is mounted by `serve` and `demo`."""

STORE_URLS: Final = "memory://, sqlite:///FILE, postgresql+psycopg://USER@HOST/NAME or mysql+pymysql://USER@HOST/NAME"
_SETTINGS: Final = "SCIMKIT_SERVE"


def open_store(url: str) -> tuple[SyncStore, TokenRegistry]:
    """The store of a URL, and the registry of the tokens kept beside it. Raises: typer.BadParameter."""
    if url == "memory://":
        return MemoryStore(), TokenRegistry(MemoryTokenStore())
    from sqlalchemy.exc import ArgumentError

    from scimkit.errors import ScimError
    from scimkit.stores.sql import SqlStore, SqlTokenStore

    if url == "sqlite:///":
        raise typer.BadParameter(f"the store is {STORE_URLS}", param_hint="--store")
    try:
        store = SqlStore(url)
    except (ValueError, ArgumentError):
        raise typer.BadParameter(f"the store is {STORE_URLS}", param_hint="--store") from None
    except ModuleNotFoundError as missing:
        raise typer.BadParameter(f"the driver {missing.name} is not installed", param_hint="--store") from None
    except ScimError:
        raise typer.BadParameter("the database cannot be opened", param_hint="--store") from None
    return store, TokenRegistry(SqlTokenStore(store.engine))


def application() -> ScimApp:
    """The application of one of several processes, as its parent set it out in the environment."""
    settings = json.loads(os.environ[_SETTINGS])
    store, tokens = open_store(settings["store"])
    service = ScimService(
        store, tokens=tokens, dialect=DIALECTS[settings["dialect"]], cursors=Cursors(bytes.fromhex(settings["key"]))
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


def serve_many(store: str, dialect: str, host: str, port: int, public_url: str | None, workers: int) -> None:
    """Serve in several processes over one database until told to stop; one that dies is started again."""
    open_store(store)  # the tables are made before the processes race for it
    settings = {"store": store, "dialect": dialect, "public_url": public_url, "key": secrets.token_hex(32)}
    os.environ[_SETTINGS] = json.dumps(settings)
    with socket.create_server((host, port), backlog=2048) as listener:
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
