from fastapi import FastAPI

from scimkit import ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.stores.sql import SqlStore, SqlTokenStore

store = SqlStore("sqlite:///helpdesk.db")  # or PostgreSQL, MariaDB, MySQL
tokens = TokenRegistry(SqlTokenStore(store.engine))
service = ScimService(store, tokens=tokens)

app = FastAPI()
app.mount("/scim/v2", ScimApp(service))
