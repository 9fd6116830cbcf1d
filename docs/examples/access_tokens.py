from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.oauth import JwtVerifier, first_of

DIRECTORY = "72f988bf-86f1-41af-91ab-2d7cd011db47"  # the directory (tenant) ID of your customer in Entra ID
CUSTOMERS = {DIRECTORY: "acme"}  # in your database, more likely

entra = JwtVerifier(
    issuer={
        f"https://login.microsoftonline.com/{DIRECTORY}/v2.0",  # tokens of version 2.0
        f"https://sts.windows.net/{DIRECTORY}/",  # tokens of version 1.0
    },
    audience={"api://scim-helpdesk", "6e74172b-be56-4843-9ff4-e66a39bb12e3"},  # Application ID URI, client ID
    jwks=f"https://login.microsoftonline.com/{DIRECTORY}/discovery/v2.0/keys",
    types="JWT",  # Entra ID does not send at+jwt
    tenant=lambda claims: CUSTOMERS.get(claims["tid"]),
    scopes={"Scim.ReadWrite": ["read", "write"], "Scim.Read": ["read"]},
    dialect="entra",
)
tokens = TokenRegistry()
service = ScimService(MemoryStore(), tokens=first_of(tokens, entra))
