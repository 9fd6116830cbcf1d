"""A real uvicorn server on a loopback port, in a thread, for demos and tests.

This module never opens a port to anything but the host it is told, by default this machine only.
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
    """The port is in use, or not for this user."""


@contextmanager
def running(app: Callable[..., Any], *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an ASGI application while the block runs; gives its URL. Port 0 takes a free one.

    Raises: PortTaken when the port cannot be used; TimeoutError when the server does not start.
    """
    try:
        import uvicorn
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError("serving needs uvicorn: pip install 'scimkit[serve]'") from missing
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, since asyncio turns off Nagle's delay only where it reads TCP there.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise PortTaken(f"port {port} of {host} cannot be used: {error.strerror}") from None
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
    """Return the event loop of all servers of the process, in a thread of its own.

    There is one loop, because what an application keeps, such as connections of asyncpg, belongs to the loop of its
    first request.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="scimkit-testing", daemon=True).start()
    return loop


def _wait_for(server: Any, served: Future[None]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        if served.done() or time.monotonic() > deadline:
            raise TimeoutError("the server did not start")
        time.sleep(0.01)
