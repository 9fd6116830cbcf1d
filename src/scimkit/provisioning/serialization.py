"""Convert entries of the provisioning log to rows of a table and back, and to JSON for programs.

The columns that a search compares are bytes or ASCII text, so that no collation and no charset matters. All other
fields are one JSON object in the column `payload`. This module does no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from pydantic_core import from_json

from scimkit.documents import write_json
from scimkit.provisioning.entries import LogEntry, QuirkUse

KEY_LENGTH: Final = 255
"""The number of bytes of a compared text that a row keeps in its column."""

_ASCII: Final = ("action", "result", "error_code")
_KEYS: Final = ("tenant", "token_id", "cycle_id", "resource_id")
_IN_PAYLOAD: Final[Mapping[str, Any]] = {
    "detail": "", "duration": 0.0, "request_id": "", "user_agent": "", "identity_provider": "", "method": "",
    "resource_type": "", "external_id": None, "label": None, "changes": {}, "added_members": (), "removed_members": (),
    "added_count": 0, "removed_count": 0, "missing_members": (), "missing_count": 0, "dropped": (),
    "is_forgotten": False,
}  # fmt: skip
"""The fields in the payload, with the values that the payload leaves out."""
_TUPLES: Final = ("added_members", "removed_members", "missing_members", "dropped")
_FORGOTTEN: Final[Mapping[str, Any]] = {"redacted": True}


def key_bytes(text: str) -> bytes:
    """Return a text as a key of a column, cut at `KEY_LENGTH` bytes."""
    return text.encode("utf-8", "surrogatepass")[:KEY_LENGTH]


def label_key(label: str) -> bytes:
    """Return a label, or the beginning of one, as a key that compares without case."""
    return key_bytes(label.casefold())


def id_bytes(id: str) -> bytes:
    """Return the id of an entry as 16 bytes. An id that is no UUID becomes 16 zero bytes, which no entry has."""
    try:
        found = bytes.fromhex(id.replace("-", ""))
    except ValueError:
        return bytes(16)
    return found if len(found) == 16 else bytes(16)


def id_text(id: bytes) -> str:
    """Return the id of an entry as a UUID."""
    text = id.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def entry_to_row(entry: LogEntry) -> dict[str, Any]:
    """Return the columns of an entry."""
    payload: dict[str, Any] = {
        name: value for name, default in _IN_PAYLOAD.items() if (value := getattr(entry, name)) != default
    }
    if entry.quirks:
        payload["quirks"] = [[each.name, each.attribute, each.before, each.after] for each in entry.quirks]
    return {
        "id": id_bytes(entry.id),
        "started": int(entry.started.timestamp() * 1000),
        **{name: getattr(entry, name) for name in _ASCII},
        **{name: key_bytes(getattr(entry, name)) for name in _KEYS},
        "external_id": None if entry.external_id is None else key_bytes(entry.external_id),
        "label_key": None if entry.label is None else label_key(entry.label),
        "payload": write_json(payload),
    }


def row_to_entry(row: Mapping[str, Any]) -> LogEntry:
    """Return the entry of a row."""
    payload: dict[str, Any] = from_json(bytes(row["payload"]))
    fields: dict[str, Any] = {**payload, **{name: row[name] for name in _ASCII}}
    fields |= {name: bytes(row[name]).decode("utf-8", "replace") for name in _KEYS}
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
        changes=dict.fromkeys(entry.changes, _FORGOTTEN),
        quirks=tuple(QuirkUse(each.name, each.attribute) for each in entry.quirks),
        is_forgotten=True,
    )


def entry_to_json(entry: LogEntry) -> dict[str, Any]:
    """Return an entry as a JSON object with names as in SCIM, for programs. Empty fields are left out."""
    document: dict[str, Any] = {
        "id": entry.id,
        "started": entry.started.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **{_camel(name): getattr(entry, name) for name in (*_ASCII, *_KEYS) if getattr(entry, name)},
        **{
            _camel(name): _plain(value)
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


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.title() for each in others)
