"""A uvicorn server in a thread, for demonstrations and tests.

The server listens on the given host only, which is the loopback address by default.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Final

_PATIENCE: Final = 20.0


class PortTaken(OSError):
    """The error for a port that is in use, or that this user may not open."""


@contextmanager
def running(app: Callable[..., Any], *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an ASGI application while the block runs.

    Args:
        app: The ASGI application.
        host: The address to listen on.
        port: The port; 0 chooses a free port.

    Yields:
        The URL of the server.

    Raises:
        PortTaken: The port cannot be opened.
        TimeoutError: The server does not start in time.
    """
    try:
        import uvicorn
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError("The server needs uvicorn: pip install 'scimkit[serve]'") from missing
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio disables Nagle's algorithm only if the protocol of the socket is TCP, so the protocol is given here.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise PortTaken(f"Port {port} of {host} cannot be opened: {error.strerror}") from None
        config = uvicorn.Config(app, log_level="error", access_log=False)
        server = uvicorn.Server(config)
        served = asyncio.run_coroutine_threadsafe(server.serve(sockets=[listener]), _loop())
        try:
            _wait_for(server, served)
            address = f"[{host}]" if ":" in host else host
            yield f"http://{address}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            with suppress(TimeoutError):
                served.result(_PATIENCE)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the one event loop on which all servers of the process run.

    Applications keep objects such as asyncpg connections that belong to the loop of their first request. Several
    loops would break such applications.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="scimkit-testing", daemon=True).start()
    return loop


def _wait_for(server: Any, served: Future[None]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        if served.done() or time.monotonic() > deadline:
            raise TimeoutError("The server did not start in time.")
        time.sleep(0.01)
