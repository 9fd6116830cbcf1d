from django.db import connections
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from scimkit.events import MembersAdded, MembersRemoved, Refused, ResourceDeleted, Transaction

from .models import Account, Agent, Role, Team


def lock_account(name: str, using: str) -> Account:
    """Lock the row of an account until the transaction ends, and return the account."""
    no_key = connections[using].features.has_select_for_no_key_update
    account = Account.objects.using(using).select_for_update(no_key=no_key).filter(name=name).first()
    if account is None:
        raise Refused("This account does not exist.", status=403)
    return account


def refresh_roles(which: Q, using: str) -> None:
    """Give each of some agents the highest role that a team of theirs grants. The account must be locked."""
    granting = Team.objects.filter(agents=OuterRef("pk"), grants__isnull=False).order_by("-grants")
    role = Coalesce(Subquery(granting.values("grants")[:1]), Role.AGENT)
    Agent.objects.using(using).filter(which).update(role=role)


def members_changed(event: MembersAdded | MembersRemoved, transaction: Transaction) -> None:
    refresh_roles(Q(public_id__in=event.members), transaction.using)


def team_deleted(event: ResourceDeleted, transaction: Transaction) -> None:
    """Take the role of a deleted team, whose members have no event of their own."""
    if event.resource_type == "Group":
        refresh_roles(Q(account=event.tenant, role__gt=Role.AGENT), transaction.using)
