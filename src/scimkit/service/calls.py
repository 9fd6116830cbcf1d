"""One request on its way through the service. This module never decides anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from scimkit.dialects import Repairs
from scimkit.service.http import Parameters, Request
from scimkit.stores.protocol import Scope
from scimkit.tokens import Principal


@dataclass(slots=True)
class Call:
    """A request, whose it is, how it is read, and what it came to so far."""

    request: Request
    parameters: Parameters
    scope: Scope
    principal: Principal
    repairs: Repairs
    id: str | None = None
    changed: bool = False
    skipped_members: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
