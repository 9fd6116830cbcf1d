"""The mappings of the helpdesk's Django models."""

from __future__ import annotations

from typing import Any

from tests.stores.django.project import Hosted, alias  # isort: skip  # sets Django up

from django.db.models import Value
from django.db.models.functions import Coalesce, Concat, Trim

from scimkit import GROUP, USER
from scimkit.stores.django import Choice, Computed, Constant, DjangoStore, IsNull, Json, Reference, ResourceMapping
from tests.stores.databases import Apart
from tests.stores.django.helpdesk.models import Agent, Team, now

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def full_name(agent: Agent) -> str | None:
    """Return the name that the helpdesk displays for an agent."""
    return f"{agent.first_name} {agent.last_name or ''}".strip() or None


ATTRIBUTES: dict[str, Any] = {
    "userName": "login",
    "externalId": "external_id",
    "name.givenName": "first_name",
    "name.familyName": "last_name",
    "name.formatted": Computed(
        full_name, expression=Trim(Concat("first_name", Value(" "), Coalesce("last_name", Value(""))))
    ),
    'emails[type eq "work"].value': "email",
    'emails[type eq "work"].primary': Constant(True),
    'emails[type eq "home"].value': "home_email",
    "title": "title",
    "userType": Choice("kind", {"emp": "Employee", "ext": "Contractor", "tmp": "Contractor"}),
    "active": IsNull("disabled_at", otherwise=now),
    "locale": Json("profile", "ui", "locale"),
    f"{ENTERPRISE}:department": "department",
    f"{ENTERPRISE}:manager.value": Reference("manager"),
    f"{ENTERPRISE}:costCenter": Json("profile", "cost_center"),
}

AGENTS = ResourceMapping(
    USER, Agent, id="public_id", tenant="account", version="scim_version", created="created_at",
    modified="updated_at", rest="scim_extra", attributes=ATTRIBUTES,
)  # fmt: skip

TEAMS = ResourceMapping(
    GROUP, Team, id="public_id", tenant="account", version="scim_version", created="created_at",
    modified="updated_at", attributes={"displayName": "name", "externalId": "external_id"},
    members=["agents", "subteams"],
)  # fmt: skip


def helpdesk_of(database: str, mapped: Any = (AGENTS, TEAMS), **options: Any) -> Any:
    """Return a store over the helpdesk's tables."""
    using = alias(database)
    return Hosted(DjangoStore(mapped, using=using, **options), using)


def helpdesk(database: str) -> Apart:
    """Return a store over the helpdesk's tables, with tenants that no other test uses."""
    return Apart(helpdesk_of(database))
