"""The state of OAuth clients and of their secrets at a time. This module does no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from scimkit.tokens import Client, ClientSecret

WARNING: Final = timedelta(days=30)
"""The time before the expiry of a secret from which the pages warn."""

ClientStatus: TypeAlias = Literal["Active", "Expired", "Incomplete", "Revoked"]
"""The status of a client.

- `Active`: a secret or a trust of the client is valid.
- `Expired`: all secrets of the client have expired, and it has no trust.
- `Incomplete`: the client has neither a secret nor a trust.
- `Revoked`: the client was revoked.
"""

SecretStatus: TypeAlias = Literal["Active", "Ending", "Expired"]
"""The status of a secret. `Ending` is valid, but expires soon."""


@dataclass(frozen=True, slots=True)
class ClientState:
    """An OAuth client with its state at a time."""

    client: Client
    status: ClientStatus
    secrets: tuple[tuple[ClientSecret, SecretStatus], ...]
    """The secrets, each with its status. The secret that expires last is the first one."""
    ends: datetime | None
    """The time from which no credential is valid any more. None if a trust is registered or nothing is valid."""
    is_ending: bool
    """True if `ends` is soon."""

    @property
    def is_usable(self) -> bool:
        """True unless the client is revoked."""
        return self.status != "Revoked"


def client_state(client: Client, now: datetime) -> ClientState:
    """Return a client with its state."""
    secrets = sorted(client.secrets, key=lambda each: each.expires, reverse=True)
    valid = [each for each in secrets if each.expires > now]
    status: ClientStatus = "Active" if valid or client.trusts else "Expired" if secrets else "Incomplete"
    ends = valid[0].expires if valid and not client.trusts else None
    is_revoked = client.revoked is not None
    return ClientState(
        client,
        "Revoked" if is_revoked else status,
        tuple((each, secret_status(each, now)) for each in secrets),
        None if is_revoked else ends,
        not is_revoked and ends is not None and ends - now <= WARNING,
    )


def secret_status(secret: ClientSecret, now: datetime) -> SecretStatus:
    """Return the status of a secret."""
    if secret.expires <= now:
        return "Expired"
    return "Ending" if secret.expires - now <= WARNING else "Active"
