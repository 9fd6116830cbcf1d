from flask import Flask, Request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.admin import Administrator, AdminSite
from scimkit.admin.wsgi import AdminApp
from scimkit.wsgi import ScimApp

app = Flask(__name__)
app.secret_key = "change me"


def authorize(environ):
    user = app.session_interface.open_session(app, Request(environ)).get("user")
    return Administrator(user["email"], user["tenant"]) if user and user["is_admin"] else None


tokens = TokenRegistry()
service = ScimService(MemoryStore(provisioning_log=True), tokens=tokens)
site = AdminSite(service, tokens, endpoint="/scim/v2", authorize=authorize)
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/scim/v2": ScimApp(service), "/scim-admin": AdminApp(site)})

assert app.test_client().get("/scim-admin/").status_code == 403
