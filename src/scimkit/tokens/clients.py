"""The stored data of OAuth clients, their secrets and their trusts. This module never sees a secret, only its hash."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from scimkit.tokens.scopes import DEFAULT_SCOPES

MAX_TRUSTS: Final = 10
MAX_TEXT: Final = 255
"""Maximum length of an issuer, a subject, an audience and the URL of a key set."""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """The stored data of a secret of a client. All times are in UTC.

    `hash` is the SHA-256 of the secret. The secret has 214 random bits, so a slow hash is not needed.

    Attributes:
        id: The public id of the secret.
        hash: The SHA-256 of the secret.
        hint: The last four characters of the secret, by which people recognize it.
        created: The time at which the secret was made.
        expires: The time from which the secret is refused.
    """

    id: str
    hash: bytes = field(repr=False)
    hint: str
    created: datetime
    expires: datetime


@dataclass(frozen=True, slots=True)
class Trust:
    """An issuer whose signed assertions stand for a client (RFC 7523 section 3). All values are compared exactly.

    Attributes:
        id: The public id of the trust.
        issuer: The `iss` of the assertions. It is the id of the client for `private_key_jwt`.
        subject: The `sub` of the assertions. It is the id of the client for `private_key_jwt`.
        audience: The only `aud` of the assertions.
        jwks: The URL of the key set of the issuer, or the key set itself as JSON.
        created: The time at which the trust was registered, in UTC.
    """

    id: str
    issuer: str
    subject: str
    audience: str
    jwks: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client that gets access tokens from the token endpoint. All times are in UTC.

    Attributes:
        id: The id of the client, as in `client_id`.
        tenant: The tenant to which the access tokens of the client give access.
        description: The purpose of the client, such as the name of the identity provider.
        created: The time at which the client was registered.
        scopes: The operations that the client may ask for, such as `("read", "write:User")`.
        lifetime: The seconds for which an access token of the client is valid.
        dialect: The name of the dialect for requests of the client, or None.
        created_by: The person or program that registered the client, as the host names it.
        revoked: The time at which the client was revoked, or None. Nothing undoes a revocation.
        secrets: The secrets of the client.
        trusts: The trusts of the client.
        version: The number of changes. A store refuses a change of another version.
    """

    id: str
    tenant: str
    description: str
    created: datetime
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    lifetime: int = 3600
    dialect: str | None = None
    created_by: str | None = None
    revoked: datetime | None = None
    secrets: tuple[ClientSecret, ...] = ()
    trusts: tuple[Trust, ...] = ()
    version: int = 1


def token_owner(client: Client) -> str:
    """Return the `created_by` of the access tokens of a client."""
    return f"client {client.id}"


def client_to_json(client: Client) -> str:
    """Return a client as JSON text, for stores that keep a client in one column. Times are in ISO 8601 format."""
    return json.dumps(asdict(client), default=_plain, separators=(",", ":"))


def client_from_json(text: str) -> Client:
    """Return the client of a text of `client_to_json`."""
    values: dict[str, Any] = json.loads(text)
    secrets = tuple(
        ClientSecret(**{**each, "hash": bytes.fromhex(each["hash"]), **_times(each)}) for each in values["secrets"]
    )
    trusts = tuple(Trust(**{**each, **_times(each)}) for each in values["trusts"])
    changed = {"scopes": tuple(values["scopes"]), "secrets": secrets, "trusts": trusts, **_times(values)}
    return Client(**{**values, **changed})


def _plain(value: object) -> str:
    """Return a time or a hash as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"a client has no {type(value).__name__}")


def _times(values: dict[str, Any]) -> dict[str, datetime]:
    """Return the times among the values of an object."""
    names = ("created", "expires", "revoked")
    return {name: datetime.fromisoformat(values[name]) for name in names if values.get(name) is not None}
