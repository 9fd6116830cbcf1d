import sqlalchemy as sa

from scimkit.events import ResourceDeleted, Transaction, UserDeactivated, in_transaction

from .models import Ticket


def requeue_tickets(event: UserDeactivated | ResourceDeleted, transaction: Transaction) -> None:
    """Put the open tickets of a leaver back into the queue."""
    if event.resource_type == "User":
        agent_id = int(event.id.removeprefix("agent-"))
        tickets = sa.update(Ticket).where(Ticket.agent_id == agent_id, Ticket.closed_at.is_(None))
        transaction.session.execute(tickets.values(agent_id=None))


listeners = [in_transaction(UserDeactivated | ResourceDeleted, requeue_tickets)]
