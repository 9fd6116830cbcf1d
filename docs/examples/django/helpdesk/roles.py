from django.db import connections
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from scimkit.events import MembersAdded, MembersRemoved, ResourceDeleted, Transaction

from .models import Agent, Role, Team


def locked(rows: QuerySet, using: str) -> QuerySet:
    """Lock rows in the order of their keys, without waiting for the foreign keys of new memberships."""
    no_key = connections[using].features.has_select_for_no_key_update
    return rows.using(using).order_by("pk").select_for_update(no_key=no_key)


def refresh_roles(which: Q, using: str) -> None:
    """Give each of some agents the highest role that a team of theirs grants."""
    keys = list(locked(Agent.objects.filter(which), using).values_list("pk", flat=True))
    # A statement of its own sees what others committed before the locks were granted.
    granting = Team.objects.filter(agents=OuterRef("pk"), grants__isnull=False).order_by("-grants")
    role = Coalesce(Subquery(granting.values("grants")[:1]), Role.AGENT)
    Agent.objects.using(using).filter(pk__in=keys).update(role=role)


def members_changed(event: MembersAdded | MembersRemoved, transaction: Transaction) -> None:
    refresh_roles(Q(public_id__in=event.members), transaction.using)


def team_deleted(event: ResourceDeleted, transaction: Transaction) -> None:
    """Take the role of a deleted team, whose members have no event of their own."""
    if event.resource_type == "Group":
        refresh_roles(Q(account=event.tenant, role__gt=Role.AGENT), transaction.using)
