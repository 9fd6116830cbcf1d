from fastapi import FastAPI, Request

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.admin import Administrator, AdminSite
from scimkit.admin.asgi import AdminApp
from scimkit.asgi import ScimApp

SESSIONS = {"an-opaque-id": ("ada@example.org", "acme")}  # the sessions of your application


def authorize(scope):
    session = Request(scope).cookies.get("session")
    if session not in SESSIONS:
        return None
    name, tenant = SESSIONS[session]
    return Administrator(name, tenant, session=session)


tokens = TokenRegistry()
service = ScimService(MemoryStore(provisioning_log=True), tokens=tokens)
site = AdminSite(service, tokens, endpoint="/scim/v2", authorize=authorize, name="Example Helpdesk")

app = FastAPI()
app.mount("/scim/v2", ScimApp(service))
app.mount("/scim-admin", AdminApp(site))
