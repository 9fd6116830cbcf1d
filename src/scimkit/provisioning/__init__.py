"""The provisioning log: what identity providers did and why something failed, cycles, and the health of connections."""

from scimkit.provisioning.entries import MAX_IDS, REDACTED, Action, LogEntry, LogResult, QuirkUse, new_entry_id
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
from scimkit.provisioning.serialization import entry_to_json

__all__ = [
    "CYCLE_GAP", "MAX_IDS", "REDACTED", "Action", "AnyProvisioningLog", "ConnectionHealth", "Cycle", "HealthStatus",
    "LogEntry", "LogOptions", "LogPage", "LogQuery", "LogRecorder", "LogResult", "ProvisioningLog", "QuirkUse",
    "SyncProvisioningLog", "as_async_log", "async_connection_health", "connection_health", "entry_to_json",
    "new_entry_id",
]  # fmt: skip
