"""A parser of dateTime values. The result compares correctly across offsets and precisions.

This module never reads the clock.
Source: RFC 7643 section 2.3.5 (dateTime), XML Schema Part 2 section 3.3.7.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, TypeAlias

Instant: TypeAlias = tuple[int, str]
"""A moment in UTC: whole seconds, and the digits of the fraction without trailing zeros."""

_DATE_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,30}))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?\Z",
    re.IGNORECASE,
)


def parse_instant(text: str) -> Instant | None:
    """Return the instant of a dateTime text. Return None if the text is not a valid dateTime.

    A text without an offset is read as UTC. The tuples sort in the order of time, because fraction digits without
    trailing zeros sort as text in the same order as the numbers.
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
