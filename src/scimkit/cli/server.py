"""The server of `scimkit serve`, in one process, or in several processes over one database."""

from __future__ import annotations

import gc
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

from scimkit.asgi import AsgiScope, HealthApp, Message, Receive, ScimApp, Send
from scimkit.cli.admin import AdminSettings, admin_app, is_admin_path
from scimkit.cli.clients import served_clients, token_app
from scimkit.cli.logs import configure_logging
from scimkit.cli.stores import StoreUnavailable, open_served_store, open_store
from scimkit.cli.telemetry import instrument_server
from scimkit.dialects import DIALECTS
from scimkit.service import RateLimits, ScimService
from scimkit.service.cursors import Cursors
from scimkit.testing.server import PortTaken, open_listener
from scimkit.tokens import AsyncTokenRegistry, TokenRegistry

if TYPE_CHECKING:
    from scimkit.stores import SyncStore
    from scimkit.stores.sql import AsyncSqlStore

PREFIX: Final = "/scim/v2"
"""The path at which `serve` and `demo` mount the SCIM endpoint."""

OAUTH_PREFIX: Final = "/oauth"
"""The path before `/token` of the token endpoint."""

PROBES: Final = ("/healthz", "/readyz")
DEFAULT_RATES: Final = RateLimits()
"""The rate limits of `--rate-limits` without other options."""
_SETTINGS: Final = "SCIMKIT_SERVE"
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_MAX_PAUSE: Final = 30
_PARENT_CHECK_INTERVAL: Final = 0.5
"""Seconds between two checks of a worker whether its parent process still runs."""
_SHUTDOWN_SECONDS: Final = 5
"""Seconds that the server has to shut down after the grace period of requests."""

_log = logging.getLogger("scimkit.serve")


def cursors_of(secret: str | None) -> Cursors:
    """Return cursors with a key derived from the secret. Without a secret, no other process can read the cursors."""
    return Cursors(None if secret is None else hashlib.sha256(secret.encode()).digest())


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `serve`. The parent process passes them to its workers as JSON."""

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
    outbox: bool = False
    provisioning_log: bool = True
    admin: AdminSettings | None = None
    parent: int = 0
    rate_limits: str | None = None
    tenant_rate: float = DEFAULT_RATES.tenant or 0.0
    token_rate: float = DEFAULT_RATES.token or 0.0
    telemetry: bool = False
    token_endpoint: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.admin, dict):
            object.__setattr__(self, "admin", AdminSettings(**self.admin))

    def limits(self) -> RateLimits | None:
        """Return the rate limits, or None without `--rate-limits`. Raises ValueError if an option is not allowed."""
        if self.rate_limits is None:
            return None
        return RateLimits(self.rate_limits, tenant=self.tenant_rate, token=self.token_rate)


class ServerApp:
    """The ASGI application of `serve`: SCIM under `/scim/v2`, and health probes at `/healthz` and `/readyz`."""

    def __init__(
        self, settings: Settings, store: SyncStore | AsyncSqlStore, tokens: TokenRegistry | AsyncTokenRegistry
    ) -> None:
        cursors = cursors_of(settings.cursor_secret)
        service = ScimService(
            store, tokens=tokens, dialect=DIALECTS[settings.dialect], cursors=cursors, rate_limits=settings.limits()
        )
        if settings.telemetry:
            instrument_server(service, tokens, store, PREFIX)
        self._scim = ScimApp(service, prefix=PREFIX, public_url=settings.public_url)
        self._health = HealthApp(service)
        self._store = store
        clients = served_clients(store, tokens) if settings.token_endpoint else None
        self._token_app = None if clients is None else token_app(service, clients, OAUTH_PREFIX)
        self._admin = (
            None
            if settings.admin is None
            else admin_app(
                service,
                tokens,
                settings.admin,
                endpoint=settings.public_url or PREFIX,
                clients=clients,
                token_endpoint=f"{OAUTH_PREFIX}/token",
            )
        )

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        path = scope["path"] if scope["type"] == "http" else ""
        app: Any = self._health if path in PROBES else self._scim
        if self._admin is not None and is_admin_path(path):
            app = self._admin
        if self._token_app is not None and path.startswith(f"{OAUTH_PREFIX}/"):
            app = self._token_app
        await app(scope, receive, self._closing(send) if scope["type"] == "lifespan" else send)

    def _closing(self, send: Send) -> Send:
        """Return a function that closes the connections of an async store before it reports the end of the server."""

        async def closing(message: Message) -> None:
            engine = getattr(self._store, "engine", None)
            if message["type"] == "lifespan.shutdown.complete" and self._store.is_async and engine is not None:
                await engine.dispose()
            await send(message)

        return closing


def prepare(settings: Settings) -> None:
    """Configure the log, and warn if responses trust the Host header of clients."""
    configure_logging(settings.log_format, settings.log_level, access_log=settings.access_log)
    if settings.public_url is None and settings.host not in _LOOPBACK:
        _log.warning("URLs in responses follow the Host header, which the client chooses; set --public-url")


def application() -> ServerApp:
    """Return the application of a worker process, with the settings that its parent stored in the environment."""
    settings = Settings(**json.loads(os.environ[_SETTINGS]))
    configure_logging(settings.log_format, settings.log_level, access_log=settings.access_log)
    threading.Thread(target=_end_with_parent, args=(settings.parent, settings.grace), daemon=True).start()
    app = ServerApp(settings, *_open_with_retries(settings))
    exempt_from_collection()
    return app


def _open_with_retries(settings: Settings) -> tuple[SyncStore | AsyncSqlStore, TokenRegistry | AsyncTokenRegistry]:
    """Open the store. If the database cannot be opened, retry with growing pauses. SIGTERM ends the process."""
    before = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        for attempt in count():
            try:
                return open_served_store(
                    settings.store, outbox=settings.outbox, provisioning_log=settings.provisioning_log
                )
            except StoreUnavailable as error:
                pause = min(_MAX_PAUSE, 2**attempt)
                _log.error("%s; the next attempt is in %d s", error, pause)
                time.sleep(pause)
        raise AssertionError
    finally:
        signal.signal(signal.SIGTERM, before)


def _end_with_parent(parent: int, grace: int) -> None:
    """End this worker process when its parent process has ended, since nothing would restart or stop it then."""
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace + _SHUTDOWN_SECONDS)
    os._exit(1)


def listen(settings: Settings) -> socket.socket:
    """Return the socket of the server. Raises BadParameter if the port cannot be opened."""
    try:
        listener = open_listener(settings.host, settings.port)
    except PortTaken as error:
        raise typer.BadParameter(str(error), param_hint="--port") from None
    # Connections inherit TCP_NODELAY, which no event loop sets for the socket of another process. Without the option,
    # the end of a response waits 40 ms for the acknowledgment of its beginning.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def exempt_from_collection() -> None:
    """Exempt what the process keeps until its end from garbage collections. Each would take 20 to 40 ms otherwise."""
    gc.collect()
    gc.freeze()


def serve_one(app: ServerApp, settings: Settings, listener: socket.socket, token: str | None) -> None:
    """Serve in this process until SIGTERM.

    Requests then have the grace period to end; a second signal exits at once.
    """

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            if self.started:
                _print_ready(settings, self.servers[0].sockets[0].getsockname()[1])
                if token is not None:
                    typer.echo(f"Token: {token}")
                    sys.stdout.flush()

        def handle_exit(self, sig: int, frame: Any) -> None:
            if self.should_exit:
                os._exit(128 + sig)
            super().handle_exit(sig, frame)
            _end_after(settings.grace + _SHUTDOWN_SECONDS, lambda: os._exit(1))

    exempt_from_collection()
    Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=settings.grace,
        )
    ).run([listener])


def serve_many(settings: Settings, listener: socket.socket, workers: int) -> None:
    """Serve in several processes over one database until SIGTERM. A process that dies is restarted."""
    open_store(settings.store)  # creates the tables before the processes start
    secret = settings.cursor_secret or secrets.token_hex(32)
    handed = asdict(replace(settings, cursor_secret=secret, parent=os.getpid()))
    os.environ[_SETTINGS] = json.dumps(handed)
    bound = listener.getsockname()[1]
    threading.Thread(target=_print_when_ready, args=(settings, bound), daemon=True).start()
    _end_on_second_signal(settings.grace)
    uvicorn.run(
        "scimkit.cli.server:application", factory=True, fd=listener.fileno(), workers=workers,
        log_config=None, access_log=False, timeout_graceful_shutdown=settings.grace,
    )  # fmt: skip


def _end_on_second_signal(grace: int) -> None:
    """End all processes at the second SIGTERM or SIGINT, or when the grace period after the first is over.

    uvicorn sets its own signal handlers. Therefore this function reads the signals from a pipe to which Python writes
    them.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def end() -> None:
        for each in multiprocessing.active_children():
            each.kill()
        os._exit(1)

    def watch() -> None:
        received = 0
        while True:
            received += sum(each in (signal.SIGTERM, signal.SIGINT) for each in os.read(reading, 16))
            if received > 1:
                end()
            if received:
                _end_after(grace + _SHUTDOWN_SECONDS, end)

    threading.Thread(target=watch, daemon=True).start()


def _end_after(seconds: float, end: Callable[[], None]) -> None:
    """Call a function after some seconds, in a daemon thread."""
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def _print_when_ready(settings: Settings, port: int) -> None:
    """Wait until a worker answers, then print that the server is ready."""
    while True:
        try:
            with socket.create_connection((settings.host, port), 1) as connection:
                connection.settimeout(1)
                connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                if connection.recv(1):
                    _print_ready(settings, port)
                    return
        except OSError:
            time.sleep(0.05)


def _print_ready(settings: Settings, port: int) -> None:
    """Print the URL of the endpoint, and a link to the admin page if the server has one."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    endpoint = f"http://{host}:{port}{PREFIX}"
    typer.echo(f"Ready: {endpoint}")
    if settings.admin is not None:
        typer.echo(settings.admin.announcement(settings.public_url or endpoint))
    sys.stdout.flush()
