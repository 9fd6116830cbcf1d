from datetime import timedelta

from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.events import BreakerTripped, after_commit
from scimkit.safeguards import Breaker, keep_last

alerts: list[str] = []


def alert(event: BreakerTripped) -> None:
    """Tell an administrator, for example by e-mail."""
    alerts.append(f"{event.tenant}: {event.deactivations} users leave at once. {event.limit} are allowed.")


breaker = Breaker(deactivations=50, percent=20, window=timedelta(hours=1))
service = ScimService(
    MemoryStore(),
    tokens=TokenRegistry(),
    protect=[
        'roles[value eq "owner"]',
        keep_last('roles[value eq "admin"]'),
    ],
    breaker=breaker,
    listeners=[after_commit(BreakerTripped, alert)],
)


def release(tenant: str) -> None:
    """Let deactivations through again, when an administrator has checked the scope of provisioning."""
    breaker.release(tenant)
