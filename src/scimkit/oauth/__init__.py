"""OAuth: verifiers of JSON Web Tokens with the keys of their issuers, and a token endpoint. Needs `scimkit[oauth]`."""

from scimkit.oauth.async_clients import AsyncClientRegistry
from scimkit.oauth.async_verifier import AsyncJwtVerifier
from scimkit.oauth.claims import Claims
from scimkit.oauth.client_changes import IssuedSecret
from scimkit.oauth.clients import ClientRegistry
from scimkit.oauth.first import first_of
from scimkit.oauth.token_endpoint import TokenEndpoint
from scimkit.oauth.verifier import JwtVerifier

__all__ = [
    "AsyncClientRegistry", "AsyncJwtVerifier", "Claims", "ClientRegistry", "IssuedSecret", "JwtVerifier",
    "TokenEndpoint", "first_of",
]  # fmt: skip
