"""The columns of `scimkit token list` and `show`, as text for people and as JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from rich.text import Text

from scimkit.cli.tables import plain_table, wide_console
from scimkit.documents import camel_case
from scimkit.tokens import TokenRecord

Columns: TypeAlias = Mapping[str, Callable[[TokenRecord, datetime], Any]]

LIST_COLUMNS: Final[Columns] = {
    "id": lambda record, now: record.id,
    "status": lambda record, now: record.status(now),
    "description": lambda record, now: record.description,
    "scopes": lambda record, now: list(record.scopes),
    "created": lambda record, now: record.created,
    "expires": lambda record, now: record.expires,
    "last_used": lambda record, now: record.last_used,
    "hint": lambda record, now: record.hint,
}
"""The columns of a list, with the value of each for a record at a time."""

SHOW_COLUMNS: Final[Columns] = {
    **LIST_COLUMNS,
    "tenant": lambda record, now: record.tenant,
    "dialect": lambda record, now: record.dialect,
    "created_by": lambda record, now: record.created_by,
    "revoked": lambda record, now: record.revoked,
    "rotated_from": lambda record, now: record.rotated_from,
}
"""The columns of one token."""

_NEVER: Final = {"expires": "never", "last_used": "never"}


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def json_values(record: TokenRecord, columns: Columns) -> dict[str, Any]:
    """Return the columns of a record as JSON. Times are in ISO 8601 format and in UTC."""
    now = datetime.now(UTC)
    values = {name: value(record, now) for name, value in columns.items()}
    return {
        camel_case(name): value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def print_list(records: Sequence[TokenRecord]) -> None:
    """Print a table with a row for each record."""
    now = datetime.now(UTC)
    table = plain_table()
    for name in LIST_COLUMNS:
        table.add_column(_title(name), no_wrap=name in ("id", "status", "hint"), overflow="fold")
    for record in records:
        table.add_row(*(Text(_text(name, value(record, now))) for name, value in LIST_COLUMNS.items()))
    wide_console().print(table)


def print_record(record: TokenRecord) -> None:
    """Print a line for each column of a record."""
    now = datetime.now(UTC)
    table = plain_table(show_header=False)
    for name, value in SHOW_COLUMNS.items():
        table.add_row(_title(name), Text(_text(name, value(record, now))))
    wide_console().print(table)


def _title(name: str) -> str:
    """Return the title of a column."""
    return name.replace("_", " ").capitalize()


def _text(name: str, value: Any) -> str:
    """Return a value as text for people."""
    if value is None:
        return _NEVER.get(name, "")
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return "".join(each if each.isprintable() else " " for each in text)
