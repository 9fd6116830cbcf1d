from litestar import Litestar, asgi
from litestar.types import Receive, Scope, Send

from scimkit import ScimService, TokenRegistry
from scimkit.asgi import ScimApp
from scimkit.stores.sql import SqlStore, SqlTokenStore

store = SqlStore("sqlite:///helpdesk.db")
tokens = TokenRegistry(SqlTokenStore(store.engine))
service = ScimService(store, tokens=tokens)
scim_app = ScimApp(service)


@asgi("/scim/v2", is_mount=True, copy_scope=True)
async def scim(scope: Scope, receive: Receive, send: Send) -> None:
    scope["root_path"] = "/scim/v2"  # Litestar removes the prefix from the path, and does not keep it
    await scim_app(scope, receive, send)


app = Litestar([scim])
