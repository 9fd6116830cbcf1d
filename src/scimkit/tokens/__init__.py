"""Bearer tokens: their format, the registry that issues them, and the protocol of objects that verify them."""

from scimkit.tokens.bearer import bearer_token
from scimkit.tokens.format import PATTERN, PREFIX
from scimkit.tokens.registry import (
    AsyncTokenRegistry,
    AsyncTokenStore,
    InvalidToken,
    IssuedToken,
    MemoryTokenStore,
    TokenRecord,
    TokenRegistry,
    TokenStore,
)
from scimkit.tokens.verifier import Principal, SyncTokenVerifier, TokenVerifier

__all__ = [
    "PATTERN", "PREFIX", "AsyncTokenRegistry", "AsyncTokenStore", "InvalidToken", "IssuedToken", "MemoryTokenStore",
    "Principal", "SyncTokenVerifier", "TokenRecord", "TokenRegistry", "TokenStore", "TokenVerifier", "bearer_token",
]  # fmt: skip
