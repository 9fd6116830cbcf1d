"""Safeguards: protect accounts from mistakes of provisioning, link existing accounts, and end access in time.

service = ScimService(
    store,
    tokens=tokens,
    protect=['userName eq "root"', keep_last('roles[value eq "admin"]')],
    breaker=Breaker(deactivations=50, percent=20, window=timedelta(hours=1)),
    on_conflict=link_by("emails.value"),
    listeners=Revoker("web sessions", end_sessions).listeners,
)
"""

from scimkit.safeguards.breaker import Breaker, BreakerOpen
from scimkit.safeguards.linking import LinkRule, link_by
from scimkit.safeguards.protection import KeepLast, Protection, keep_last
from scimkit.safeguards.revokers import Revoker
from scimkit.stores.breaker import AsyncBreakerStore, BreakerState, BreakerStore, MemoryBreakerStore

__all__ = [
    "AsyncBreakerStore", "Breaker", "BreakerOpen", "BreakerState", "BreakerStore", "KeepLast", "LinkRule",
    "MemoryBreakerStore", "Protection", "Revoker", "keep_last", "link_by",
]  # fmt: skip
