"""Convert entries of the provisioning log to rows of a table and back, and to JSON for programs.

The columns that a search compares are bytes or ASCII text, so that no collation and no charset matters. All other
fields are one JSON object in the column `payload`. This module does no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from pydantic_core import from_json

from scimkit.documents import camel_case, write_json
from scimkit.provisioning.entries import REDACTED, LogEntry, QuirkUse
from scimkit.uuid7 import to_milliseconds

KEY_LENGTH: Final = 255
"""The largest number of bytes of a compared text in its column."""
CODE_LENGTH: Final = 64
"""The largest number of characters of an error code in its column."""

_ASCII: Final = ("action", "result", "error_code")
_KEYS: Final = ("tenant", "token_id", "cycle_id", "resource_id")
_IN_PAYLOAD: Final[Mapping[str, Any]] = {
    "detail": "", "duration": 0.0, "request_id": "", "user_agent": "", "identity_provider": "", "method": "",
    "resource_type": "", "external_id": None, "label": None, "changes": {}, "added_members": (), "removed_members": (),
    "added_count": 0, "removed_count": 0, "missing_members": (), "missing_count": 0, "dropped": (),
    "revoker": "", "within": 0.0, "begun": "", "is_forgotten": False,
}  # fmt: skip
"""The fields in the payload, with the values that the payload leaves out."""
_TUPLES: Final = ("added_members", "removed_members", "missing_members", "dropped")


def key_bytes(text: str) -> bytes:
    """Return a text as a key of a column. The end of a text that is too long is replaced by a hash of the text."""
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= KEY_LENGTH:
        return encoded
    digest = sha256(encoded).hexdigest().encode()
    return encoded[: KEY_LENGTH - len(digest)] + digest


def label_key(label: str) -> bytes:
    """Return a label, or the beginning of one, as a key that compares without case, cut at `KEY_LENGTH` bytes."""
    return label.casefold().encode("utf-8", "surrogatepass")[:KEY_LENGTH]


def id_bytes(id: str) -> bytes:
    """Return the id of an entry as 16 bytes. An id that is no UUID becomes 16 zero bytes, which no entry has."""
    try:
        found = bytes.fromhex(id.replace("-", ""))
    except ValueError:
        return bytes(16)
    return found if len(found) == 16 else bytes(16)


def id_text(id: bytes) -> str:
    """Return the id of an entry as a UUID."""
    return str(UUID(bytes=id))


def entry_to_row(entry: LogEntry) -> dict[str, Any]:
    """Return the columns of an entry."""
    payload: dict[str, Any] = {
        name: value for name, default in _IN_PAYLOAD.items() if (value := getattr(entry, name)) != default
    }
    if entry.quirks:
        payload["quirks"] = [[each.name, each.attribute, each.before, each.after] for each in entry.quirks]
    keys = {name: key_bytes(getattr(entry, name)) for name in _KEYS}
    payload |= {name: getattr(entry, name) for name, key in keys.items() if len(key) == KEY_LENGTH}
    return {
        "id": id_bytes(entry.id),
        "started": to_milliseconds(entry.started),
        **{name: getattr(entry, name)[:CODE_LENGTH] for name in _ASCII},
        **keys,
        "external_id": None if entry.external_id is None else key_bytes(entry.external_id),
        "label_key": None if entry.label is None else label_key(entry.label),
        "payload": write_json(payload),
    }


def row_to_entry(row: Mapping[str, Any]) -> LogEntry:
    """Return the entry of a row."""
    payload: dict[str, Any] = from_json(bytes(row["payload"]))
    fields: dict[str, Any] = {name: bytes(row[name]).decode("utf-8", "replace") for name in _KEYS}
    fields |= {**payload, **{name: row[name] for name in _ASCII}}
    fields |= {name: tuple(fields.get(name, ())) for name in _TUPLES}
    fields["quirks"] = tuple(QuirkUse(*each) for each in payload.get("quirks", ()))
    return LogEntry(**fields, id=id_text(bytes(row["id"])), started=datetime.fromtimestamp(row["started"] / 1000, UTC))


def forgotten(entry: LogEntry) -> LogEntry:
    """Return an entry without its personal data."""
    return replace(
        entry,
        external_id=None,
        label=None,
        detail="",
        changes=dict.fromkeys(entry.changes, REDACTED),
        quirks=tuple(QuirkUse(each.name, each.attribute) for each in entry.quirks),
        is_forgotten=True,
    )


def entry_to_json(entry: LogEntry) -> dict[str, Any]:
    """Return an entry as a JSON object with names as in SCIM, for programs. Empty fields are left out."""
    document: dict[str, Any] = {
        "id": entry.id,
        "started": entry.started.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **{camel_case(name): getattr(entry, name) for name in (*_ASCII, *_KEYS) if getattr(entry, name)},
        **{
            camel_case(name): _plain(value)
            for name, default in _IN_PAYLOAD.items()
            if (value := getattr(entry, name)) != default
        },
    }
    if entry.quirks:
        document["quirks"] = [
            {name: value for name in ("name", "attribute", "before", "after") if (value := getattr(each, name))}
            for each in entry.quirks
        ]
    return document


def _plain(value: object) -> object:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
