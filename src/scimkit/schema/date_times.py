"""xsd:dateTime values as instants that compare, whatever their offset and precision.

This module only reads text; it never asks for the time.
Source: RFC 7643 section 2.3.5 (dateTime), XML Schema Part 2 section 3.3.7.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, TypeAlias

Instant: TypeAlias = tuple[int, str]
"""Seconds since 0001-01-01T00:00:00Z, and the digits of the fraction without trailing zeros."""

_DATE_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,30}))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?\Z",
    re.IGNORECASE,
)


def parse_instant(text: str) -> Instant | None:
    """The instant a dateTime text names, or None when it names none.

    A text without an offset is read as UTC. Tuples compare as the instants do, because fraction
    digits without trailing zeros order as text just as they do as numbers.
    """
    found = _DATE_TIME.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, off_hours, off_minutes = found.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal()
    except ValueError:
        return None
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    offset = 0
    if sign:
        if int(off_hours) > 14 or int(off_minutes) > 59:
            return None
        offset = (int(off_hours) * 60 + int(off_minutes)) * (60 if sign == "+" else -60)
    total = days * 86400 + hours * 3600 + minutes * 60 + seconds - offset
    return total, (fraction or "").rstrip("0")
