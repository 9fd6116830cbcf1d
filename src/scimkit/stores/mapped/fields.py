"""Fields, the description of columns in mapped stores, and conversions between values of documents and columns.

This module never talks to a database.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Protocol
from uuid import UUID

from scimkit.errors import InvalidValue
from scimkit.schema.attributes import Attribute
from scimkit.schema.date_times import parse_instant


@dataclass(slots=True)
class ColumnCollation:
    """The collation of a column. A store reads it before its first statement, on MariaDB and MySQL."""

    ignores_case: bool = False
    """True if the column compares without case.

    An equality without case then compares the column too. MariaDB and MySQL have no index for `lower` of a column.
    """


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a model: the name of the instance attribute, and the properties of its values.

    A text column that is not nullable contains the empty text if the attribute is unassigned.
    """

    name: str
    type: type = str
    nullable: bool = True
    default: Any = None
    """The value of a column that is not nullable if the attribute is unassigned. None means there is no such value."""
    made: bool = False
    """True if a new row receives a value automatically."""
    longest: int | None = None
    """Largest number of characters of a text."""
    largest: int | None = None
    """Largest integer of the column."""
    aware: bool = True
    """True if a datetime has an offset. Otherwise the datetime is in UTC."""
    collated: bool = False
    """True if `eq` and `ne` compare by the collation of the column, because the mapping says so with `key`."""
    unique: bool = False
    """True if the attribute is unique.

    On MariaDB and MySQL, `eq` and `ne` then compare by the collation of the column, as the unique index does.
    """
    collation: ColumnCollation = field(default_factory=ColumnCollation, compare=False)
    """The collation of the column."""
    keys: tuple[str, ...] = ()
    """The keys that lead to the value inside the JSON of the column."""
    source: Any = None
    """The object of the backend that represents the column."""

    @property
    def blank(self) -> bool:
        """True if the column contains the empty text for an unassigned attribute."""
        return self.type is str and not self.nullable


class Fields(Protocol):
    """Finds the columns of one model. Each backend implements this protocol."""

    def field(self, column: Any) -> Field:
        """Return the field for a column of a mapping.

        Raises:
            ValueError: The model has no such column.
        """
        ...

    def relation(self, given: Any) -> Any:
        """Return the `references.Relation` for a relationship of a mapping.

        Raises:
            ValueError: The relationship does not lead to one row.
        """
        ...


def row_value(attribute: Attribute, field: Field, value: Any) -> Any:
    """Convert a value of a document to the type of the column.

    Raises:
        InvalidValue: The column cannot contain the value.
    """
    found = converted(attribute, field, value)
    if found is None:
        raise InvalidValue(f"{attribute.path} has a value that this service cannot store. Send another value.")
    if field.longest is not None and type(found) is str and len(found) > field.longest:
        raise InvalidValue(f"{attribute.path} must have at most {field.longest} characters.")
    return found


def converted(attribute: Attribute, field: Field, value: Any) -> Any:
    """Convert a value of a document to the type of the column. Return None if no row can have the value."""
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
    """Convert the value of a column to the form of a document. None stays None."""
    if value is None or attribute.multi_valued or attribute.type == "complex":
        return value
    if attribute.type == "dateTime" and isinstance(value, date):
        return moment_text(value) if isinstance(value, datetime) else f"{value.isoformat()}T00:00:00Z"
    return _READS[attribute.type](value)


def moment_text(value: datetime) -> str:
    """Return a datetime as a dateTime in UTC. A datetime without an offset counts as UTC."""
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_in(field: Field, moment: datetime) -> datetime:
    """Return a time in the form of a datetime column."""
    return moment if field.aware else moment.astimezone(UTC).replace(tzinfo=None)


def later(old: Any, new: datetime) -> datetime:
    """Return the later of two column values, so that the time of the last change never goes back."""
    is_comparable = isinstance(old, datetime) and (old.tzinfo is None) == (new.tzinfo is None)
    return max(old, new) if is_comparable else new


def finer(text: str) -> bool:
    """Report whether a dateTime has more digits than the microseconds of a column."""
    instant = parse_instant(text)
    return instant is not None and len(instant[1]) > 6


def _moment(field: Field, text: str) -> datetime | date | None:
    """Convert a dateTime to a datetime with microseconds. Return None outside the years 1 to 9999."""
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
"""Types whose values may have another form in a column."""

_DAY: Final = 86400
_LAST: Final = date.max.toordinal() * _DAY + _DAY - 1


def _number(value: Any) -> int | float:
    """Return a number as an integer if possible."""
    number = float(value)
    return int(value) if number.is_integer() else number


def _text(value: Any) -> str:
    """Return a value as a text."""
    return str(value.value if isinstance(value, Enum) else value)


def _binary(value: Any) -> str:
    """Return binary data as base64."""
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
