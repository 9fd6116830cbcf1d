"""Convert resource events to JSON objects and back. The outbox and webhooks use this form.

`event-payload-1.json` in this package is the JSON Schema of the form. This module does no I/O, except that it reads
that file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from scimkit.events.resource_events import (
    EVENT_TYPES,
    AttributeChange,
    BreakerTripped,
    Change,
    MembersAdded,
    MembersRemoved,
    ResourceEvent,
    ValuesChange,
)

PAYLOAD_VERSION: Final = 1
"""The version of the payload. A change that an existing receiver could misread increments the version."""

_REQUIRED: Final = {
    "id": "event_id", "tenant": "tenant", "tokenId": "token_id", "requestId": "request_id",
    "resourceType": "resource_type", "resourceId": "id",
}  # fmt: skip
"""Names of payload attributes that are always present, with the fields of `ResourceEvent`."""
_OPTIONAL: Final = {
    "externalId": "external_id", "label": "label", "operation": "operation", "transactionId": "transaction_id",
    "resourceVersion": "resource_version",
}  # fmt: skip
"""Names of payload attributes that are absent if the field is None."""


def event_to_json(event: ResourceEvent) -> dict[str, Any]:
    """Return the JSON object of a resource event.

    Args:
        event: An event of a class in `EVENT_TYPES`.

    Returns:
        An object that matches `event_schema()`.
    """
    payload: dict[str, Any] = {
        "version": PAYLOAD_VERSION,
        "type": type(event).__name__,
        "time": event.time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    payload |= {name: getattr(event, field) for name, field in _REQUIRED.items()}
    payload |= {name: value for name, field in _OPTIONAL.items() if (value := getattr(event, field)) is not None}
    payload["changes"] = {path: _change_to_json(change) for path, change in event.changes.items()}
    payload["document"] = event.document
    payload["quirks"] = list(event.quirks)
    if isinstance(event, MembersAdded | MembersRemoved):
        payload["members"] = list(event.members)
    if isinstance(event, BreakerTripped):
        payload |= {"deactivations": event.deactivations, "limit": event.limit}
    return payload


def event_from_json(payload: Mapping[str, Any]) -> ResourceEvent:
    """Return the event of a JSON object that `event_to_json` made.

    Raises:
        ValueError: The payload has another version or an unknown type, or lacks an attribute.
    """
    if payload.get("version") != PAYLOAD_VERSION:
        raise ValueError(f"the payload of an event must have version {PAYLOAD_VERSION}")
    kind = EVENT_TYPES.get(str(payload.get("type")))
    if kind is None:
        raise ValueError("the payload of an event must have the name of an event type as its type")
    try:
        fields: dict[str, Any] = {field: payload[name] for name, field in _REQUIRED.items()}
        fields |= {field: payload.get(name) for name, field in _OPTIONAL.items()}
        if issubclass(kind, MembersAdded | MembersRemoved):
            fields["members"] = tuple(payload["members"])
        if issubclass(kind, BreakerTripped):
            fields |= {"deactivations": payload["deactivations"], "limit": payload["limit"]}
        return kind(
            time=datetime.fromisoformat(payload["time"]),
            changes={path: _change_from_json(change) for path, change in payload["changes"].items()},
            document=payload["document"],
            quirks=tuple(payload["quirks"]),
            **fields,
        )
    except KeyError as missing:
        raise ValueError(f"the payload of an event must have the attribute {missing.args[0]}") from None


@cache
def event_schema() -> Mapping[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the payload."""
    text = files("scimkit.events").joinpath(f"event-payload-{PAYLOAD_VERSION}.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _change_to_json(change: Change) -> dict[str, Any]:
    if isinstance(change, ValuesChange):
        return {"added": list(change.added), "removed": list(change.removed)}
    return {"before": change.before, "after": change.after}


def _change_from_json(change: Mapping[str, Any]) -> Change:
    if "added" in change:
        return ValuesChange(tuple(change["added"]), tuple(change["removed"]))
    return AttributeChange(change["before"], change["after"])
