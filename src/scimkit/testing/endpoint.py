"""Where a simulator sends its requests: a URL, an ASGI application or a WSGI application of the host.

An ASGI application is served on a loopback port; a WSGI one is called in process.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx

from scimkit.testing.server import running

Target: TypeAlias = str | Callable[..., Any]
"""A URL, or an application."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A SCIM endpoint that answers. `client` is None where any client does."""

    base_url: str
    client: httpx.Client | None = None


@contextmanager
def open_endpoint(target: Target, path: str = "") -> Iterator[Endpoint]:
    """The endpoint of a target while the block runs; `path` is where an application has mounted it.

    Raises: TypeError for an application that is neither ASGI nor WSGI.
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
    """ASGI applications are called with three arguments, WSGI applications with two."""
    required = [
        each
        for each in inspect.signature(app).parameters.values()
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    if len(required) not in (2, 3):
        raise TypeError("the application is neither ASGI (three arguments) nor WSGI (two)")
    return len(required) == 3
