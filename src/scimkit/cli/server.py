"""Run the server of `scimkit serve` in one process, or in several processes over one database."""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import typer
import uvicorn

from scimkit.asgi import AsgiScope, HealthApp, Receive, ScimApp, Send
from scimkit.cli.logs import configure_logging
from scimkit.cli.stores import StoreUnavailable, open_store
from scimkit.dialects import DIALECTS
from scimkit.service import ScimService
from scimkit.service.cursors import Cursors
from scimkit.tokens import TokenRegistry

if TYPE_CHECKING:
    from scimkit.stores import SyncStore

PREFIX: Final = "/scim/v2"
"""The path at which `serve` and `demo` mount the SCIM endpoint."""

PROBES: Final = ("/healthz", "/readyz")
_SETTINGS: Final = "SCIMKIT_SERVE"
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_LONGEST_PAUSE: Final = 30
_WATCH: Final = 0.5
"""Seconds between two looks of a worker at its parent."""
_AFTER_GRACE: Final = 5
"""Seconds that the server has for its own end after the grace period."""

_log = logging.getLogger("scimkit.serve")


def cursors_of(secret: str | None) -> Cursors:
    """Cursors that whoever has the same secret can read; without one, nobody else."""
    return Cursors(None if secret is None else hashlib.sha256(secret.encode()).digest())


@dataclass(frozen=True, slots=True)
class Settings:
    """What `serve` was told; processes hand it on as JSON."""

    store: str
    dialect: str
    host: str
    port: int
    public_url: str | None
    cursor_secret: str | None
    grace: int
    log_format: str
    log_level: str
    access_log: bool
    parent: int = 0


class ServerApp:
    """The ASGI application of `serve`: SCIM under `/scim/v2`, and probes at `/healthz` and `/readyz`."""

    def __init__(self, settings: Settings, store: SyncStore, tokens: TokenRegistry) -> None:
        cursors = cursors_of(settings.cursor_secret)
        service = ScimService(store, tokens=tokens, dialect=DIALECTS[settings.dialect], cursors=cursors)
        self._scim = ScimApp(service, prefix=PREFIX, public_url=settings.public_url)
        self._health = HealthApp(service)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        is_probe = scope["type"] == "http" and scope["path"] in PROBES
        await (self._health if is_probe else self._scim)(scope, receive, send)


def prepare(settings: Settings) -> None:
    """Configure the log, and say what trusting the Host header means where that is done."""
    configure_logging(settings.log_format, settings.log_level, access_log=settings.access_log)
    if settings.public_url is None and settings.host not in _LOOPBACK:
        _log.warning("URLs in responses follow the Host header, which a client chooses; set --public-url")


def application() -> ServerApp:
    """The application of one of several processes, as its parent set it out in the environment."""
    settings = Settings(**json.loads(os.environ[_SETTINGS]))
    configure_logging(settings.log_format, settings.log_level, access_log=settings.access_log)
    threading.Thread(target=_end_with_parent, args=(settings.parent, settings.grace), daemon=True).start()
    return ServerApp(settings, *_patiently_opened(settings.store))


def _patiently_opened(url: str) -> tuple[SyncStore, TokenRegistry]:
    """Open a store; wait with growing pauses while its database cannot be opened. SIGTERM ends the process."""
    before = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        for attempt in count():
            try:
                return open_store(url)
            except StoreUnavailable as error:
                pause = min(_LONGEST_PAUSE, 2**attempt)
                _log.error("%s; the next attempt is in %d s", error, pause)
                time.sleep(pause)
        raise AssertionError
    finally:
        signal.signal(signal.SIGTERM, before)


def _end_with_parent(parent: int, grace: int) -> None:
    """End this process, a worker, when its parent is gone: nobody would replace it or tell it to stop."""
    while os.getppid() == parent:
        time.sleep(_WATCH)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace + _AFTER_GRACE)
    os._exit(1)


def serve_one(app: ServerApp, settings: Settings, token: str | None) -> None:
    """Serve in this process until SIGTERM; requests have the grace period to end, a second signal ends it at once."""

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                _say_ready(settings.host, self.servers[0].sockets[0].getsockname()[1])
                if token is not None:
                    typer.echo(f"Token: {token}")
                    sys.stdout.flush()

        def handle_exit(self, sig: int, frame: Any) -> None:
            if self.should_exit:
                os._exit(128 + sig)
            super().handle_exit(sig, frame)
            _end_after(settings.grace + _AFTER_GRACE, lambda: os._exit(1))

    Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=settings.grace,
        )
    ).run()


def serve_many(settings: Settings, workers: int) -> None:
    """Serve in several processes over one database until told to stop; one that dies is started again."""
    open_store(settings.store)  # the tables are made before the processes race for it
    secret = settings.cursor_secret or secrets.token_hex(32)
    handed = asdict(replace(settings, cursor_secret=secret, parent=os.getpid()))
    os.environ[_SETTINGS] = json.dumps(handed)
    host = settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, settings.port), family=family, backlog=2048) as listener:
        # Connections inherit this. Without it the end of an answer waits 40 ms for the client's kernel to say that the
        # beginning came: no event loop sets it on a socket that was handed over.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bound = listener.getsockname()[1]
        threading.Thread(target=_when_ready, args=(host, bound), daemon=True).start()
        _end_on_second_signal(settings.grace)
        uvicorn.run(
            "scimkit.cli.server:application", factory=True, fd=listener.fileno(), workers=workers,
            log_config=None, access_log=False, timeout_graceful_shutdown=settings.grace,
        )  # fmt: skip


def _end_on_second_signal(grace: int) -> None:
    """Kill the workers and end at the second SIGTERM or SIGINT, or when the grace period after the first is over.

    uvicorn sets its own handlers of signals, so this reads the signals from a pipe that Python writes them to.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def end() -> None:
        for each in multiprocessing.active_children():
            each.kill()
        os._exit(1)

    def watch() -> None:
        told = 0
        while True:
            told += sum(each in (signal.SIGTERM, signal.SIGINT) for each in os.read(reading, 16))
            if told > 1:
                end()
            if told:
                _end_after(grace + _AFTER_GRACE, end)

    threading.Thread(target=watch, daemon=True).start()


def _end_after(seconds: float, end: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


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
