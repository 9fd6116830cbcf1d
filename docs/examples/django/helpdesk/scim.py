from django.utils import timezone

from scimkit import GROUP, USER, ScimService, TokenRegistry
from scimkit.admin import Administrator, AdminSite
from scimkit.oauth import ClientRegistry, TokenEndpoint
from scimkit.stores.django import (
    Constant,
    DjangoClientStore,
    DjangoStore,
    DjangoTokenStore,
    IsNull,
    ReadOnly,
    Reference,
    ResourceMapping,
)

from .listeners import listeners
from .models import Agent, Team

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

agents = ResourceMapping(
    USER,
    Agent,
    id="public_id",
    tenant="account",
    version="scim_version",
    created="created_at",
    modified="updated_at",
    rest="scim_rest",
    complete=["emails"],
    attributes={
        "userName": "login",
        "name.givenName": "first_name",
        "name.familyName": "last_name",
        'emails[type eq "work"].value': "email",
        'emails[type eq "work"].primary': Constant(True),
        'emails[type eq "other"].value': "other_email",
        "userType": ReadOnly("user_type"),
        "active": IsNull("disabled_at", otherwise=timezone.now),
        "externalId": "external_id",
        f"{ENTERPRISE}:department": "department",
        f"{ENTERPRISE}:manager.value": Reference("manager"),
    },
)
teams = ResourceMapping(
    GROUP,
    Team,
    id="public_id",
    tenant="account",
    version="scim_version",
    attributes={"displayName": "name", "externalId": "external_id"},
    members=["agents"],
)

tokens = TokenRegistry(DjangoTokenStore())
service = ScimService(DjangoStore([agents, teams]), tokens=tokens, listeners=listeners, protect='userType eq "Owner"')


def authorize(request):
    """Admit Django's own staff to the admin page."""
    user = request.user
    return Administrator(user.username, session=request.session.session_key or "") if user.is_staff else None


clients = ClientRegistry(tokens, DjangoClientStore())
token_endpoint = TokenEndpoint(service, clients)
site = AdminSite(service, tokens, endpoint="/scim/v2", clients=clients, authorize=authorize)
