import logging

import sqlalchemy as sa

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
        lock_account(transaction.session, transaction.tenant)


def check_seats(pending: PendingWrite, transaction: Transaction) -> None:
    """Refuse a user who would become active without a seat."""
    if not becomes_active(pending):
        return
    if pending.id is not None and transaction.store.get(transaction.scope, USER, pending.id).get("active"):
        return
    session = transaction.session
    taken = sa.select(sa.func.count()).select_from(Agent).where(Agent.account == transaction.tenant)
    taken = taken.where(Agent.disabled_at.is_(None), Agent.archived_at.is_(None))
    if session.scalar(taken) >= session.get_one(Account, transaction.tenant).seats:
        raise Refused("No seat is left. Buy seats or remove an agent.", status=403)


def becomes_active(pending: PendingWrite) -> bool:
    if pending.resource_type != "User":
        return False
    if pending.document is not None:  # create or replace
        return pending.document.get("active") is not False
    return pending.changes is not None and pending.changes.assigned.get("active") is True


# --- In the transaction of the write ---
def reassign_tickets(event: UserDeactivated | ResourceDeleted, transaction: Transaction) -> None:
    """Put the open tickets of a leaver back into the queue."""
    if event.resource_type == "User":
        leaver = sa.select(Agent.id).where(Agent.public_id == event.id).scalar_subquery()
        tickets = sa.update(Ticket).where(Ticket.agent_id == leaver, Ticket.closed_at.is_(None))
        transaction.session.execute(tickets.values(agent_id=None), execution_options={"synchronize_session": False})


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
    in_transaction(UserDeactivated | ResourceDeleted, reassign_tickets),
    in_transaction(MembersAdded | MembersRemoved, members_changed),
    in_transaction(ResourceDeleted, team_deleted),
    after_commit(ResourceEvent, announce),
]
