"""What happened, as values: one event for every request, for logs and for the host.

An event never holds a token, a password, or any attribute value.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Event:
    """One request and what it came to.

    `resource_type` and `id` are None where they do not apply; `changed` says whether the store
    changed; `quirks` names the rewrites that the request needed; `skipped_members` are the ids of
    members that do not exist; `detail` is the error's, None on success.
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


EventHook: TypeAlias = Callable[[Event], None]
"""Told of every request after it was answered. It must not block; what it raises is logged."""

PasswordHook: TypeAlias = Callable[[str, str, str], Awaitable[None] | None]
"""Told of a password that a client set: tenant, user id, password. Without it passwords are dropped."""
