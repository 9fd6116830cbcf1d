"""The context of one request while the service handles it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from scimkit.dialects import RequestDeviations
from scimkit.documents import Document
from scimkit.patch.operations import Operation
from scimkit.provisioning import LogEntry
from scimkit.service.http import Parameters, Request, Response
from scimkit.stores.protocol import Scope, Written
from scimkit.tokens import Principal


@dataclass
class RequestContext:
    """A request with its principal, its scope, its dialect and its outcome so far.

    Optional fields are class attributes until they are assigned, which makes construction cheaper. Therefore there are
    no slots.
    """

    request: Request
    parameters: Parameters = field(repr=False)
    scope: Scope
    principal: Principal
    deviations: RequestDeviations
    id: str = field(default="", init=False)
    """The id of the resource that the path names, or that the request wrote. Empty if there is none."""
    changed: bool = field(default=False, init=False)
    """True if the request changed the store."""
    is_linked: bool = field(default=False, init=False)
    """True if a POST took over an account of the application."""
    skipped_members: tuple[str, ...] = field(default=(), init=False)
    dropped: tuple[str, ...] = field(default=(), init=False)
    """Paths of attributes that the client sent and the store does not keep."""
    began: float = field(default=0.0, init=False)
    """The reading of `time.monotonic()` at which the service began to handle the request."""
    cycle_id: str = field(default="", init=False)
    """The id of the cycle in the provisioning log. Empty without a log."""
    document: Document | None = field(default=None, init=False, repr=False)
    """The resource in the body of a POST or PUT, once it is read."""
    is_rehearsal: bool = field(default=False, init=False)
    """True if the write must be rolled back, because somebody asks what it would do."""
    rehearsed: Written | None = field(default=None, init=False, repr=False)
    """What a rehearsed write would have written."""
    operations: Sequence[Operation] = field(default=(), init=False, repr=False)
    """The operations of a PATCH, once they are read and in RFC form."""
    log_entry: Callable[[RequestContext, Written], LogEntry] | None = field(default=None, init=False, repr=False)
    """Makes the entry of the provisioning log that the store adds with the write. None if the store does not."""
    password: str | None = field(default=None, init=False, repr=False)

    @property
    def write_scope(self) -> Scope:
        """The scope of the write that the request asks for. Listeners and safeguards write with `scope`.

        The scope refers to this context. The context keeps no reference to it, so that no cycle waits for the garbage
        collection.
        """
        return self.scope if self.log_entry is None else replace(self.scope, log_entry=partial(self.log_entry, self))


Handler: TypeAlias = Callable[[RequestContext], Awaitable[Response]]
"""A function that serves the requests of one method at an endpoint."""
