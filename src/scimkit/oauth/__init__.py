"""OAuth access tokens: verifiers of JSON Web Tokens, and the keys of their issuers. Needs `scimkit[oauth]`."""

from scimkit.oauth.async_verifier import AsyncJwtVerifier
from scimkit.oauth.claims import Claims
from scimkit.oauth.first import first_of
from scimkit.oauth.verifier import JwtVerifier

__all__ = ["AsyncJwtVerifier", "Claims", "JwtVerifier", "first_of"]
