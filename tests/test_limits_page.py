"""Tests that the page of limits agrees with the code."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from scimkit import Limits, RateLimits
from scimkit.documents import MAX_DEPTH as JSON_DEPTH
from scimkit.filters.parser import MAX_DEPTH as FILTER_DEPTH
from scimkit.patch.apply import MAX_STEPS
from scimkit.stores.sql.timeouts import CONNECT_TIMEOUT, POOL_TIMEOUT, STATEMENT_TIMEOUT

PAGE = (Path(__file__).parents[1] / "docs" / "reference" / "limits.md").read_text()


def test_every_limit_has_its_row_with_its_default() -> None:
    """The tables have a row for each field of `Limits` and of `RateLimits`, in their order, with the default."""
    rows = re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|", PAGE, re.MULTILINE)
    options = (Limits(), RateLimits())
    assert rows == [(each.name, str(getattr(given, each.name))) for given in options for each in fields(given)]


def test_fixed_limits() -> None:
    """The numbers in the other tables are those of the code."""
    for text, number in (
        ("levels of nesting in a JSON body", JSON_DEPTH),
        ("levels of parentheses, brackets and `not` in a filter", FILTER_DEPTH),
        ("values that the operations of one PATCH compare", MAX_STEPS),
        ("seconds of one SQL statement, or of the wait for one lock", f"{STATEMENT_TIMEOUT:.0f}"),
        ("seconds until a new connection is there", CONNECT_TIMEOUT),
        ("seconds until a connection of the pool is free", f"{POOL_TIMEOUT:.0f}"),
    ):
        assert f"| {text} | {number} |" in PAGE
