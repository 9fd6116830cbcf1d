"""The health of a connection, computed from cycles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimkit.provisioning.health import USUAL_INTERVAL, health_of, usual_interval
from scimkit.provisioning.log import Cycle

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def cycle(minutes_ago: float, counts: dict[Any, int] | None = None, **errors: int) -> Cycle:
    """Return a cycle of one minute that began some minutes ago."""
    start = NOW - timedelta(minutes=minutes_ago)
    return Cycle(
        id=str(minutes_ago), tenant="t", token_id="k", start=start, end=start + timedelta(minutes=1),
        counts=counts or {}, errors=errors,
    )  # fmt: skip


GOOD: dict[Any, int] = {("Create", "Success"): 2}
BAD: dict[Any, int] = {("Create", "Failure"): 2, ("Update", "Success"): 1}


@pytest.mark.parametrize(
    ("cycles", "status"),
    [
        ([], "Waiting"),
        ([cycle(5)], "Connected"),
        ([cycle(5, GOOD)], "Provisioning"),
        ([cycle(5), cycle(45, GOOD)], "Provisioning"),
        ([cycle(5, BAD, uniqueness=2)], "Failing"),
        ([cycle(5), cycle(45, BAD, uniqueness=2)], "Failing"),
        ([cycle(5, GOOD), cycle(45, BAD, uniqueness=2)], "Provisioning"),
        ([cycle(122, GOOD)], "Silent"),
        ([cycle(119, GOOD)], "Provisioning"),
        ([cycle(130, BAD, uniqueness=2)], "Silent"),
        ([cycle(40 * n + 35, GOOD) for n in range(10)], "Provisioning"),
        ([cycle(10 * n + 35, GOOD) for n in range(10)], "Silent"),
        ([cycle(600 * n + 1000, GOOD) for n in range(10)], "Provisioning"),
    ],
)
def test_status(cycles: list[Cycle], status: str) -> None:
    """The status follows from the newest cycles, and from the usual pause between them."""
    assert health_of("t", "k", cycles, NOW).status == status


def test_failing_since() -> None:
    """A connection fails since the first of the failing cycles in a row; cycles that only read do not end the row."""
    cycles = [cycle(5, BAD, a=1, b=3), cycle(45), cycle(85, BAD, a=1), cycle(125, GOOD), cycle(165, BAD, a=1)]
    health = health_of("t", "k", cycles, NOW)
    assert health.failing_since == NOW - timedelta(minutes=85)
    assert (health.error_code, health.failures) == ("b", 2)
    assert health.next_expected == NOW + timedelta(minutes=35)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=20, unique=True))
def test_usual_interval(minutes: list[int]) -> None:
    """The usual interval is between the shortest and the longest pause, once there are enough cycles."""
    cycles = [cycle(each) for each in sorted(minutes)]
    interval = usual_interval(cycles)
    if len(cycles) < 4:
        assert interval == USUAL_INTERVAL
    else:
        gaps = [
            timedelta(minutes=later - earlier)
            for earlier, later in zip(sorted(minutes), sorted(minutes)[1:], strict=False)
        ]
        assert min(gaps) <= interval <= max(gaps)
