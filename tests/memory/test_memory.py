"""A short run of `python -m tests.memory`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.memory.__main__ import MOST, growth


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_different_requests_do_not_grow_the_memory() -> None:
    """Full caches do not grow, whatever requests clients send."""
    assert Path("/proc/self/statm").exists()
    assert growth(6_000) < MOST
