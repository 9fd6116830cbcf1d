"""Bearer tokens: their format, the registry that issues them, and the protocol of objects that verify them."""

from scimkit.tokens.async_registry import AsyncTokenRegistry
from scimkit.tokens.bearer import bearer_token
from scimkit.tokens.checks import TokenChanged, TokenCheck
from scimkit.tokens.clients import Client, ClientSecret, Trust
from scimkit.tokens.format import PATTERN, PREFIX
from scimkit.tokens.records import IssuedToken, TokenRecord, TokenStateError, TokenStatus
from scimkit.tokens.registry import TokenRegistry
from scimkit.tokens.scopes import check_scopes
from scimkit.tokens.stores import (
    AsyncClientStore,
    AsyncTokenStore,
    ClientStore,
    ExpiringTokenStore,
    MemoryClientStore,
    MemoryTokenStore,
    TokenStore,
)
from scimkit.tokens.verification import InvalidToken
from scimkit.tokens.verifier import Principal, SyncTokenVerifier, TokenVerifier

__all__ = [
    "PATTERN", "PREFIX", "AsyncClientStore", "AsyncTokenRegistry", "AsyncTokenStore", "Client", "ClientSecret",
    "ClientStore", "ExpiringTokenStore", "InvalidToken", "IssuedToken", "MemoryClientStore", "MemoryTokenStore",
    "Principal", "SyncTokenVerifier", "TokenChanged", "TokenCheck", "TokenRecord", "TokenRegistry", "TokenStateError",
    "TokenStatus", "TokenStore", "TokenVerifier", "Trust", "bearer_token", "check_scopes",
]  # fmt: skip
