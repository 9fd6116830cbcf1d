"""Conversion between column values and the JSON values of positions. This module never runs a query."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

_PLAIN: Final = (int, float, str, bool)

_READ: Final[dict[type, Callable[[str], Any]]] = {
    datetime: datetime.fromisoformat, date: date.fromisoformat, Decimal: Decimal, UUID: UUID, bytes: bytes.fromhex,
}  # fmt: skip


def shown(value: Any) -> Any:
    """Return a column value as a JSON value."""
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, date):
        return value.isoformat()
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def read_back(kind: type, value: Any) -> Any:
    """Return the column value of a type for a JSON value. None stays None."""
    return _READ[kind](value) if value is not None and kind in _READ else value
