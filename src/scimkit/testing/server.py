"""A real uvicorn server on a loopback port, in a thread, for demos and tests.

This module never opens a port to anything but the host it is told, by default this machine only.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            _wait_for(server, thread)
            address = f"[{host}]" if ":" in host else host
            yield f"http://{address}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_PATIENCE)


def _wait_for(server: Any, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise TimeoutError("the server did not start")
        time.sleep(0.01)
