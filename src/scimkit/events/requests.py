"""The event of a request, and the hooks that the service asks.

An event of a request holds no token, no password and no attribute value.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from scimkit.tokens import Principal


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class RequestCompleted:
    """The event of one request that was answered.

    Attributes:
        method: The HTTP method.
        path: The path relative to the SCIM endpoint.
        status: The HTTP status code.
        tenant: The tenant of the token, also if the token is expired or revoked. None if the token was never issued.
        token_id: The id of the token, under the same conditions as `tenant`. The client does not see it.
        resource_type: The name of the resource type in the path. None if the path has none.
        id: The id of the resource that the request names or wrote. None if there is none.
        changed: Whether the request changed the store.
        quirks: The names of the quirks that the request needed.
        skipped_members: The ids of members that do not exist and were skipped.
        detail: The detail of the error. None if the request succeeded.
        request_id: The id that the client sent or the service created. The response has it as `X-Request-Id`.
        time: The time of the answer, in UTC.
    """

    method: str
    path: str
    status: int
    tenant: str | None = None
    token_id: str | None = None
    resource_type: str | None = None
    id: str | None = None
    changed: bool = False
    quirks: tuple[str, ...] = ()
    skipped_members: tuple[str, ...] = ()
    detail: str | None = None
    request_id: str = ""
    time: datetime = field(default_factory=_utc_now)


RequestListener: TypeAlias = Callable[[RequestCompleted], None]
"""A function that receives the event of every request after the response is made.

The function must not block. An exception that it raises is logged.
"""

OperationKind: TypeAlias = Literal["create", "read", "search", "replace", "patch", "delete"]
"""The kinds of operations on resources."""


@dataclass(frozen=True, slots=True)
class Access:
    """The operation that a token is about to do. `id` is None for `create` and `search`."""

    tenant: str
    token_id: str
    operation: OperationKind
    resource_type: str
    id: str | None


AuthorizationHook: TypeAlias = Callable[[Access], Awaitable[bool] | bool]
"""A function that reports whether a token may do an operation.

The service calls it for every operation of a bulk request and every resource type of a search.
"""

MeHook: TypeAlias = Callable[[Principal], Awaitable[str | None] | str | None]
"""A function that returns the path of the resource that `/Me` stands for, such as `Users/2819c223`, or None."""

PasswordHook: TypeAlias = Callable[[str, str, str], Awaitable[None] | None]
"""A function that receives a password that a client set. Its arguments are the tenant, the user id and the password.

Without such a hook, passwords are dropped.
"""
