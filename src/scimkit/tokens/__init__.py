"""Bearer tokens: their format, the registry that issues them, and the protocol of objects that verify them."""

from scimkit.tokens.bearer import bearer_token
from scimkit.tokens.format import PATTERN, PREFIX
from scimkit.tokens.records import IssuedToken, TokenRecord, TokenStateError, TokenStatus
from scimkit.tokens.registry import AsyncTokenRegistry, TokenRegistry
from scimkit.tokens.scopes import check_scopes
from scimkit.tokens.stores import AsyncTokenStore, MemoryTokenStore, TokenStore
from scimkit.tokens.verification import InvalidToken
from scimkit.tokens.verifier import Principal, SyncTokenVerifier, TokenVerifier

__all__ = [
    "PATTERN", "PREFIX", "AsyncTokenRegistry", "AsyncTokenStore", "InvalidToken", "IssuedToken", "MemoryTokenStore",
    "Principal", "SyncTokenVerifier", "TokenRecord", "TokenRegistry", "TokenStateError", "TokenStatus", "TokenStore",
    "TokenVerifier", "bearer_token", "check_scopes",
]  # fmt: skip
