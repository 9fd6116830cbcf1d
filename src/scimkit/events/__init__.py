"""Events: what a request came to, what a write did, and the listeners that hear of it."""

from scimkit.events.derivation import EventDerivation, EventSource
from scimkit.events.listeners import (
    Listener,
    PendingWrite,
    Refused,
    Transaction,
    after_commit,
    before_write,
    in_transaction,
)
from scimkit.events.outbox import EventRecorder, Outbox, OutboxEntry, OutboxStatus, SyncOutbox
from scimkit.events.requests import (
    Access,
    AuthorizationHook,
    MeHook,
    OperationKind,
    PasswordHook,
    RequestCompleted,
    RequestListener,
)
from scimkit.events.resource_events import (
    EVENT_TYPES,
    AttributeChange,
    Change,
    MembersAdded,
    MembersRemoved,
    ResourceCreated,
    ResourceDeleted,
    ResourceEvent,
    ResourceUpdated,
    UserActivated,
    UserDeactivated,
    ValuesChange,
)
from scimkit.events.serialization import PAYLOAD_VERSION, event_from_json, event_schema, event_to_json

__all__ = [
    "EVENT_TYPES", "PAYLOAD_VERSION", "Access", "AttributeChange", "AuthorizationHook", "Change", "EventDerivation",
    "EventRecorder", "EventSource", "Listener", "MeHook", "MembersAdded", "MembersRemoved", "OperationKind",
    "Outbox", "OutboxEntry", "OutboxStatus", "PasswordHook", "PendingWrite", "Refused", "RequestCompleted",
    "RequestListener", "ResourceCreated", "ResourceDeleted", "ResourceEvent", "ResourceUpdated", "SyncOutbox",
    "Transaction", "UserActivated", "UserDeactivated", "ValuesChange", "after_commit", "before_write",
    "event_from_json", "event_schema", "event_to_json", "in_transaction",
]  # fmt: skip
