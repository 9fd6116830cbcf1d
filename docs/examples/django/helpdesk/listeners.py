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

from .models import Account, Agent, Ticket
from .roles import lock_account, members_changed, team_deleted

log = logging.getLogger("helpdesk")


# --- Before the write ---
def take_turns(pending: PendingWrite, transaction: Transaction) -> None:
    """Let the writes of an account that count seats or compute roles wait for each other."""
    if pending.resource_type == "Group" or pending.operation == "delete" or becomes_active(pending):
        lock_account(transaction.tenant, transaction.using)


def check_seats(pending: PendingWrite, transaction: Transaction) -> None:
    """Refuse a user who would become active without a seat."""
    if not becomes_active(pending):
        return
    if pending.id is not None and transaction.store.get(transaction.scope, USER, pending.id).get("active"):
        return
    account = Account.objects.using(transaction.using).get(name=transaction.tenant)
    agents = Agent.objects.using(transaction.using)
    if agents.filter(account=account.name, disabled_at__isnull=True).count() >= account.seats:
        raise Refused("No seat is left. Buy seats or remove an agent.", status=403)


def becomes_active(pending: PendingWrite) -> bool:
    if pending.resource_type != "User":
        return False
    if pending.document is not None:  # create or replace
        return pending.document.get("active") is not False
    return pending.changes is not None and pending.changes.assigned.get("active") is True


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
    before_write(take_turns),
    before_write(check_seats),
    in_transaction(UserDeactivated, reassign_tickets),
    in_transaction(MembersAdded | MembersRemoved, members_changed),
    in_transaction(ResourceDeleted, team_deleted),
    after_commit(ResourceEvent, announce),
]
