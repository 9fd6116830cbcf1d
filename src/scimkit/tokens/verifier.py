"""The protocol of objects that verify bearer tokens, and the principal that they return."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol


class Principal(NamedTuple):
    """The owner of a token.

    Attributes:
        tenant: The tenant to which the token gives access.
        token_id: The id of the token.
        description: The description of the token.
        dialect: The name of the dialect for requests with this token. None for the dialect of the tenant or service.
        scopes: The permitted operations, such as `{"read", "write:User"}`. None if the token permits all of them.
    """

    tenant: str
    token_id: str
    description: str = ""
    dialect: str | None = None
    scopes: frozenset[str] | None = None


class SyncTokenVerifier(Protocol):
    """A verifier of tokens without async methods.

    A verifier may also have `is_known(token)` and `is_well_formed(token)`, as `TokenRegistry` does. Both return a bool
    without any wait. `scimkit.service.failed_attempts` asks them while it refuses requests of a source.

    A verifier may have `authentication_schemes` too: the entries of `authenticationSchemes` that the
    ServiceProviderConfig shows (RFC 7643 section 5). Without it, the service announces bearer tokens.
    """

    is_async: Literal[False]

    def verify(self, token: str) -> Principal:
        """Return the principal of a token.

        Raises:
            Unauthorized: The token is not valid.
        """
        ...


class TokenVerifier(Protocol):
    """A verifier of tokens with an async `verify`."""

    is_async: Literal[True]

    async def verify(self, token: str) -> Principal:
        """Return the principal of a token.

        Raises:
            Unauthorized: The token is not valid.
        """
        ...
