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

from .models import Account, Agent, Team, Ticket
from .roles import members_changed, team_deleted

log = logging.getLogger("helpdesk")


# --- Before the write ---
def check_seats(pending: PendingWrite, transaction: Transaction) -> None:
    """Refuse a user who would become active without a seat."""
    if pending.resource_type != "User" or not becomes_active(pending):
        return
    session = transaction.session
    # Others who need a seat of the account wait here, so that two requests cannot take the last seat.
    account = session.get(Account, transaction.tenant, with_for_update={"key_share": True})
    if account is None:
        return
    if pending.id is not None and transaction.store.get(transaction.scope, USER, pending.id).get("active"):
        return
    taken = sa.select(sa.func.count()).select_from(Agent)
    taken = taken.where(Agent.account == account.name, Agent.disabled_at.is_(None), Agent.archived_at.is_(None))
    if session.scalar(taken) >= account.seats:
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
        teams = sa.select(Team.id).where(Team.public_id.in_(ids)).order_by(Team.id)
        transaction.session.execute(teams.with_for_update(key_share=True))


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
    before_write(check_seats),
    before_write(lock_teams),
    in_transaction(UserDeactivated | ResourceDeleted, reassign_tickets),
    in_transaction(MembersAdded | MembersRemoved, members_changed),
    in_transaction(ResourceDeleted, team_deleted),
    after_commit(ResourceEvent, announce),
]
