"""Settings for all tests: hypothesis profiles, what Python keeps, and a client of a service in process."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings

from tests.client import Client

# The tests start hundreds of processes. Each would compile scimkit again if Python kept nothing that it compiled.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("dev", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    derandomize=True,  # CI gives the same result for the same code; local runs try new examples
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("wide", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "mutation",
    max_examples=15,
    deadline=None,
    derandomize=True,  # every run tests a mutant with the same examples
    database=None,
    phases=[Phase.explicit, Phase.generate],  # a failure is enough; it need not be minimized
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture
def client() -> Client:
    """Return a client of a new service with a memory store."""
    return Client()


_pools: set[sa.Pool] = set()


@sa.event.listens_for(sa.Pool, "connect")
def _remember_pool(_: Any, record: Any) -> None:
    """Remember each pool. A blocking connection that nobody closes is a warning, of SQLite from Python 3.13 on."""
    pool = record._ConnectionRecord__pool
    if not pool._dialect.is_async:
        _pools.add(pool)


@pytest.fixture(scope="module", autouse=True)
def _close_connections() -> Iterator[None]:
    """Close, after the tests of a file, the connections in the pools that it used. A pool opens new ones if needed."""
    yield
    while _pools:
        _pools.pop().dispose()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """Exempt what a test run keeps until its end from every later garbage collection, which would visit all of it."""
    was_enabled = gc.isenabled()  # a run for mutations keeps it disabled
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker more than there are cores, because tests that wait for a deadline leave their core idle."""
    return (os.cpu_count() or 1) + 1
