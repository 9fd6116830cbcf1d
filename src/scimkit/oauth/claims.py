"""The claims of access tokens (RFC 9068, and the tokens of Entra ID and Okta), and what they say about the caller.

This module verifies no signature and fetches no key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from scimkit.tokens import InvalidToken, Principal, check_scopes
from scimkit.tokens.scopes import effective_scopes, is_scope

Claims: TypeAlias = Mapping[str, Any]
"""The claims of a verified access token, by name."""
TenantRule: TypeAlias = str | Callable[[Claims], str | None]
"""The name of a claim with the tenant, or a function that returns the tenant, or None to refuse the token."""
AsyncTenantRule: TypeAlias = str | Callable[[Claims], str | Awaitable[str | None] | None]
"""A `TenantRule` whose function may be async."""
ScopeRule: TypeAlias = Mapping[str, Iterable[str]] | Iterable[str] | Callable[[Claims], Iterable[str]]
"""The token scopes: by value of the token, the same for every token, or from a function."""

DEFAULT_TENANT: Final = "default"
MAX_TEXT: Final = 255
"""Maximum length of a tenant and of the id of a client."""

_CLIENT_CLAIMS: Final = ("client_id", "azp", "appid", "cid")
"""The claims with the id of the client: RFC 9068, Entra ID v2.0, Entra ID v1.0, Okta."""


def client_of(claims: Claims) -> str:
    """Return the id of the client to which a token was issued.

    An ID token has no such claim, so that no ID token is accepted as an access token.

    Raises:
        InvalidToken: No claim names the client.
    """
    for name in _CLIENT_CLAIMS:
        value = claims.get(name)
        if value is not None:
            return _plain(value, f"the claim {name}")
    raise InvalidToken("no claim names the client: client_id, azp, appid or cid")


def audiences_of(claims: Claims) -> tuple[str, ...]:
    """Return the audiences of a token. The claim `aud` is a string or an array of strings (RFC 7519 section 4.1.3)."""
    value = claims.get("aud")
    listed = value if isinstance(value, list) else [value]
    return tuple(each for each in listed if isinstance(each, str))


def checked_tenant(value: object) -> str:
    """Return a tenant.

    Raises:
        InvalidToken: The value is None, empty or not a text.
    """
    if value is None:
        raise InvalidToken("the token belongs to no tenant")
    return _plain(value, "the tenant")


class ScopeMap:
    """Finds the token scopes of a token.

    Args:
        rule: The rule, or None. Without a rule, a value of the token that has the form of a token scope is that scope.

    Raises:
        ValueError: A scope of the rule has an unknown form.
    """

    def __init__(self, rule: ScopeRule | None) -> None:
        self._function: Callable[[Claims], Iterable[str]] | None = None
        self._fixed: tuple[str, ...] = ()
        self._by_value: dict[str, tuple[str, ...]] | None = None
        if isinstance(rule, Mapping):
            self._by_value = {str(value): check_scopes(scopes) for value, scopes in rule.items()}
        elif callable(rule):
            self._function = rule
        elif rule is not None:
            self._fixed = check_scopes(rule)

    def scopes(self, claims: Claims) -> frozenset[str] | None:
        """Return the scopes of a token, or None if they permit everything. An empty set permits only discovery."""
        if self._function is not None:
            return effective_scopes([each for each in self._function(claims) if is_scope(each)])
        if self._fixed:
            return effective_scopes(self._fixed)
        if self._by_value is None:
            return effective_scopes([each for each in _permissions(claims) if is_scope(each)])
        found: list[str] = []
        for each in _permissions(claims):
            found += self._by_value.get(each, ())
        return effective_scopes(found)


def principal_of(client: str, tenant: str, dialect: str | None, scopes: frozenset[str] | None) -> Principal:
    """Return the principal of a token. The id of the client stands for the token, which changes every hour."""
    return Principal(tenant, client, f"OAuth client {client}", dialect, scopes)


def _permissions(claims: Claims) -> Iterator[str]:
    """Yield the permissions of a token: `scope` (RFC 9068), `scp` (Entra ID, Okta) and `roles` (Entra ID)."""
    for name in ("scope", "scp", "roles"):
        value = claims.get(name)
        if isinstance(value, str):
            yield from value.split(" ")
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, str))


def _plain(value: object, name: str) -> str:
    """Return a text that is short and printable. Raises InvalidToken otherwise."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise InvalidToken(f"{name} must be a text of 1 to {MAX_TEXT} printable characters")
    return value
