"""New clients, secrets and trusts, and the changes during the life of a client. This module does not call a store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal, TypeAlias

from scimkit.documents import parse_object
from scimkit.errors import InvalidSyntax, NotFound
from scimkit.oauth.fetching import checked_url
from scimkit.oauth.key_sets import KeysUnavailable, read_keys
from scimkit.oauth.verification import ALGORITHMS
from scimkit.tokens import Client, ClientSecret, Trust, check_scopes
from scimkit.tokens.clients import MAX_TEXT, MAX_TRUSTS
from scimkit.tokens.format import random_text

SECRET_PREFIX: Final = "scimkit_secret_"
YEAR: Final = timedelta(days=365)
SECRET_LIFETIME: Final = 2 * YEAR
"""The time until a new secret expires, unless another time from 1 to 3 years is asked for."""
TOKEN_LIFETIME: Final = timedelta(hours=1)
"""The time until an access token expires, unless the client has another time from 1 to 6 hours."""
SECRET_OVERLAP: Final = timedelta(days=30)
"""The time for which the earlier secrets stay valid after a rotation."""
MAX_SECRETS: Final = 10
MAX_KEY_SET: Final = 32_768
"""Maximum length of a registered key set as JSON."""

_LONGEST_SECRET: Final = timedelta(days=3 * 365 + 1)
_LONGEST_TOKEN: Final = timedelta(hours=6)
_ID_LENGTH: Final = 24
_PART_ID_LENGTH: Final = 8
_SECRET_LENGTH: Final = 36
_HINT_LENGTH: Final = 4

ClientChange: TypeAlias = Callable[[Client], Client]
"""A function that returns a changed client. Raises ValueError if the client does not permit the change."""
CredentialKind: TypeAlias = Literal["secret", "trust"]
"""The two kinds of credentials of a client."""


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A new secret of a client. Show the text `secret` to the user once; the registry does not store it."""

    secret: str = field(repr=False)
    record: ClientSecret


def new_client(
    description: str,
    now: datetime,
    *,
    tenant: str,
    scopes: Iterable[str],
    lifetime: timedelta,
    dialect: str | None,
    created_by: str | None,
) -> Client:
    """Return a new client without secrets.

    Raises:
        ValueError: A scope has an unknown form, or the lifetime is not from 1 to 6 hours.
    """
    if not TOKEN_LIFETIME <= lifetime <= _LONGEST_TOKEN:
        raise ValueError("The lifetime of access tokens must be from 60 minutes to 6 hours.")
    return Client(
        random_text(_ID_LENGTH), tenant, description, now, check_scopes(scopes), int(lifetime.total_seconds()), dialect,
        created_by,
    )  # fmt: skip


def new_secret(now: datetime, expires_in: timedelta) -> IssuedSecret:
    """Return a new random secret.

    Raises:
        ValueError: The time until the secret expires is not from 1 to 3 years.
    """
    if not YEAR <= expires_in <= _LONGEST_SECRET:
        raise ValueError("A secret must expire after 1 to 3 years.")
    text = SECRET_PREFIX + random_text(_SECRET_LENGTH)
    record = ClientSecret(
        random_text(_PART_ID_LENGTH), hash_of(text), text[-_HINT_LENGTH:], now, now + expires_in
    )  # fmt: skip
    return IssuedSecret(text, record)


def hash_of(secret: str) -> bytes:
    """Return the SHA-256 of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def new_trust(
    now: datetime, *, issuer: str, subject: str, audience: str, jwks: str | Mapping[str, Any], allow_http: bool
) -> Trust:
    """Return a new trust. Of a key set, only the public part of its keys is kept.

    Raises:
        ValueError: A value is empty or too long, or `jwks` is neither a URL nor a key set with a usable public key.
    """
    for name, value in (("issuer", issuer), ("subject", subject), ("audience", audience)):
        if not 0 < len(value) <= MAX_TEXT or not value.isprintable():
            raise ValueError(f"{name} must be a text of 1 to {MAX_TEXT} printable characters")
    keys = _checked_key_set(jwks) if isinstance(jwks, Mapping) else _checked_source(jwks, allow_http)
    return Trust(random_text(_PART_ID_LENGTH), issuer, subject, audience, keys, now)


def with_secret(record: ClientSecret) -> ClientChange:
    """Return the change that adds a secret, and drops the expired ones."""

    def change(client: Client) -> Client:
        kept = tuple(each for each in _unless_revoked(client).secrets if each.expires > record.created)
        if len(kept) >= MAX_SECRETS:
            raise ValueError(f"A client may have at most {MAX_SECRETS} secrets. Remove one first.")
        return replace(client, secrets=(*kept, record))

    return change


def with_successor(record: ClientSecret, overlap: timedelta) -> ClientChange:
    """Return the change that adds a secret, and lets the earlier ones expire after the overlap at the latest.

    Raises:
        ValueError: The overlap is negative.
    """
    if overlap < timedelta():
        raise ValueError("The overlap must not be negative.")
    end, add = record.created + overlap, with_secret(record)

    def change(client: Client) -> Client:
        added = add(client)
        earlier = (replace(each, expires=min(each.expires, end)) for each in added.secrets[:-1])
        return replace(added, secrets=(*earlier, record))

    return change


def with_trust(trust: Trust) -> ClientChange:
    """Return the change that adds a trust."""

    def change(client: Client) -> Client:
        if len(_unless_revoked(client).trusts) >= MAX_TRUSTS:
            raise ValueError(f"A client may have at most {MAX_TRUSTS} trusts. Remove one first.")
        return replace(client, trusts=(*client.trusts, trust))

    return change


def without(kind: CredentialKind, id: str) -> ClientChange:
    """Return the change that removes a secret or a trust. Raises NotFound if the client has none with this id."""
    name = f"{kind}s"

    def change(client: Client) -> Client:
        present: tuple[ClientSecret | Trust, ...] = getattr(client, name)
        kept = tuple(each for each in present if each.id != id)
        if len(kept) == len(present):
            raise NotFound("The client has no secret or trust with this id.")
        changed: dict[str, Any] = {name: kept}
        return replace(client, **changed)

    return change


def client_revocation(now: datetime) -> ClientChange:
    """Return the change that revokes a client. A client that is already revoked stays as it is."""
    return lambda client: client if client.revoked is not None else replace(client, revoked=now)


def next_version(old: Client, new: Client) -> Client:
    """Return a changed client with the next version. A client that did not change is returned as it is."""
    return old if new == old else replace(new, version=old.version + 1)


def client_of_tenant(client: Client | None, tenant: str) -> Client:
    """Return the client if it belongs to the tenant.

    Raises:
        NotFound: The tenant has no client with this id.
    """
    if client is None or client.tenant != tenant:
        raise NotFound("The tenant has no client with this id.")
    return client


def _unless_revoked(client: Client) -> Client:
    """Return the client. Raises ValueError if the client is revoked."""
    if client.revoked is not None:
        raise ValueError("The client is revoked, which is final. Register a new client.")
    return client


def _checked_source(jwks: str, allow_http: bool) -> str:
    """Return the URL of a key set, or a key set as JSON with public keys only. Raises ValueError."""
    if not jwks.lstrip().startswith("{"):
        if len(jwks) > MAX_TEXT:
            raise ValueError(f"the URL of jwks may have at most {MAX_TEXT} characters")
        return checked_url(jwks, allow_http)
    if len(jwks) > MAX_KEY_SET:
        raise ValueError(f"a key set may have at most {MAX_KEY_SET} characters")
    try:
        return _checked_key_set(parse_object(jwks.encode()))
    except InvalidSyntax:
        raise ValueError("jwks must be a URL or a key set") from None


def _checked_key_set(document: Mapping[str, Any]) -> str:
    """Return a key set as JSON, with the public part of its usable keys only. Raises ValueError."""
    try:
        keys = read_keys(document, ALGORITHMS)
    except KeysUnavailable as error:
        raise ValueError(f"jwks: {error}") from None
    public = [
        {**each.key.as_dict(private=False), **{k: v for k, v in (("kid", each.kid), ("alg", each.algorithm)) if v}}
        for each in keys
    ]
    text = json.dumps({"keys": public}, separators=(",", ":"))
    if len(text) > MAX_KEY_SET:
        raise ValueError(f"a key set may have at most {MAX_KEY_SET} characters")
    return text
