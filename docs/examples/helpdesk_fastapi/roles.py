import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.events import MembersAdded, MembersRemoved, Refused, ResourceDeleted, Transaction

from .models import Account, Agent, Role, Team, membership


def lock_account(session: orm.Session, name: str) -> None:
    """Lock the row of an account until the transaction ends."""
    if session.get(Account, name, with_for_update={"key_share": True}) is None:
        raise Refused("This account does not exist.", status=403)


def refresh_roles(session: orm.Session, *which: sa.ColumnElement[bool]) -> None:
    """Give each of some agents the highest role that a team of theirs grants. The account must be locked."""
    granted = sa.select(sa.func.max(Team.grants)).join(membership, membership.c.team_id == Team.id)
    granted = granted.where(membership.c.agent_id == Agent.id).correlate(Agent)
    role = sa.func.coalesce(granted.scalar_subquery(), int(Role.AGENT))
    update = sa.update(Agent).where(*which, Agent.role != role).values(role=role)
    session.execute(update, execution_options={"synchronize_session": False})


def members_changed(event: MembersAdded | MembersRemoved, transaction: Transaction) -> None:
    refresh_roles(transaction.session, Agent.public_id.in_(event.members))


def team_deleted(event: ResourceDeleted, transaction: Transaction) -> None:
    """Take the role of a deleted team, whose members have no event of their own."""
    if event.resource_type == "Group":
        refresh_roles(transaction.session, Agent.account == event.tenant, Agent.role > Role.AGENT)
