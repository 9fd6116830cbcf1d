from scimkit import ScimService, TokenRegistry
from scimkit.asgi import HealthApp, ScimApp
from scimkit.stores.sql import SqlStore, SqlTokenStore

store = SqlStore("sqlite:///helpdesk.db")
service = ScimService(store, tokens=TokenRegistry(SqlTokenStore(store.engine)))

scim, health = ScimApp(service, prefix="/scim/v2"), HealthApp(service)


async def app(scope, receive, send):
    """Serve health checks at /healthz and /readyz, and SCIM everywhere else: uvicorn plain_asgi:app."""
    chosen = health if scope.get("path") in ("/healthz", "/readyz") else scim
    await chosen(scope, receive, send)
