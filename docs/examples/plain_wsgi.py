from scimkit import ScimService, TokenRegistry
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.wsgi import HealthApp, ScimApp

store = SqlStore("sqlite:///helpdesk.db")
service = ScimService(store, tokens=TokenRegistry(SqlTokenStore(store.engine)))

scim, health = ScimApp(service, prefix="/scim/v2"), HealthApp(service)


def app(environ, start_response):
    """Serve health checks at /healthz and /readyz, and SCIM everywhere else: gunicorn plain_wsgi:app."""
    chosen = health if environ["PATH_INFO"] in ("/healthz", "/readyz") else scim
    return chosen(environ, start_response)
