"""A uvicorn server in a thread, for demonstrations and tests.

The server listens on the given host only, which is the loopback address by default.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Final

_PATIENCE: Final = 20.0
_BACKLOG: Final = 2048
"""The number of connections that wait for the server."""


_REASONS: Final = {
    errno.EADDRINUSE: "Another program uses this port. Stop that program or choose another port.",
    errno.EACCES: "This user may not open this port. Choose a port above 1023.",
    errno.EADDRNOTAVAIL: "This machine does not have this address. Choose another host.",
}


class PortTaken(OSError):
    """The error for a port that is in use, or that this user may not open."""


def open_listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Args:
        host: The address or its name. For a name with several addresses, the socket prefers an IPv4 address.
        port: The port; 0 chooses a free port.

    Raises:
        PortTaken: The port cannot be opened. The message has the reason and says what to do.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        # asyncio disables Nagle's algorithm only if the protocol of the socket is TCP, so the protocol is given here.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as asyncio does
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, f"{error.strerror}.")
        raise PortTaken(f"Port {port} of {host} cannot be opened. {reason}") from None
    return listener


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
    with open_listener(host, port) as listener:
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
