"""The person who reads the admin page, and the callable of the host that decides who may. This module does no I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Administrator:
    """A person who may use the admin page for one tenant.

    The page shows and changes only tokens, entries and resources of this tenant.
    """

    name: str
    """The name or e-mail address. New tokens record the name in `created_by`."""
    tenant: str = "default"
    """The tenant."""
    session: str = field(default="", repr=False)
    """The id of the session of the host, if there is one. Forms of one session are refused in another."""


Authorize: TypeAlias = Callable[[Any], Administrator | Awaitable[Administrator | None] | None]
"""A function of the request of the host: an ASGI scope, a WSGI environ or a Django request.

The function returns the administrator, or None for a person who may not enter. An async function needs an ASGI host.
"""
