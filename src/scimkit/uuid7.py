"""Make UUIDv7 (RFC 9562 section 5.7): ids whose order is the order of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from os import urandom
from threading import Lock
from time import time_ns
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

_last: list[int] = [0]
_lock: Final = Lock()
_VARIANTS: Final = {digit: "89ab"[number % 4] for number, digit in enumerate("0123456789abcdef")}
"""The first digit of the random part, by two of its bits, with the variant of RFC 9562."""


def to_milliseconds(instant: datetime) -> int:
    """Return the whole milliseconds between 1970 and a time. A time without an offset is local time.

    A float would lose the last millisecond of some times.
    """
    aware = instant.astimezone(UTC) if instant.tzinfo is None else instant
    return (aware - _EPOCH) // _MILLISECOND


def new_uuid7() -> str:
    """Return a UUIDv7 (RFC 9562 section 5.7). Within a process, each id sorts after all earlier ids."""
    now = time_ns() // 1_000_000 << 12
    with _lock:
        stamp = _last[0] + 1
        _last[0] = stamp = stamp if stamp > now else now
    return _text(stamp, urandom(8).hex())


def first_id_at(instant: datetime) -> str:
    """Return the smallest id that is made at a time or later."""
    return _text(max(to_milliseconds(instant), 0) << 12, "0" * 16)


def new_id_at(instant: datetime) -> str:
    """Return a new UUIDv7 of a time, such as that of a cycle. Ids of the same millisecond have no order."""
    stamp = max(to_milliseconds(instant), 0) << 12
    return _text(stamp, urandom(8).hex())


def id_derived_from(id: str, text: str) -> str:
    """Return the UUIDv7 of the time of another one that belongs to a text. The same values give the same id."""
    digits = id.replace("-", "")
    stamp = int(digits[:12] + digits[13:16], 16)
    return _text(stamp, sha256(f"{id} {text}".encode()).hexdigest()[:16])


def time_of_id(id: str) -> datetime:
    """Return the time at which an id was made, with the precision of a millisecond."""
    return datetime.fromtimestamp(int(id.replace("-", "")[:12], 16) / 1000, UTC)


def _text(stamp: int, rest: str) -> str:
    """Return a UUIDv7 of 48 bits of time and a counter of 12 bits, and of 16 other hexadecimal digits."""
    text = f"{stamp:015x}"
    return f"{text[:8]}-{text[8:12]}-7{text[12:]}-{_VARIANTS[rest[0]]}{rest[1:4]}-{rest[4:]}"
