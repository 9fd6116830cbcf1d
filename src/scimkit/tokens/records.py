"""The stored data of a token, its status, and the changes during its life. This module never sees a token's secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, Literal, TypeAlias

from scimkit.tokens.scopes import DEFAULT_SCOPES

TokenStatus: TypeAlias = Literal["Active", "Inactive", "Expired", "Revoked"]

MINUTE: Final = timedelta(minutes=1)


class TokenStateError(ValueError):
    """The status of a token does not permit a change. The message says what to do instead."""


class Unchanged(Enum):
    """The type of the default of an argument that changes nothing."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """The stored data of a token. All times are in UTC.

    `hash` is the SHA-256 of the secret. The secret has 214 random bits, so a slow hash is not needed.

    Attributes:
        id: The public id of the token, which is a part of its text.
        tenant: The tenant to which the token gives access.
        description: The purpose of the token, such as the name of the identity provider.
        hash: The SHA-256 of the secret.
        created: The time at which the token was issued.
        expires: The time from which the token is refused, or None.
        revoked: The time at which the token was revoked, or None. Nothing undoes a revocation.
        dialect: The name of the dialect for requests with this token, or None.
        created_by: The person or program that issued the token, as the host names it.
        active: False if the token was deactivated. `TokenRegistry.activate` undoes it.
        scopes: The permitted operations, such as `("read", "write:User")`.
        last_used: The minute of the last request with the token, or None before the first one.
        hint: The last four characters of the token, by which people recognize it. Empty for old tokens.
        rotated_from: The id of the token that this token replaces, or None.
    """

    id: str
    tenant: str
    description: str
    hash: bytes = field(repr=False)
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    dialect: str | None = None
    created_by: str | None = None
    active: bool = True
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    last_used: datetime | None = None
    hint: str = ""
    rotated_from: str | None = None

    def status(self, now: datetime) -> TokenStatus:
        """Return the status of the token at a time. Only an active token is accepted."""
        if self.revoked is not None:
            return "Revoked"
        if self.expires is not None and self.expires <= now:
            return "Expired"
        return "Active" if self.active else "Inactive"

    def is_same_state(self, other: TokenRecord) -> bool:
        """Report whether two records of a token have the same `active`, `expires` and `revoked`."""
        return (self.active, self.expires, self.revoked) == (other.active, other.expires, other.revoked)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token. Show the text `token` to the user once; the registry does not store it."""

    token: str = field(repr=False)
    record: TokenRecord


Change: TypeAlias = Callable[[TokenRecord], TokenRecord]
"""A function that returns a changed record. Raises TokenStateError if the status does not permit the change."""


def activation(active: bool) -> Change:
    """Return the change that activates or deactivates a token."""
    return lambda record: replace(_unless_revoked(record), active=active)


def revocation(now: datetime) -> Change:
    """Return the change that revokes a token. A token that is already revoked stays as it is."""
    return lambda record: record if record.revoked is not None else replace(record, revoked=now)


def early_expiry(now: datetime, overlap: timedelta) -> Change:
    """Return the change that lets a rotated token expire after the overlap, or at its own expiry if that is earlier."""

    def change(record: TokenRecord) -> TokenRecord:
        check_rotation(record, now)
        end = now + overlap
        return replace(record, expires=end if record.expires is None else min(record.expires, end))

    return change


def edit(description: str | Unchanged, expires: datetime | Unchanged | None) -> Change:
    """Return the change of the description, of the expiry, or of both.

    Raises:
        ValueError: The expiry has no time zone.
    """
    values: dict[str, str | datetime | None] = {}
    if description is not UNCHANGED:
        values["description"] = description
    if expires is not UNCHANGED:
        if isinstance(expires, datetime) and expires.tzinfo is None:
            raise ValueError("The expiry must have a time zone, such as UTC.")
        values["expires"] = expires
    return lambda record: replace(_unless_revoked(record), **values)  # type: ignore[arg-type]


def check_rotation(record: TokenRecord, now: datetime) -> None:
    """Check that a token can be rotated.

    Raises:
        TokenStateError: The token is revoked or expired.
    """
    status = record.status(now)
    if status in ("Revoked", "Expired"):
        raise TokenStateError(f"The token is {status.lower()} and cannot be rotated. Issue a new token.")


def _unless_revoked(record: TokenRecord) -> TokenRecord:
    """Return the record. Raises TokenStateError if the token is revoked."""
    if record.revoked is not None:
        raise TokenStateError("The token is revoked, which is final. Issue a new token.")
    return record
