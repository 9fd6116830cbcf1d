"""Revoke every way into the application in the transaction that deactivates or deletes the user."""

import sqlalchemy as sa

from scimkit.events import ResourceDeleted, Transaction, UserDeactivated, in_transaction

metadata = sa.MetaData()
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(64), index=True),
)
api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("user_id", sa.String(64), index=True),
)


def revoke(event: UserDeactivated | ResourceDeleted, transaction: Transaction) -> None:
    """Delete the sessions and API keys of the user."""
    if event.resource_type == "User":
        for table in (sessions, api_keys):  # add refresh tokens, SSH keys and registered devices
            transaction.connection.execute(sa.delete(table).where(table.c.user_id == event.id))


listeners = [in_transaction(UserDeactivated | ResourceDeleted, revoke)]
