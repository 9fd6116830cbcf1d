"""What happened, as values: one event for every request, for logs and for the host.

An event never holds a token, a password, or any attribute value.
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
    """One request and what it came to.

    `resource_type` and `id` are None where they do not apply; `changed` says whether the store
    changed; `quirks` names the rewrites that the request needed; `skipped_members` are the ids of
    members that do not exist; `detail` is the error's, None on success. `request_id` is the id that the client sent or
    the service made; the response has it as `X-Request-Id`. `time` is when it was answered, in UTC. `tenant` and
    `token_id` are those of a token that was issued, also if it is revoked or expired now; the client is not told.
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
"""Told of every request after it was answered. It must not block; what it raises is logged."""

OperationKind: TypeAlias = Literal["create", "read", "search", "replace", "patch", "delete"]
"""What can be done to resources."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a token is about to do. `id` is None for `create` and `search`."""

    tenant: str
    token_id: str
    operation: OperationKind
    resource_type: str
    id: str | None


AuthorizationHook: TypeAlias = Callable[[Access], Awaitable[bool] | bool]
"""Whether a token may do something. Asked for every operation of a bulk and every type of a search."""

MeHook: TypeAlias = Callable[[Principal], Awaitable[str | None] | str | None]
"""The path of the resource that `/Me` stands for, such as `Users/2819c223`; None if there is none."""

PasswordHook: TypeAlias = Callable[[str, str, str], Awaitable[None] | None]
"""Told of a password that a client set: tenant, user id, password. Without it passwords are dropped."""
