from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from scimkit import ScimService, TokenRegistry
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.wsgi import HealthApp, ScimApp

store = SqlStore("sqlite:///helpdesk.db")
tokens = TokenRegistry(SqlTokenStore(store.engine))
service = ScimService(store, tokens=tokens)

app = Flask(__name__)
mounted = {"/scim/v2": ScimApp(service), "/probes": HealthApp(service)}
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, mounted)

assert app.test_client().get("/scim/v2/Users").status_code == 401
assert app.test_client().get("/probes/readyz").status_code == 200
