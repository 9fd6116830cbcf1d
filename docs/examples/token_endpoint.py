from datetime import timedelta

from fastapi import FastAPI

from scimkit import ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.oauth import ClientRegistry, TokenEndpoint
from scimkit.oauth.asgi import TokenApp
from scimkit.stores.sql import SqlClientStore, SqlStore, SqlTokenStore

store = SqlStore("sqlite:///helpdesk.db")
tokens = TokenRegistry(SqlTokenStore(store.engine))
clients = ClientRegistry(tokens, SqlClientStore(store.engine))
service = ScimService(store, tokens=tokens)

app = FastAPI()
app.mount("/scim/v2", ScimApp(service))
app.mount("/oauth", TokenApp(TokenEndpoint(service, clients)))  # POST /oauth/token

client = clients.add("Microsoft Entra ID", tenant="acme", lifetime=timedelta(hours=1), dialect="entra")
issued = clients.add_secret(client.id, tenant="acme")  # valid for two years
print("Client Identifier:", client.id)
print("Client Secret:", issued.secret)  # shown once; the store keeps a hash

clients.rotate_secret(client.id, tenant="acme", overlap=timedelta(days=30))  # later, before the secret expires
