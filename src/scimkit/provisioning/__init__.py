"""The provisioning log: what identity providers did and why something failed, cycles, and the health of connections."""

from scimkit.provisioning.entries import MAX_IDS, REDACTED, Action, LogEntry, LogResult, QuirkUse
from scimkit.provisioning.health import (
    ConnectionHealth,
    HealthStatus,
    async_connection_health,
    connection_health,
)
from scimkit.provisioning.log import (
    CYCLE_GAP,
    AnyProvisioningLog,
    Cycle,
    LogPage,
    LogQuery,
    LogRecorder,
    ProvisioningLog,
    SyncProvisioningLog,
    as_async_log,
)
from scimkit.provisioning.options import LogOptions
from scimkit.provisioning.revocations import OverdueRevocation, async_overdue_revocations, overdue_revocations
from scimkit.provisioning.serialization import entry_to_json
from scimkit.uuid7 import new_uuid7

__all__ = [
    "CYCLE_GAP", "MAX_IDS", "REDACTED", "Action", "AnyProvisioningLog", "ConnectionHealth", "Cycle", "HealthStatus",
    "LogEntry", "LogOptions", "LogPage", "LogQuery", "LogRecorder", "LogResult", "OverdueRevocation",
    "ProvisioningLog", "QuirkUse",
    "SyncProvisioningLog", "as_async_log", "async_connection_health", "async_overdue_revocations",
    "connection_health", "entry_to_json", "new_uuid7", "overdue_revocations",
]  # fmt: skip
