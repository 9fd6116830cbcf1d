import logging

from scimkit import USER
from scimkit.events import (
    MembersAdded,
    MembersRemoved,
    PendingWrite,
    Refused,
    ResourceCreated,
    ResourceDeleted,
    ResourceEvent,
    Transaction,
    UserDeactivated,
    after_commit,
    before_write,
    in_transaction,
)

from .models import Account, Agent, Team, Ticket
from .roles import locked, members_changed, team_deleted

log = logging.getLogger("helpdesk")


# --- Before the write ---
def check_seats(pending: PendingWrite, transaction: Transaction) -> None:
    """Refuse a user who would become active without a seat."""
    if pending.resource_type != "User" or not becomes_active(pending):
        return
    # Others who need a seat of the account wait here, so that two requests cannot take the last seat.
    account = locked(Account.objects.filter(name=transaction.tenant), transaction.using).first()
    if account is None:
        return
    if pending.id is not None and transaction.store.get(transaction.scope, USER, pending.id).get("active"):
        return
    agents = Agent.objects.using(transaction.using)
    if agents.filter(account=account.name, disabled_at__isnull=True).count() >= account.seats:
        raise Refused("No seat is left. Buy seats or remove an agent.", status=403)


def becomes_active(pending: PendingWrite) -> bool:
    if pending.document is not None:  # create or replace
        return pending.document.get("active") is not False
    return pending.changes is not None and pending.changes.assigned.get("active") is True


def lock_teams(pending: PendingWrite, transaction: Transaction) -> None:
    """Lock the teams of a user before the user, because every other write locks a team before its members."""
    if pending.operation == "delete" and pending.resource_type == "User":
        user = transaction.store.get(transaction.scope, USER, pending.id)  # raises NotFound for an unknown id
        ids = [each["value"] for each in user.get("groups", ())]
        list(locked(Team.objects.filter(public_id__in=ids), transaction.using).values_list("pk"))


# --- In the transaction of the write ---
def reassign_tickets(event: UserDeactivated, transaction: Transaction) -> None:
    """Put the open tickets of a leaver back into the queue. For a deleted agent, `SET_NULL` does so."""
    tickets = Ticket.objects.using(transaction.using)
    tickets.filter(agent__public_id=event.id, closed_at__isnull=True).update(agent=None)


# --- After the commit ---
def announce(event: ResourceEvent) -> None:
    """Tell the helpdesk. For messages that must not be lost, use an outbox instead."""
    match event:
        case ResourceCreated(resource_type="User", label=name):
            log.info("%s is a new agent", name)
        case UserDeactivated(label=name):
            log.info("%s has left, and the tickets are in the queue", name)
        case MembersAdded(label=team, members=members):
            log.info("%s has %d new members", team, len(members))


listeners = [
    before_write(check_seats),
    before_write(lock_teams),
    in_transaction(UserDeactivated, reassign_tickets),
    in_transaction(MembersAdded | MembersRemoved, members_changed),
    in_transaction(ResourceDeleted, team_deleted),
    after_commit(ResourceEvent, announce),
]
