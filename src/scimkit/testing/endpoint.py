"""The endpoint to which a simulator sends requests: a URL, an ASGI application or a WSGI application.

An ASGI application is served on a loopback port. A WSGI application is called in process.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

try:
    import httpx
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The simulators need httpx: pip install 'scimkit[testing]'") from _missing

from scimkit.testing.server import running

Target: TypeAlias = str | Callable[..., Any]
"""A URL or an application."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The URL of a running SCIM service. `client` is None if any HTTP client can be used."""

    base_url: str
    client: httpx.Client | None = None


@contextmanager
def open_endpoint(target: Target, path: str = "") -> Iterator[Endpoint]:
    """Yield the endpoint of a target while the block runs.

    Args:
        target: A URL, an ASGI application or a WSGI application.
        path: The path below which the application serves SCIM.

    Raises:
        TypeError: The application is neither an ASGI application nor a WSGI application.
    """
    if isinstance(target, str):
        yield Endpoint(target.rstrip("/") + path)
    elif _is_asgi(target):
        with running(target) as url:
            yield Endpoint(url + path)
    else:
        with httpx.Client(transport=httpx.WSGITransport(app=target)) as client:
            yield Endpoint("http://localhost" + path, client)


def _is_asgi(app: Callable[..., Any]) -> bool:
    """Report whether an application is an ASGI application, which takes three arguments. WSGI applications take two."""
    required = [
        each
        for each in inspect.signature(app).parameters.values()
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if len(required) not in (2, 3):
        raise TypeError("The application must be an ASGI application (three arguments) or a WSGI application (two).")
    return len(required) == 3
