"""The token port: from a bearer token to whom it belongs.

This module holds no token.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol


class Principal(NamedTuple):
    """Whom a token belongs to. `dialect` names the dialect its requests are read in, if it has its own."""

    tenant: str
    token_id: str
    description: str = ""
    dialect: str | None = None


class SyncTokenVerifier(Protocol):
    """Verifies tokens without an await."""

    is_async: Literal[False]

    def verify(self, token: str) -> Principal:
        """Whom the token belongs to. Raises: Unauthorized."""
        ...


class TokenVerifier(Protocol):
    """Verifies tokens; its `verify` is awaited."""

    is_async: Literal[True]

    async def verify(self, token: str) -> Principal:
        """Whom the token belongs to. Raises: Unauthorized."""
        ...
