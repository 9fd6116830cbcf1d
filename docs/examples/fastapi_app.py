from fastapi import FastAPI

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.asgi import ScimApp

tokens = TokenRegistry()
service = ScimService(MemoryStore(), tokens=tokens)

app = FastAPI()
app.mount("/scim/v2", ScimApp(service))

issued = tokens.issue("Microsoft Entra ID")  # show issued.token to the administrator once
