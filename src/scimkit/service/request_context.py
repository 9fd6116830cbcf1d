"""One request on its way through the service. This module never decides anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from scimkit.dialects import RequestDeviations
from scimkit.service.http import Parameters, Request, Response
from scimkit.stores.protocol import Scope
from scimkit.tokens import Principal


@dataclass
class RequestContext:
    """A request, whose it is, how it is read, and what it came to so far.

    Without slots, what did not come to pass costs nothing.
    """

    request: Request
    parameters: Parameters = field(repr=False)
    scope: Scope
    principal: Principal
    deviations: RequestDeviations
    id: str = field(default="", init=False)
    """That of the resource which the path names, or which was written; empty without one."""
    changed: bool = field(default=False, init=False)
    skipped_members: tuple[str, ...] = field(default=(), init=False)
    password: str | None = field(default=None, init=False, repr=False)


Handler: TypeAlias = Callable[[RequestContext], Awaitable[Response]]
"""What serves the requests of one method at an endpoint."""
