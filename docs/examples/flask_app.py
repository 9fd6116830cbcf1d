from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.wsgi import ScimApp

tokens = TokenRegistry()
service = ScimService(MemoryStore(), tokens=tokens)

app = Flask(__name__)
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/scim/v2": ScimApp(service)})

assert app.test_client().get("/scim/v2/Users").status_code == 401
