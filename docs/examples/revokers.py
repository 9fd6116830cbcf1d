"""Name each way into the application, and say how soon each revoker ends it."""

from datetime import timedelta

from scimkit.events import ResourceDeleted, UserDeactivated
from scimkit.safeguards import Revoker
from scimkit.stores.sql import SqlStore

store = SqlStore("sqlite:///helpdesk.db", provisioning_log=True)
sessions: dict[str, str] = {"key-1": "ada"}
"""The user of each session. Use a table, and delete its rows with `transaction.connection`."""
outgoing: list[tuple[str, str]] = []
"""The messages to the device management, each with the tenant and the user."""


def end_sessions(event: UserDeactivated | ResourceDeleted, transaction: object) -> None:
    """Delete the sessions of the user."""
    for key in [key for key, user in sessions.items() if user == event.id]:
        del sessions[key]


def lock_devices(event: UserDeactivated | ResourceDeleted) -> None:
    """Ask the device management to lock the devices of the user. The answer comes later."""
    outgoing.append((event.tenant, event.id))


web_sessions = Revoker("web sessions", end_sessions)
devices = Revoker(
    "device credentials",
    lock_devices,
    within=timedelta(minutes=3),
    moment="after_commit",
    confirmed=True,
    log=store.provisioning_log,
)
revokers = [web_sessions, devices]
listeners = [one for each in revokers for one in each.listeners]


def devices_are_locked(tenant: str, user: str) -> None:
    """Receive the answer of the device management, in any process."""
    devices.confirm(tenant, user)
