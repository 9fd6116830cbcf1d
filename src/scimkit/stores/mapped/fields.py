"""Columns as the engine sees them, and values on their way between documents and rows.

This module never talks to a database.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Protocol
from uuid import UUID

from scimkit.errors import InvalidValue
from scimkit.schema.attributes import Attribute
from scimkit.schema.date_times import parse_instant


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a model: the attribute of an instance that has it, and what a value in it must be.

    A text that must not be NULL is empty where there is no value.
    """

    name: str
    type: type = str
    nullable: bool = True
    default: Any = None
    """What a column that must not be NULL gets where there is no value; None when it has nothing to get."""
    made: bool = False
    """Whether a new row gets a value by itself, whatever makes it."""
    longest: int | None = None
    """Characters that a text may have."""
    largest: int | None = None
    """What an integer may come to."""
    aware: bool = True
    """Whether a datetime has its offset; otherwise it is in UTC."""
    collated: bool = False
    """Whether `eq` and `ne` compare by the column's own collation, because the host said so with `key`."""
    unique: bool = False
    """Whether the attribute must be unique.

    MariaDB and MySQL then compare `eq` and `ne` by the collation of the column, as their unique indexes do.
    """
    keys: tuple[str, ...] = ()
    """Where in the JSON of the column the value is."""
    source: Any = None
    """The back end's own."""

    @property
    def blank(self) -> bool:
        """Whether no value is the empty text."""
        return self.type is str and not self.nullable


class Fields(Protocol):
    """Finds the columns of one model."""

    def field(self, column: Any) -> Field:
        """The field of what the host gave as a column. Raises: ValueError when it is none of the model's."""
        ...

    def relation(self, given: Any) -> Any:
        """The `references.Relation` of what the host gave. Raises: ValueError when it leads not to one row."""
        ...


def row_value(attribute: Attribute, field: Field, value: Any) -> Any:
    """A value of a document as the column takes it. Raises: InvalidValue when it does not."""
    found = converted(attribute, field, value)
    if found is None:
        raise InvalidValue(f"{attribute.path} has a value that this service cannot keep.")
    if field.longest is not None and type(found) is str and len(found) > field.longest:
        raise InvalidValue(f"{attribute.path} is longer than the {field.longest} characters that this service keeps.")
    return found


def converted(attribute: Attribute, field: Field, value: Any) -> Any:
    """A value of a document as the column has it; None when no row can have it."""
    if field.keys or (isinstance(value, field.type) and field.type is not int):
        return value
    if field.type is datetime or field.type is date:
        return _moment(field, value)
    make = _MAKES.get(field.type, field.type)
    try:
        found = make(value)
    except (ValueError, TypeError, ArithmeticError):
        return None
    if field.largest is not None and abs(found) > field.largest:
        return None
    return found if found == value or _text(found) == value or attribute.type in _INEXACT else None


def document_value(attribute: Attribute, value: Any) -> Any:
    """A value of a column as a document has it; None for None."""
    if value is None or attribute.multi_valued or attribute.type == "complex":
        return value
    if attribute.type == "dateTime" and isinstance(value, date):
        return moment_text(value) if isinstance(value, datetime) else f"{value.isoformat()}T00:00:00Z"
    return _READS[attribute.type](value)


def moment_text(value: datetime) -> str:
    """A datetime as a dateTime in UTC; one without an offset is in UTC."""
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_in(field: Field, moment: datetime) -> datetime:
    """An instant as a datetime column has it."""
    return moment if field.aware else moment.astimezone(UTC).replace(tzinfo=None)


def later(old: Any, new: datetime) -> datetime:
    """Return the later of two instants that a column has, so that the time of a change never goes back."""
    is_comparable = isinstance(old, datetime) and (old.tzinfo is None) == (new.tzinfo is None)
    return max(old, new) if is_comparable else new


def finer(text: str) -> bool:
    """Whether a dateTime lies between two microseconds, which no column has."""
    instant = parse_instant(text)
    return instant is not None and len(instant[1]) > 6


def _moment(field: Field, text: str) -> datetime | date | None:
    """The microsecond that a dateTime is in; None when it is before the first day or after the last."""
    instant = parse_instant(text)
    if instant is None or not _DAY <= instant[0] <= _LAST:
        return None
    days, seconds = divmod(instant[0], _DAY)
    day = date.fromordinal(days)
    if field.type is date:
        return day
    minutes, second = divmod(seconds, 60)
    microsecond = int(instant[1][:6].ljust(6, "0"))
    moment = datetime(day.year, day.month, day.day, *divmod(minutes, 60), second, microsecond, UTC)
    return moment_in(field, moment)


_INEXACT: Final = frozenset({"decimal", "binary", "dateTime"})
"""Types whose values a column may have in another form."""

_DAY: Final = 86400
_LAST: Final = date.max.toordinal() * _DAY + _DAY - 1


def _number(value: Any) -> int | float:
    number = float(value)
    return int(value) if number.is_integer() else number


def _text(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def _binary(value: Any) -> str:
    return value if type(value) is str else base64.b64encode(bytes(value)).decode()


_MAKES: Final[dict[type, Callable[[Any], Any]]] = {
    Decimal: lambda value: Decimal(str(value)),
    UUID: UUID,
    bytes: base64.b64decode,
    bool: bool,
}

_READS: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _text, "reference": _text, "dateTime": _text, "boolean": bool, "integer": int, "decimal": _number,
    "binary": _binary,
}  # fmt: skip
