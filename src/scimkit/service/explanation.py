"""Explain what a request would do, without doing it: `explain(service, request)`.

The service handles the request in a transaction of the store that is rolled back. Listeners of `before_write` and
`in_transaction` run in that transaction; listeners of committed writes, hooks, the provisioning log and the access log
do not see the request.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from scimkit.dialects.rfc_clauses import clause_of
from scimkit.documents import parse_object
from scimkit.errors import ScimError
from scimkit.filters.filter import Filter
from scimkit.patch.operations import Operation
from scimkit.provisioning import LogEntry, LogOptions, QuirkUse
from scimkit.runner import run_sync
from scimkit.schema.deviations import UNASSIGNED
from scimkit.schema.resource_types import ResourceType
from scimkit.service.http import Request, Response
from scimkit.service.log_entries import EntryMaker, failed, quirk_uses
from scimkit.service.request_context import RequestContext
from scimkit.tokens import Principal

if TYPE_CHECKING:
    from scimkit.service.service import ScimService


@dataclass(frozen=True, slots=True)
class ExplainedOperation:
    """An operation of a PATCH in RFC form, after the dialect rewrote it."""

    op: str
    """`add`, `remove` or `replace`."""
    path: str
    """The path of the attribute."""
    value: Any = field(default=None, repr=False)
    """The value; None for the operation `remove` without a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer of `explain`: the status, the entry, the quirks and the operations of a request."""

    status: int
    """The HTTP status that the request would get."""
    entry: LogEntry | None
    """The entry that the provisioning log would get: action, result, changes and error. None for a successful read."""
    quirks: tuple[QuirkUse, ...] = ()
    """The quirks that the request needs, with what they rewrite."""
    operations: tuple[ExplainedOperation, ...] = ()
    """The operations of a PATCH in RFC form."""
    clause: str | None = None
    """The section of the RFC that a refused request violates, if one applies."""
    response: Response = field(repr=False)
    """The response that the request would get."""

    @property
    def detail(self) -> str | None:
        """The detail of the error, or None if the request would succeed."""
        return parse_object(self.response.body)["detail"] if self.status >= 400 else None


def explained_operation(operation: Operation) -> ExplainedOperation:
    """Return an operation as text and JSON. Values of attributes that are never returned stay hidden."""
    path = operation.path
    text = path.attribute.path
    if path.filter is not None:
        text = f"{text}[{Filter(path.filter)}]"
    if path.sub_attribute is not None:
        text = f"{text}.{path.sub_attribute.name}"
    is_hidden = path.leaf.returned == "never" or path.leaf.mutability == "writeOnly"
    value = None if operation.value is UNASSIGNED or is_hidden else operation.value
    return ExplainedOperation(operation.op, text, value)


def explanation_of(
    call: RequestContext | None,
    request: Request,
    principal: Principal,
    response: Response,
    error: ScimError | None,
    resource_type: ResourceType | None,
) -> Explanation:
    """Return the explanation of a request that was rehearsed.

    Args:
        call: The context of the request, or None if the request could not be read.
        request: The request.
        principal: The principal of the token.
        response: The response that the request would get.
        error: The error, or None if the request would succeed.
        resource_type: The resource type at the path of the request, or None.
    """
    maker = None if resource_type is None else EntryMaker(resource_type, LogOptions())
    entry: LogEntry | None = None
    if error is not None:
        entry = failed(request, principal, call, error, maker)
    elif call is not None and maker is not None and call.rehearsed is not None:
        entry = maker.written(call, call.rehearsed)
        if entry.action == "Create":
            entry = replace(entry, resource_id="")  # the id is gone with the transaction
    return Explanation(
        status=response.status,
        entry=entry,
        quirks=() if call is None else quirk_uses(call),
        operations=() if call is None else tuple(map(explained_operation, call.operations)),
        clause=None if error is None else clause_of(error, request.method),
        response=response,
    )


async def async_explain(service: ScimService, request: Request) -> Explanation:
    """Return what a request would do, without doing it.

    Args:
        service: The service.
        request: The request. Its token is verified, unless `request.principal` is set.

    Raises:
        ValueError: The store does not support transactions, or the request is a bulk request. Explain the operations of
            a bulk request one by one.
        Unauthorized: The token is not valid.
    """
    return await service.explain(request)


def explain(service: ScimService, request: Request) -> Explanation:
    """Return what a request would do, as `async_explain` does, for a service over a sync store."""
    return run_sync(async_explain(service, request))
